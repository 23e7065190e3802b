// The token ring: shards, who leads and follows, how far behind, how busy.
import { html, useRef, useState } from '../html.js';
import { arc, point, read, single } from '../cluster.js';
import { look } from '../dynamodb.js';
import { count, cut, decimal, plural } from '../format.js';
import { Badge, Loading, Problem, useEvery } from '../ui/basics.js';
import { Swatch, colours } from '../ui/chart.js';

const outer = 190, replicaRing = 160, nodeRing = 84;
const nobody = '#8a96a0';

const stateKinds = { up: 'good', unreachable: 'bad', removed: 'bad' };

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
  const behind = shards.filter((s) => s.lag > 0).length;
  const orphans = shards.filter((s) => !s.leader).length;
  return html`<div class="page-head"><h1>Cluster</h1><span class="muted">${plural(nodes.length, 'node')}, ${plural(shards.length, 'shard')}</span>
      ${orphans > 0 && html`<${Badge} kind="bad">${plural(orphans, 'shard')} without a leader<//>`}${behind > 0 && html`<${Badge} kind="warn">${plural(behind, 'shard')} with a replica behind<//>`}</div>
    <${Problem} error=${error}/>
    ${alone && html`<p class="notice">This server is on its own: it holds all shards. Nodes of a cluster show up here as they come and go.</p>`}
    <div class="cluster"><section class="panel"><${Ring} nodes=${nodes} shards=${shards} colour=${colour} picked=${picked} pick=${pick}/></section>
      <div><section class="panel"><h2>Nodes</h2><ul class="node-list">${nodes.map((n) => html`<li key=${n.id} style=${{ '--c': colour(n.name) }}>
          <b class="mono">${n.name}</b> <${Badge} kind=${stateKinds[n.state] ?? 'warn'}>${n.state}<//>${catalog?.leader === n.name && html` <${Badge} kind="violet" title="Tables, placement and membership">leads the catalog<//>`}
          <div class="muted mono">${n.http}</div><div class="muted">${[n.zone && `zone ${n.zone}`, n.pid && `process ${n.pid}`, n.version].filter(Boolean).join(', ')}</div>
          ${!alone && html`<div>leads ${count(n.leaders)} of ${plural(n.replicas, 'replica')}</div>`}</li>`)}</ul></section>
        ${!alone && html`<section class="panel"><h2>Shards</h2><div class="table-scroll shard-table" tabindex="0" role="region" aria-label="Shards"><table><thead><tr><th>Shard</th><th>Leader</th><th>Other replicas</th><th class="num">Committed</th><th class="num">Lag</th><th class="num">Writes/s</th></tr></thead>
          <tbody>${[...shards, ...(catalog ? [catalog] : [])].map((s) => html`<tr key=${s.id} aria-selected=${picked === s.id} onMouseEnter=${() => pick(s.id)} onMouseLeave=${() => pick(null)}><th scope="row" class="mono">${s.id < 0 ? 'catalog' : s.id}</th>
            <td class="nowrap">${s.leader ? html`<${Swatch} colour=${colour(s.leader)}/><span class="mono">${s.leader}</span>` : html`<${Badge} kind="bad">none<//>`}</td>
            <td class="mono">${s.replicas.filter((r) => r.node !== s.leader).map((r) => (r.role === 'follower' ? r.node : `${r.node} (${r.role})`)).join(', ')}</td>
            <td class="num">${count(s.commit)}</td><td class="num">${s.lag > 0 ? html`<span class="wrong">${count(s.lag)}</span>` : '0'}</td><td class="num">${decimal(s.writes)}</td></tr>`)}</tbody></table></div></section>`}</div></div>`;
}

/** Ring draws shards outside, in the colours of their leaders; replicas as dots; nodes inside. */
function Ring({ nodes, shards, colour, picked, pick }) {
  const busiest = Math.max(1, ...shards.map((s) => s.writes ?? 0));
  const seat = (i) => (nodes.length === 1 ? [0, 0] : point(i / nodes.length, nodeRing));
  const places = new Map(nodes.map((n, i) => [n.name, seat(i)]));
  const gap = shards.length > 1 ? Math.min(0.004, 0.2 / shards.length) : 0;
  return html`<svg class="ring" viewBox="-215 -215 430 430" role="img" aria-label=${`Token ring of ${shards.length} shards on ${nodes.length} nodes; the lists beside it have the numbers`}>
    ${shards.map((s) => {
      const middle = (s.from + s.to) / 2, flow = s.writes ?? 0;
      const [x, y] = point(middle, replicaRing - 14), [nx, ny] = places.get(s.leader) ?? [0, 0];
      const apart = Math.min(0.018, 0.7 * (s.to - s.from) / Math.max(1, s.replicas.length));
      return html`<g key=${s.id} onMouseEnter=${() => pick(s.id)} onMouseLeave=${() => pick(null)}>
        ${flow > 0 && html`<path class="flow" d=${`M ${x} ${y} Q ${x * 0.4 + nx * 0.2} ${y * 0.4 + ny * 0.2} ${nx} ${ny}`} stroke-width=${0.8 + 5 * flow / busiest} opacity=${0.15 + 0.35 * flow / busiest}/>`}
        <path class="shard-arc" d=${arc(s.from + gap, s.to - gap, outer)} stroke=${colour(s.leader)} stroke-width=${picked === s.id ? 26 : 20}/>
        ${nodes.length > 1 && s.replicas.map((r, i) => {
          const [cx, cy] = point(middle + (i - (s.replicas.length - 1) / 2) * apart, replicaRing);
          return html`<circle key=${r.node} class="replica" cx=${cx} cy=${cy} r=${shards.length > 64 ? 2.5 : 4.5} fill=${colour(r.node)} stroke=${r.lag > 0 ? 'var(--danger)' : 'none'} opacity=${r.node === s.leader ? 1 : 0.75}/>`;
        })}
        ${shards.length <= 32 && html`<text class="small-text" x=${point(middle, outer + 17)[0]} y=${point(middle, outer + 17)[1] + 3} text-anchor="middle">${s.id}</text>`}</g>`;
    })}
    ${nodes.map((n, i) => {
      const [x, y] = seat(i);
      const away = stateKinds[n.state] === 'bad';
      return html`<g key=${n.name} class="node" style=${{ transform: `translate(${x}px, ${y}px)` }} opacity=${away ? 0.35 : 1}>
        <circle r="24" fill=${away ? nobody : colour(n.name)}/><text class="node-name" text-anchor="middle" y="4">${cut(n.name, 7)}</text></g>`;
    })}
  </svg>`;
}
