// The history, and what is looked up in it.
async function unpacked(id) {
  const text = atob(byId(id).textContent.trim());
  const bytes = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i);
  return new Response(new Blob([bytes]).stream().pipeThrough(new DecompressionStream('gzip'))).text();
}

const historyText = await unpacked('history');
const result = JSON.parse(historyText);
for (const list of ['checks', 'anomalies', 'nodes', 'shards', 'clients', 'faults', 'leaders', 'reads', 'lag', 'operations']) result[list] ??= [];
const operations = result.operations;
for (const o of operations) { o.actions ??= []; o.anomalies ??= []; }

const nodeName = (i) => result.nodes[i]?.name ?? '–';
const clientOf = (o) => result.clients[o.client] ?? { name: `client ${o.client}`, group: '' };
const writes = (o) => o.actions.some((a) => a.write);

/** Classes of operations, from the least to the most remarkable, with their signs in the timeline. */
const classes = [
  { name: 'read', colour: '--read', height: 0.7 },
  { name: 'write', colour: '--write', height: 0.8 },
  { name: 'condition failed, canceled', colour: '--refused', height: 0.8 },
  { name: 'unavailable', colour: '--unavailable', height: 0.8 },
  { name: 'outcome unknown', colour: '--unknown', height: 0.8 },
  { name: 'anomaly', colour: '--anomaly', height: 1 },
];
function classOf(o) {
  if (o.anomalies.length > 0) return 5;
  switch (o.outcome) {
    case 'ok': return writes(o) ? 1 : 0;
    case 'unavailable': return 3;
    case 'unknown': return 4;
    default: return 2;
  }
}
const classOfOperation = Uint8Array.from(operations, classOf);
const anomalous = operations.filter((o) => o.anomalies.length > 0).map((o) => o.id);

const actionText = (a) => `${a.key} ${a.write ? '←' : '='} ${a.value === '' ? (a.write ? 'deleted' : 'nothing') : a.value}`;
const actionsText = (o) => o.actions.map(actionText).join(', ');
const answeredBy = (o) => (o.served < 0 ? '–' : `${nodeName(o.served)}${o.leader ? ', leader' : ''}`);

/** missedWrite is the first write that a stale read missed: the one acknowledged so long before it. */
function missedWrite(o) {
  if (!o.staleBy) return undefined;
  if (!missedWrites.has(o.id)) {
    const keys = new Set(o.actions.map((a) => a.key));
    missedWrites.set(o.id, operations.find((w) => w.return === o.invoke - o.staleBy && w.outcome === 'ok' && w.actions.some((a) => a.write && keys.has(a.key))));
  }
  return missedWrites.get(o.id);
}
const missedWrites = new Map();
