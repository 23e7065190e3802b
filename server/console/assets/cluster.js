// Geometry of the token ring, and reading what /_stator/cluster tells.

/** share turns a token, 16 hexadecimal digits, into a place on the ring, 0 to 1. */
const share = (token) => Number(BigInt('0x' + token) / 2n ** 12n) / 2 ** 52;

/** Shard -1 is the catalog, which has no tokens. */
export const isCatalog = (shard) => shard.id < 0;

/** grown is by how much a counter grew; one that is smaller than before began again at 0. */
const grown = (now, before) => (now >= before ? now - before : now);

/**
 * traffic is a replica's reads and writes a second since the answer before: null when
 * that did not have the replica, or counts nothing.
 */
function traffic(replica, before, seconds) {
  if (!(before?.reads >= 0) || !(seconds > 0)) return { reads: null, writes: null };
  return { reads: grown(replica.reads, before.reads) / seconds, writes: grown(replica.proposals, before.proposals) / seconds };
}

/** total adds up what is known of parts' reads or writes; it is null when nothing is. */
const total = (parts, what) => parts.reduce((sum, p) => (p[what] === null ? sum : (sum ?? 0) + p[what]), null);

/**
 * read prepares an answer for drawing, by the answer before and the seconds since.
 * Shards get from and to on the ring, and nodes, shards and all of the cluster their
 * reads and writes a second. A shard's replicas are in the order of its hosts, so that
 * each keeps its place; hosts that say nothing of theirs have the role "absent". A
 * replica is behind when it lacks more than what was written in the last second.
 */
export function read(answer, before, seconds) {
  const earlier = new Map((before?.shards ?? []).map((s) => [s.id, new Map(s.replicas.map((r) => [r.node, r]))]));
  const shards = answer.shards.map((s) => {
    const there = new Map(s.replicas.map((r) => [r.node, { lag: 0, ...r, ...traffic(r, earlier.get(s.id)?.get(r.node), seconds) }]));
    const names = new Set([...(s.hosts ?? []), ...there.keys()]);
    const replicas = [...names].map((node) => there.get(node) ?? { node, role: 'absent', lag: 0, reads: null, writes: null });
    const writes = total(replicas, 'writes');
    for (const r of replicas) r.behind = r.lag > (writes ?? 0);
    return {
      ...s, replicas, reads: total(replicas, 'reads'), writes,
      from: s.first ? share(s.first) : 0,
      to: s.last ? share(s.last) + 2 ** -52 : 1,
      lag: Math.max(0, ...replicas.map((r) => r.lag)),
      behind: replicas.some((r) => r.behind),
      step: (answer.steps ?? []).find((step) => step.shard === s.id),
    };
  });
  const nodes = answer.nodes.map((n) => {
    const its = shards.flatMap((s) => s.replicas.filter((r) => r.node === n.name));
    return { ...n, reads: total(its, 'reads'), writes: total(its, 'writes') };
  });
  return {
    nodes, shards: shards.filter((s) => !isCatalog(s)), catalog: shards.find(isCatalog),
    reads: total(nodes, 'reads'), writes: total(nodes, 'writes'), moves: moves(answer),
  };
}

/** moves lists what replicas and leaderships are about, and orders that no step follows yet. */
function moves(answer) {
  const steps = (answer.steps ?? []).map((s) => ({ shard: s.shard, text: `${s.action} ${s.node}`, reason: s.reason }));
  const followed = new Set(steps.map((s) => s.shard));
  const orders = answer.shards.filter((s) => !followed.has(s.id)).flatMap((s) => (s.orders ?? []).map((o) => ({ shard: s.id, text: `move ${o.from} to ${o.to}`, reason: 'ordered' })));
  return [...steps, ...orders];
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
