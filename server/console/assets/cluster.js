// Geometry of the token ring, and reading what /_stator/cluster tells.

const tokens = 2n ** 64n;

/** token reads a token that may be a decimal or hexadecimal text or a number. */
function token(t) {
  try {
    if (typeof t === 'string') return BigInt(/^[0-9]+$/.test(t) || t.startsWith('0x') ? t : '0x' + t);
    return BigInt(Math.trunc(t));
  } catch {
    return null;
  }
}

/** share turns a token into a place on the ring, 0 to 1. */
const share = (t) => Number((t * 1000000n) / tokens) / 1000000;

/**
 * normalize makes one shape of an answer: nodes by id; shards with from and to on the
 * ring. Whatever is missing, as on a single node, is filled in.
 */
export function normalize(answer) {
  const nodes = (answer?.nodes ?? []).map((n) => ({ ...n, id: String(n.id), addresses: [].concat(n.addresses ?? n.address ?? []), state: n.state ?? 'alive' }));
  const list = answer?.shards ?? [];
  const shards = list.map((s, i) => {
    const range = Array.isArray(s.range) ? s.range : [s.range?.start ?? s.range?.from, s.range?.end ?? s.range?.to];
    const first = token(range[0]), last = token(range[1]);
    const whole = first !== null && last !== null && range[0] !== undefined;
    return {
      id: String(s.id ?? i),
      from: whole ? share(first) : i / list.length,
      to: whole ? (last === 0n ? 1 : share(last + (last % 2n))) : (i + 1) / list.length,
      leader: s.leader === undefined || s.leader === null || s.leader === '' ? nodes.length === 1 ? nodes[0].id : null : String(s.leader),
      replicas: (s.replicas ?? (nodes.length === 1 ? [nodes[0].id] : [])).map((r) => (typeof r === 'object' ? { ...r, node: String(r.node ?? r.id) } : { node: String(r) })),
      applied: s.applied, lag: s.lag, traffic: s.traffic,
    };
  });
  return { nodes, shards };
}

/** traffic is a shard's requests a second, however they are told. */
export function traffic(shard) {
  const t = shard.traffic;
  if (typeof t === 'number') return t;
  if (t && typeof t === 'object') return Object.values(t).reduce((n, v) => n + (typeof v === 'number' ? v : 0), 0);
  return null;
}

/** lag is the farthest that a replica is behind, in log entries. */
export function lag(shard) {
  const l = shard.lag;
  if (typeof l === 'number') return l;
  if (l && typeof l === 'object') return Math.max(0, ...Object.values(l).filter((v) => typeof v === 'number'));
  const own = shard.replicas.map((r) => r.lag).filter((v) => typeof v === 'number');
  return own.length ? Math.max(...own) : null;
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
