// The token ring: shards, who leads and follows, how far behind, how busy.
import { html, useRef, useState } from '../html.js';
import { isCatalog, read, single } from '../cluster.js';
import { look } from '../dynamodb.js';
import { count, decimal, plural } from '../format.js';
import { Badge, Loading, Problem, useEvery } from '../ui/basics.js';
import { Swatch, colours } from '../ui/chart.js';
import { Ring, nobody } from '../ui/ring.js';

/** States of a node: the badge's kind, and what the state means. */
const states = {
  up: ['good', 'It answers'],
  draining: ['warn', 'It hands its leaderships to others and gets nothing new'],
  decommissioning: ['warn', 'Its replicas move to others, and then it is removed'],
  removed: ['bad', 'It left the cluster'],
  unreachable: ['bad', 'It does not answer'],
  dead: ['bad', 'It has not answered for so long that its replicas are made anew on others'],
};
const isAway = (node) => states[node.state]?.[0] === 'bad';

const nameOf = (shard) => (isCatalog(shard) ? 'catalog' : shard.id);

export default function ClusterPage() {
  const [cluster, setCluster] = useState(null);
  const [alone, setAlone] = useState(false);
  const [error, setError] = useState(null);
  const [picked, pick] = useState(null);
  const seats = useRef(new Map()); // node name to its colour, which it keeps
  const last = useRef(null);
  useEvery(1000, async (signal) => {
    try {
      let answer = await look('/_stator/cluster', { signal });
      setAlone(!answer);
      answer ??= single(location.host, (await look('/_stator/namespaces', { signal }))?.shards ?? 1);
      const now = performance.now();
      setCluster(read(answer, last.current?.answer, (now - last.current?.now) / 1000));
      last.current = { answer, now };
      setError(null);
    } catch (e) { if (!signal.aborted) setError(e.name === 'TypeError' ? new Error('The server cannot be reached.') : e); }
  });
  if (!cluster) return html`<div class="page-head"><h1>Cluster</h1></div><${Problem} error=${error}/>${!error && html`<${Loading}/>`}`;
  const { nodes, shards, catalog } = cluster;
  for (const n of nodes) if (!seats.current.has(n.name)) seats.current.set(n.name, seats.current.size);
  const colour = (name) => (seats.current.has(name) ? colours[seats.current.get(name) % colours.length] : nobody);
  const behind = shards.filter((s) => s.behind).length;
  const away = nodes.filter(isAway).length;
  const orphans = shards.filter((s) => !s.leader).length;
  return html`<div class="page-head"><h1>Cluster</h1><span class="muted">${plural(nodes.length, 'node')}, ${plural(shards.length, 'shard')}</span>
      ${!alone && html`<${Rates} of=${cluster}/>`}
      ${away > 0 && html`<${Badge} kind="bad">${plural(away, 'node')} away<//>`}${orphans > 0 && html`<${Badge} kind="bad">${plural(orphans, 'shard')} without a leader<//>`}${behind > 0 && html`<${Badge} kind="warn">${plural(behind, 'shard')} with a replica behind<//>`}</div>
    <${Problem} error=${error}/>
    ${alone && html`<p class="notice">This server is on its own: it holds all shards. Nodes of a cluster show up here as they come and go.</p>`}
    <div class="cluster"><section class="panel"><${Ring} nodes=${nodes} shards=${shards} colour=${colour} isAway=${isAway} picked=${picked} pick=${pick}/>${!alone && html`<${Key}/>`}</section>
      <div><section class="panel"><h2>Nodes</h2><ul class="node-list">${nodes.map((n) => html`<${Node} key=${n.id} node=${n} colour=${colour} alone=${alone} leadsCatalog=${catalog?.leader === n.name}/>`)}</ul></section>
        ${!alone && html`<${Moves} moves=${cluster.moves}/><${Shards} shards=${[...shards, ...(catalog ? [catalog] : [])]} nodes=${nodes} colour=${colour} picked=${picked} pick=${pick}/>`}</div></div>`;
}

/** Rates are the reads and writes a second of a node or of all. */
const Rates = ({ of }) => html`<div class="rates"><span><i class="bar-reads"></i>${decimal(of.reads)} reads/s</span> <span><i class="bar-writes"></i>${decimal(of.writes)} writes/s</span></div>`;

/** Key says what the ring's signs mean. */
const Key = () => html`<ul class="legend ring-key"><li><i class="bar-reads"></i>Reads/s</li><li><i class="bar-writes"></i>Writes/s</li>
  <li><i class="sign"></i>Replica</li><li><i class="sign learner"></i>Learner</li><li><i class="sign behind"></i>Behind</li><li><i class="sign absent"></i>No answer</li></ul>`;

function Node({ node, colour, alone, leadsCatalog }) {
  const [kind, meaning] = states[node.state] ?? ['warn'];
  return html`<li style=${{ '--c': isAway(node) ? nobody : colour(node.name) }}>
    <b class="mono">${node.name}</b> <${Badge} kind=${kind} title=${meaning}>${node.state}<//>${leadsCatalog && html` <${Badge} kind="violet" title="Tables, placement and membership">leads the catalog<//>`}
    <div class="muted mono">${node.http}</div><div class="muted">${[node.zone && `zone ${node.zone}`, node.pid && `process ${node.pid}`, node.version].filter(Boolean).join(', ')}</div>
    ${!alone && (isAway(node) ? html`<div>${meaning}.</div>` : html`<div>leads ${count(node.leaders)} of ${plural(node.replicas, 'replica')}</div><${Rates} of=${node}/>`)}</li>`;
}

/** Moves are the changes of replicas and leaders under way. */
const Moves = ({ moves }) => html`<section class="panel"><h2>Under way</h2>
  ${moves.length === 0 ? html`<p class="muted">No replica and no leadership moves.</p>` : html`<ul class="moves">${moves.map((m) => html`<li key=${`${m.shard} ${m.text}`}>
    <b>${isCatalog({ id: m.shard }) ? 'Catalog' : `Shard ${m.shard}`}</b> <span>${m.text}</span> <${Badge} kind="blue">${m.reason}<//></li>`)}</ul>`}</section>`;

function Shards({ shards, nodes, colour, picked, pick }) {
  const away = new Map(nodes.filter(isAway).map((n) => [n.name, n.state]));
  return html`<section class="panel"><h2>Shards</h2><div class="table-scroll shard-table" tabindex="0" role="region" aria-label="Shards"><table>
    <thead><tr><th>Shard</th><th>Leader</th><th class="num">Reads/s</th><th class="num">Writes/s</th><th class="num">Lag</th><th>Other replicas</th><th class="num">Committed</th></tr></thead>
    <tbody>${shards.map((s) => html`<tr key=${s.id} aria-selected=${picked === s.id} onMouseEnter=${() => pick(s.id)} onMouseLeave=${() => pick(null)}><th scope="row" class="mono">${nameOf(s)}</th>
      <td class="nowrap">${s.leader ? html`<${Swatch} colour=${colour(s.leader)}/><span class="mono">${s.leader}</span>` : html`<${Badge} kind="bad">none<//>`}</td>
      <td class="num">${decimal(s.reads)}</td><td class="num">${decimal(s.writes)}</td><td class="num">${s.behind ? html`<span class="wrong">${count(s.lag)}</span>` : count(s.lag)}</td>
      <td class="mono">${s.replicas.filter((r) => r.node !== s.leader).map((r, i) => html`<${Other} key=${r.node} replica=${r} away=${away.get(r.node)} before=${i > 0 ? ', ' : ''}/>`)}</td><td class="num">${count(s.commit)}</td></tr>`)}</tbody></table></div></section>`;
}

/** Other is a replica that does not lead, and what is special about it; before is what parts it from the one before. */
function Other({ replica, away, before }) {
  const special = away ?? (replica.role === 'follower' ? '' : replica.role === 'absent' ? 'coming' : replica.role);
  return html`${before}${replica.node}${special && html` <${Badge} kind=${away ? 'bad' : 'blue'}>${special}<//>`}`;
}
