// The picture of the token ring.
import { html } from '../html.js';
import { arc, point } from '../cluster.js';
import { count, cut, decimal } from '../format.js';

const outer = 180, replicaRing = 152, nodeRing = 84;
const barFoot = outer + 13, barLength = 32; // bars of traffic stand outside on the shards

/** A full bar is the busiest shard's, but at least so many a second: a shard that only looks after itself is not busy. */
const calm = 20;

/** The colour of who is not known, or away. */
export const nobody = '#8a96a0';

const path = (...points) => 'M ' + points.map((p) => p.map((n) => n.toFixed(2)).join(' ')).join(' L ');

/**
 * Ring draws shards in the colours of their leaders, and their traffic outside on
 * them; replicas as dots; nodes inside, with lines to the shards that they serve.
 */
export function Ring({ nodes, shards, colour, isAway, picked, pick }) {
  const rates = shards.flatMap((s) => [s.reads ?? 0, s.writes ?? 0]);
  const busiest = Math.max(calm, ...rates);
  const seat = (i) => (nodes.length === 1 ? [0, 0] : point(i / nodes.length, nodeRing));
  const places = new Map(nodes.map((n, i) => [n.name, seat(i)]));
  const gap = shards.length > 1 ? Math.min(0.004, 0.2 / shards.length) : 0;
  const drawing = { places, colour, busiest, gap, small: shards.length > 64, alone: nodes.length === 1 };
  return html`<svg class="ring" viewBox="-228 -228 456 456" role="img" aria-label=${`Token ring of ${shards.length} shards on ${nodes.length} nodes; the lists beside it have the numbers`}>
    ${shards.map((s) => html`<g key=${s.id} class="shard" onMouseEnter=${() => pick(s.id)} onMouseLeave=${() => pick(null)}>
      <title>${`Shard ${s.id}, ${s.leader ? `led by ${s.leader}` : 'without a leader'}: ${decimal(s.reads)} reads/s, ${decimal(s.writes)} writes/s`}</title>
      <${Flows} shard=${s} ...${drawing}/>
      <path class="shard-arc" d=${arc(s.from + gap, s.to - gap, outer)} stroke=${s.leader ? colour(s.leader) : nobody} stroke-width=${picked === s.id ? 26 : 20}/>
      ${s.step && html`<path class="moving" d=${arc(s.from + gap, s.to - gap, outer - 12)}/>`}
      <${Bars} shard=${s} ...${drawing}/>
      ${!drawing.alone && html`<${Replicas} shard=${s} ...${drawing}/>`}
      ${shards.length <= 32 && html`<text class="shard-name" x=${point((s.from + s.to) / 2, outer)[0]} y=${point((s.from + s.to) / 2, outer)[1] + 3.5} text-anchor="middle">${s.id}</text>`}</g>`)}
    ${nodes.map((n, i) => {
      const [x, y] = seat(i), away = isAway(n);
      return html`<g key=${n.name} class=${`node ${n.state}`} style=${{ transform: `translate(${x}px, ${y}px)` }}><title>${`${n.name}: ${n.state}`}</title>
        <circle r="24" fill=${away ? nobody : colour(n.name)}/><text class="node-name" text-anchor="middle" y="4">${cut(n.name, 7)}</text>
        ${n.state !== 'up' && html`<text class="node-state" text-anchor="middle" y="41">${n.state}</text>`}</g>`;
    })}
  </svg>`;
}

/** Flows are the lines between a shard and the nodes that serve requests for it. */
const Flows = ({ shard, places, colour, busiest }) => shard.replicas.map((r) => {
  const flow = (r.reads ?? 0) + (r.writes ?? 0);
  if (flow <= 0 || !places.has(r.node)) return null;
  const [x, y] = point((shard.from + shard.to) / 2, replicaRing - 12), [nx, ny] = places.get(r.node);
  const strength = Math.min(1, flow / busiest);
  return html`<path key=${r.node} class="flow" d=${`M ${x} ${y} Q ${x * 0.4 + nx * 0.2} ${y * 0.4 + ny * 0.2} ${nx} ${ny}`} stroke=${colour(r.node)} stroke-width=${0.8 + 5 * strength} opacity=${0.15 + 0.4 * strength}/>`;
});

/** Bars are a shard's reads and writes, side by side. */
function Bars({ shard, busiest }) {
  const width = Math.min(7, 2 * Math.PI * barFoot * (shard.to - shard.from) * 0.3), middle = (shard.from + shard.to) / 2;
  const aside = (width + 1) / 2 / (2 * Math.PI * barFoot);
  return [['reads', -aside], ['writes', aside]].map(([what, off]) => shard[what] > 0
    && html`<path key=${what} class=${`bar ${what}`} stroke-width=${width} d=${path(point(middle + off, barFoot), point(middle + off, barFoot + barLength * shard[what] / busiest))}/>`);
}

/** Replicas are dots: filled for members, open for learners, dashed where nobody answers. */
function Replicas({ shard, colour, small }) {
  const apart = Math.min(0.018, 0.7 * (shard.to - shard.from) / Math.max(1, shard.replicas.length)), middle = (shard.from + shard.to) / 2;
  return shard.replicas.map((r, i) => {
    const [cx, cy] = point(middle + (i - (shard.replicas.length - 1) / 2) * apart, replicaRing);
    return html`<circle key=${r.node} class=${`replica ${r.role}${r.behind ? ' behind' : ''}`} style=${{ '--c': r.role === 'absent' ? nobody : colour(r.node), cx: `${cx.toFixed(2)}px`, cy: `${cy.toFixed(2)}px` }} r=${small ? 2.5 : 4.5}>
      <title>${`Shard ${shard.id} on ${r.node}: ${r.role === 'absent' ? 'no answer' : `${r.role}, ${count(r.lag)} behind`}`}</title></circle>`;
  });
}
