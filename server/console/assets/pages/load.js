// How much is asked of the server and how long it takes: rates and latencies.
import { html, useMemo, useRef, useState } from '../html.js';
import { look } from '../dynamodb.js';
import { count, decimal, micros, size } from '../format.js';
import { percentile, since, together } from '../operations.js';
import { Empty, Loading, Problem, Select, useEvery } from '../ui/basics.js';
import { Chart, colours } from '../ui/chart.js';

/** A point every two seconds, for ten minutes. */
const interval = 2000, points = 300;
const shares = [[0.5, 'p50'], [0.9, 'p90'], [0.99, 'p99']];

function useStyle(href) {
  useMemo(() => {
    if (document.querySelector(`link[data-style="${href}"]`)) return;
    const style = Object.assign(document.createElement('link'), { rel: 'stylesheet', href: new URL(href, import.meta.url).href });
    style.dataset.style = href;
    document.head.append(style);
  }, []);
}

/** gauges reads the few values of /metrics that are shown; {} if there are no metrics. */
async function gauges(signal) {
  const response = await fetch('/metrics', { signal, cache: 'no-store' });
  if (!response.ok || !/text\/plain|openmetrics/.test(response.headers.get('Content-Type') ?? '')) return {};
  const found = {};
  for (const m of (await response.text()).matchAll(/^(process_resident_memory_bytes|go_goroutines) (\S+)$/gm)) found[m[1]] = Number(m[2]);
  return found;
}

export default function LoadPage() {
  useStyle('../vendor/uplot/uPlot.css');
  const [steps, setSteps] = useState([]); // {time, seconds, operations}
  const [totals, setTotals] = useState(null);
  const [metrics, setMetrics] = useState({});
  const [error, setError] = useState(null);
  const [operation, setOperation] = useState('');
  const last = useRef(null);
  useEvery(interval, async (signal) => {
    try {
      const now = await look('/_stator/operations', { signal });
      setError(now ? null : new Error('This server has no counters.'));
      if (!now) return;
      if (last.current) {
        const step = { time: Date.parse(now.time) / 1000, ...since(now, last.current) };
        setSteps((list) => [...list, step].slice(-points));
      }
      last.current = now;
      setTotals(now.operations);
      setMetrics(await gauges(signal));
    } catch (e) { if (!signal.aborted) setError(e); }
  });
  const busiest = useMemo(() => {
    const sums = new Map();
    for (const s of steps) for (const o of s.operations) sums.set(o.operation, (sums.get(o.operation) ?? 0) + o.requests);
    return [...sums].sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1)).map(([name]) => name);
  }, [steps]);
  const shown = busiest.slice(0, colours.length).sort();
  const rate = (s, name) => (s.operations.find((o) => o.operation === name)?.requests ?? 0) / s.seconds;
  const rates = [steps.map((s) => s.time), ...shown.map((name) => steps.map((s) => rate(s, name)))];
  const latencies = [steps.map((s) => s.time), ...shares.map(([share]) => steps.map((s) => percentile(together(s.operations.filter((o) => !operation || o.operation === operation)), share)))];
  const recent = steps.slice(-5);
  const seconds = recent.reduce((n, s) => n + s.seconds, 0) || 1;
  const of = (name) => recent.flatMap((s) => s.operations.filter((o) => !name || o.operation === name));
  const sum = (list, member) => list.reduce((n, o) => n + o[member], 0);
  const all = together(of(''));
  return html`<div class="page-head"><h1>Load</h1><span class="muted">the last ten seconds, and the last ten minutes while this page is open</span></div>
    <${Problem} error=${error}/>
    ${!totals ? !error && html`<${Loading}/>` : html`
      <div class="tiles"><div class="tile"><b>${decimal(sum(of(''), 'requests') / seconds)}</b><span>requests a second</span></div><div class="tile"><b>${decimal(sum(of(''), 'errors') / seconds)}</b><span>errors a second</span></div>
        <div class="tile"><b>${micros(percentile(all, 0.5))}</b><span>median latency</span></div><div class="tile"><b>${micros(percentile(all, 0.99))}</b><span>99th percentile</span></div>
        ${metrics.process_resident_memory_bytes && html`<div class="tile"><b>${size(metrics.process_resident_memory_bytes)}</b><span>memory</span></div>`}</div>
      <div class="charts"><section class="panel"><h2>Requests a second</h2>${shown.length ? html`<${Chart} label="Requests a second by operation; the table below has the numbers" data=${rates} format=${decimal} series=${shown.map((name, i) => ({ label: name, colour: colours[i], value: decimal(rate(steps.at(-1), name)) }))}/>` : html`<p class="none">No requests yet.</p>`}</section>
        <section class="panel"><div class="panel-head"><h2>Latency in the server</h2><div class="actions"><${Select} aria-label="Operation" value=${operation} options=${[['', 'All operations'], ...[...busiest].sort()]} onChange=${setOperation}/></div></div>
          ${shown.length ? html`<${Chart} label="Latency percentiles; the table below has the numbers" data=${latencies} format=${micros} series=${shares.map(([, text], i) => ({ label: text, colour: colours[i], value: micros(latencies[i + 1].at(-1)) }))}/>` : html`<p class="none">No requests yet.</p>`}</section></div>
      <section class="panel gap-above"><h2>Operations</h2>${totals.length === 0 ? html`<${Empty} title="Nothing was asked for yet"/>` : html`<div class="table-scroll" tabindex="0" role="region" aria-label="Operations"><table><thead><tr><th>Operation</th><th class="num">Now, a second</th><th class="num">p50</th><th class="num">p90</th><th class="num">p99</th><th class="num">Total</th><th class="num">Errors</th></tr></thead>
        <tbody>${totals.map((t) => {
          const now = of(t.operation), merged = together(now.length ? now : [t]);
          return html`<tr key=${t.operation} class=${now.length ? '' : 'idle'}><th scope="row">${t.operation}</th><td class="num">${decimal(sum(now, 'requests') / seconds)}</td>${shares.map(([share]) => html`<td class="num">${micros(percentile(merged, share))}</td>`)}<td class="num">${count(t.requests)}</td><td class="num">${count(t.errors)}</td></tr>`;
        })}</tbody></table></div><p class="muted form-foot">Latencies of the last ten seconds; of operations at rest, since the server started.</p>`}</section>`}`;
}
