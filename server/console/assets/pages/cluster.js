// The token ring: shards, who leads and follows, how far behind, how busy.
import { html, useRef, useState } from '../html.js';
import { arc, lag, normalize, point, traffic } from '../cluster.js';
import { look } from '../dynamodb.js';
import { count, decimal } from '../format.js';
import { Badge, Loading, Problem, useEvery } from '../ui/basics.js';
import { Swatch, colours } from '../ui/chart.js';

const outer = 190, replicaRing = 160, nodeRing = 84;
const gone = '#8a96a0';

export default function ClusterPage() {
  const [cluster, setCluster] = useState(null);
  const [alone, setAlone] = useState(false);
  const [error, setError] = useState(null);
  const [picked, pick] = useState(null);
  const seats = useRef(new Map()); // node id to its colour and place, which it keeps
  useEvery(1000, async (signal) => {
    try {
      const answer = await look('/_stator/cluster', { signal });
      setAlone(!answer);
      setCluster(normalize(answer ?? { nodes: [{ id: 'node', addresses: [location.host], state: 'alive' }], shards: [{ id: 0 }] }));
      setError(null);
    } catch (e) { if (!signal.aborted) setError(e.name === 'TypeError' ? new Error('The server cannot be reached.') : e); }
  });
  if (!cluster) return html`<div class="page-head"><h1>Cluster</h1></div><${Problem} error=${error}/>${!error && html`<${Loading}/>`}`;
  for (const n of cluster.nodes) if (!seats.current.has(n.id)) seats.current.set(n.id, seats.current.size);
  const colour = (id) => (id !== null && seats.current.has(id) ? colours[seats.current.get(id) % colours.length] : gone);
  const { nodes, shards } = cluster;
  const one = nodes.length === 1;
  const leads = (id) => shards.filter((s) => s.leader === id).length;
  const follows = (id) => shards.filter((s) => s.leader !== id && s.replicas.some((r) => r.node === id)).length;
  return html`<div class="page-head"><h1>Cluster</h1><span class="muted">${one ? `one node${alone ? '' : `, ${count(shards.length)} shards`}` : `${nodes.length} nodes, ${count(shards.length)} shards`}</span></div>
    <${Problem} error=${error}/>
    ${alone && html`<div class="notice">This server runs on one node, which holds the whole ring.</div>`}
    <div class="cluster"><section class="panel"><${Ring} nodes=${nodes} shards=${shards} colour=${colour} picked=${picked} pick=${pick}/></section>
      <div><section class="panel"><h2>Nodes</h2><ul class="node-list">${nodes.map((n) => html`<li key=${n.id} style=${{ '--c': colour(n.id) }}>
          <b class="mono">${n.id}</b> <${Badge} kind=${/alive|up|active|ready|leader|follower/i.test(n.state) ? 'good' : /dead|down|failed/i.test(n.state) ? 'bad' : 'warn'}>${n.state}<//>
          <div class="muted mono">${n.addresses.map((a) => (typeof a === 'object' ? Object.values(a).join(' ') : a)).join(', ')}</div><div class="muted">${[n.zone && `zone ${n.zone}`, n.pid && `process ${n.pid}`].filter(Boolean).join(', ')}</div>
          ${!alone && html`<div>leads ${leads(n.id)}${one ? '' : `, follows ${follows(n.id)}`}</div>`}</li>`)}</ul></section>
        ${!alone && html`<section class="panel"><h2>Shards</h2><div class="table-scroll shard-table" tabindex="0" role="region" aria-label="Shards"><table><thead><tr><th>Shard</th><th>Leader</th>${!one && html`<th>Replicas</th>`}<th class="num">Applied</th>${!one && html`<th class="num">Lag</th>`}<th class="num">Requests/s</th></tr></thead>
          <tbody>${shards.map((s) => html`<tr key=${s.id} aria-selected=${picked === s.id} onMouseEnter=${() => pick(s.id)} onMouseLeave=${() => pick(null)}><th scope="row" class="mono">${s.id}</th><td class="nowrap">${s.leader !== null ? html`<${Swatch} colour=${colour(s.leader)}/> <span class="mono">${s.leader}</span>` : html`<${Badge} kind="bad">none<//>`}</td>
            ${!one && html`<td class="mono">${s.replicas.map((r) => r.node).filter((n) => n !== s.leader).join(', ')}</td>`}<td class="num">${count(s.applied)}</td>${!one && html`<td class="num">${lag(s) === null ? '–' : html`<span class=${lag(s) > 0 ? 'wrong' : ''}>${count(lag(s))}</span>`}</td>`}<td class="num">${traffic(s) === null ? '–' : decimal(traffic(s))}</td></tr>`)}</tbody></table></div></section>`}</div></div>`;
}

/** Ring draws shards outside, in the colours of their leaders; replicas as dots; nodes inside. */
function Ring({ nodes, shards, colour, picked, pick }) {
  const busiest = Math.max(1, ...shards.map((s) => traffic(s) ?? 0));
  const seat = (i) => (nodes.length === 1 ? [0, 0] : point(i / nodes.length, nodeRing));
  const places = new Map(nodes.map((n, i) => [n.id, seat(i)]));
  const shown = shards.find((s) => s.id === picked);
  const gap = shards.length > 1 ? Math.min(0.004, 0.2 / shards.length) : 0;
  return html`<svg class="ring" viewBox="-215 -215 430 430" role="img" aria-label=${`Token ring of ${shards.length} shards on ${nodes.length} nodes; the tables beside it have the numbers`}>
    ${shards.map((s) => {
      const middle = (s.from + s.to) / 2, flow = traffic(s) ?? 0;
      const [x, y] = point(middle, replicaRing - 14), [nx, ny] = places.get(s.leader) ?? [0, 0];
      return html`<g key=${s.id} onMouseEnter=${() => pick(s.id)} onMouseLeave=${() => pick(null)}>
        ${flow > 0 && html`<path class="flow" d=${`M ${x} ${y} Q ${x * 0.4 + nx * 0.2} ${y * 0.4 + ny * 0.2} ${nx} ${ny}`} stroke-width=${0.8 + 5 * flow / busiest} opacity=${0.15 + 0.35 * flow / busiest}/>`}
        <path class="shard-arc" d=${arc(s.from + gap, s.to - gap, outer)} stroke=${colour(s.leader)} stroke-width=${picked === s.id ? 26 : 20}/>
        ${nodes.length > 1 && s.replicas.map((r, i) => {
          const [cx, cy] = point(middle + (i - (s.replicas.length - 1) / 2) * Math.min(0.018, 0.7 * (s.to - s.from) / Math.max(1, s.replicas.length)), replicaRing);
          return html`<circle key=${r.node} class="replica" cx=${cx} cy=${cy} r=${shards.length > 64 ? 2.5 : 4.5} fill=${colour(r.node)} opacity=${r.node === s.leader ? 1 : 0.75}/>`;
        })}
        ${shards.length <= 32 && html`<text class="small-text" x=${point(middle, outer + 17)[0]} y=${point(middle, outer + 17)[1] + 3} text-anchor="middle">${s.id}</text>`}</g>`;
    })}
    ${nodes.map((n, i) => {
      const [x, y] = seat(i);
      const down = /dead|down|failed|left/i.test(n.state);
      return html`<g key=${n.id} class="node" style=${{ transform: `translate(${x}px, ${y}px)` }} opacity=${down ? 0.35 : 1}>
        <circle r="24" fill=${down ? gone : colour(n.id)}/><text class="node-name" text-anchor="middle" y="4">${n.id.length > 7 ? n.id.slice(0, 6) + '…' : n.id}</text></g>`;
    })}
    ${shown && html`<text class="small-text" text-anchor="middle" y=${nodes.length === 1 ? 44 : 4}>${`shard ${shown.id}`}</text>`}
  </svg>`;
}
