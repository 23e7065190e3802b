// The live request log: what the server is asked for, as it happens.
import { html, useEffect, useRef, useState } from '../html.js';
import { clock, count, decimal, micros, units } from '../format.js';
import { remember, remembered } from '../settings.js';
import { Badge, Check, Choice, Empty, Input, Select } from '../ui/basics.js';
import { Dialog } from '../ui/dialog.js';

/** How many requests are kept, and how many are drawn. */
const kept = 2000, drawn = 200;

/** useRequests follows the log; while paused, what comes is kept out of sight. */
function useRequests(paused) {
  const [state, set] = useState({ list: [], skipped: 0, connected: false });
  const all = useRef([]);
  const stopped = useRef(paused);
  stopped.current = paused;
  const latest = useRef({ skipped: 0, connected: false });
  const publish = () => set({ ...latest.current, list: all.current });
  useEffect(() => {
    const source = new EventSource('/_stator/requests');
    source.onopen = () => { latest.current.connected = true; publish(); };
    source.onerror = () => { latest.current.connected = false; publish(); };
    source.onmessage = (e) => {
      const page = JSON.parse(e.data);
      latest.current.skipped = page.skipped;
      if (page.requests.length) all.current = [...page.requests.reverse(), ...all.current].slice(0, kept);
      if (!stopped.current && !document.hidden) publish();
    };
    return () => source.close();
  }, []);
  useEffect(() => { if (!paused) publish(); }, [paused]);
  const clear = () => { all.current = []; publish(); };
  return [state, clear];
}

const text = (r) => `${r.operation} ${r.account} ${r.region} ${r.table ?? ''} ${r.index ?? ''} ${r.key?.join(' ') ?? ''} ${r.error ?? ''}`.toLowerCase();

export default function RequestsPage() {
  const [paused, setPaused] = useState(false);
  const [filter, setFilter] = useState('');
  const [kind, setKind] = useState('all');
  const [operation, setOperation] = useState('');
  const [own, setOwn] = useState(() => remembered('ownRequests', false) === true);
  const [viewed, setViewed] = useState(null);
  const [state, clear] = useRequests(paused);
  const words = filter.toLowerCase().split(/\s+/).filter(Boolean);
  const wanted = state.list.filter((r) => (own || !r.page) && (!operation || r.operation === operation)
    && (kind === 'all' || (kind === 'errors' && r.error) || (kind === 'scans' && r.scan) || (kind === 'slow' && r.micros >= 10000))
    && (!words.length || words.every((w) => text(r).includes(w))));
  const operations = [...new Set(state.list.map((r) => r.operation))].sort();
  const live = state.connected && !paused;
  return html`<div class="page-head"><h1>Requests</h1><span class="muted" role="status"><span class=${`dot ${live ? 'on' : 'off'}`}></span>${paused ? 'paused' : state.connected ? 'live' : 'connecting …'}</span>
      <div class="actions"><button type="button" onClick=${() => setPaused(!paused)} aria-pressed=${paused}>${paused ? 'Go on' : 'Pause'}</button><button type="button" onClick=${clear}>Clear</button></div></div>
    <div class="panel row middle"><${Input} type="search" data-key="/" class="grow" aria-label="Filter requests" placeholder="Filter by table, key, access key, error …" value=${filter} onChange=${setFilter}/>
      <${Select} aria-label="Operation" value=${operation} options=${[['', 'All operations'], ...operations]} onChange=${setOperation}/>
      <${Choice} label="Which" value=${kind} onChange=${setKind} options=${[['all', 'All'], ['errors', 'Errors'], ['scans', 'Scans'], ['slow', '≥ 10 ms']]}/>
      <${Check} label="The console's own" checked=${own} onChange=${(v) => { setOwn(v); remember('ownRequests', v); }}/></div>
    ${state.skipped > 0 && html`<p class="muted">${count(state.skipped)} requests came too fast to be shown. The load page counts them.</p>`}
    ${wanted.length === 0 ? html`<${Empty} title=${state.list.length ? 'Nothing matches' : 'Waiting for requests'}><p>${state.list.length ? 'Requests were made, but none that fits the filter.' : 'Requests of any client show up here while this page is open.'}</p><//>`
      : html`<div class="table-scroll live" tabindex="0" role="region" aria-label="Requests"><table><thead><tr><th>Time</th><th>Operation</th><th>Table</th><th>Key</th><th class="num">Units</th><th class="num">Latency</th><th class="num">Read → returned</th><th>Notes</th><th>Access key, region</th></tr></thead>
        <tbody>${wanted.slice(0, drawn).map((r) => html`<tr key=${r.id} onClick=${() => setViewed(r)}>
          <td>${clock(r.time)}</td><td><button type="button" class="link" onClick=${() => setViewed(r)}>${r.operation}</button></td><td>${r.table}${r.index ? html`<span class="muted"> / ${r.index}</span>` : ''}</td>
          <td><bdi>${r.key?.join(' · ') ?? ''}</bdi>${r.keys > 1 ? html` <span class="muted">+${r.keys - 1}</span>` : ''}</td><td class="num">${r.consumed ? decimal(r.consumed) : ''}</td><td class="num">${micros(r.micros)}</td>
          <td class="num">${r.read || r.scan ? `${count(r.read)} → ${count(r.returned)}` : ''}</td>
          <td>${r.error && html`<${Badge} kind="bad">${r.error}<//> `}${r.scan && html`<${Badge} kind="warn" title="The whole table or index was walked">this was a Scan<//>`}</td><td class="muted">${r.account} ${r.region}</td></tr>`)}</tbody></table></div>
      ${wanted.length > drawn && html`<p class="muted form-foot">The latest ${drawn} of ${count(wanted.length)}.</p>`}`}
    ${viewed && html`<${Dialog} title=${viewed.operation} kind="narrow" onClose=${() => setViewed(null)}><div class="dialog-body"><dl class="facts">
      <dt>Time</dt><dd class="mono">${viewed.time}</dd><dt>Access key</dt><dd class="mono">${viewed.account}</dd><dt>Region</dt><dd class="mono">${viewed.region}</dd>
      <dt>Table</dt><dd class="mono">${viewed.table || '–'}</dd>${viewed.index && html`<dt>Index</dt><dd class="mono">${viewed.index}</dd>`}<dt>Key</dt><dd class="mono">${viewed.key?.join(' · ') || '–'}</dd>
      <dt>Keys named</dt><dd>${count(viewed.keys)}</dd><dt>Capacity</dt><dd>${units(viewed.consumed)}</dd><dt>Latency</dt><dd>${micros(viewed.micros)} in the server</dd>
      <dt>Items</dt><dd>${count(viewed.read)} read, ${count(viewed.returned)} returned${viewed.scan ? '; this was a Scan' : ''}</dd><dt>Answer</dt><dd>${viewed.status}${viewed.error ? ` ${viewed.error}` : ''}</dd></dl></div><//>`}`;
}
