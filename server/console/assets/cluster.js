// Geometry of the token ring, and reading what /_stator/cluster tells.

/** share turns a token, 16 hexadecimal digits, into a place on the ring, 0 to 1. */
const share = (token) => Number(BigInt('0x' + token) / 2n ** 12n) / 2 ** 52;

/** Shard -1 is the catalog, which has no tokens. */
export const isCatalog = (shard) => shard.id < 0;

/**
 * read prepares an answer for drawing: shards get from and to on the ring, lag (of
 * their last replica) and writes a second, by the answer before and the seconds since.
 */
export function read(answer, before, seconds) {
  const commits = new Map((before?.shards ?? []).map((s) => [s.id, s.commit]));
  const shards = answer.shards.map((s) => ({
    ...s,
    from: s.first ? share(s.first) : 0,
    to: s.last ? share(s.last) + 2 ** -52 : 1,
    lag: Math.max(0, ...s.replicas.map((r) => r.lag ?? 0)),
    writes: commits.has(s.id) && s.commit >= commits.get(s.id) && seconds > 0 ? (s.commit - commits.get(s.id)) / seconds : null,
  }));
  return { nodes: answer.nodes, shards: shards.filter((s) => !isCatalog(s)), catalog: shards.find(isCatalog) };
}

/** single is the answer of a server that is no node of a cluster, as a cluster of one. */
export function single(host, count) {
  const width = 2n ** 64n / BigInt(count);
  const token = (t) => t.toString(16).padStart(16, '0');
  return {
    nodes: [{ id: '0', name: 'node', http: host, state: 'up' }],
    shards: Array.from({ length: count }, (_, i) => ({
      id: i, leader: 'node', replicas: [{ node: 'node', role: 'leader' }],
      first: token(width * BigInt(i)), last: token(i === count - 1 ? 2n ** 64n - 1n : width * BigInt(i + 1) - 1n),
    })),
  };
}

/** point is a place on a circle; the ring begins at the top. */
export function point(at, radius) {
  const angle = at * 2 * Math.PI - Math.PI / 2;
  return [radius * Math.cos(angle), radius * Math.sin(angle)];
}

/** arc is the path along a circle; a whole one is drawn in two. */
export function arc(from, to, radius) {
  const p = (at) => point(at, radius).map((n) => n.toFixed(2)).join(' ');
  const step = (a, b) => `A ${radius} ${radius} 0 ${b - a > 0.5 ? 1 : 0} 1 ${p(b)}`;
  if (to - from < 0.999) return `M ${p(from)} ${step(from, to)}`;
  const middle = (from + to) / 2;
  return `M ${p(from)} ${step(from, middle)} ${step(middle, to)}`;
}
