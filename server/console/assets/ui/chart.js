// A line chart over time that follows the size of its place and the theme.
import { html, useEffect, useLayoutEffect, useRef, useState } from '../html.js';
import uPlot from '../vendor/uplot/uPlot.js';

/** Colours that can be told apart in both themes, and their names in the style sheet. */
export const colours = ['#1f9e92', '#d9822b', '#5b7fd6', '#c2557a', '#8a9a2f', '#8d6ad1', '#3a9bc7', '#a3745a'];

const css = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

function useTheme() {
  const [n, set] = useState(0);
  useEffect(() => {
    const changed = () => set((i) => i + 1);
    const media = matchMedia('(prefers-color-scheme: dark)');
    media.addEventListener('change', changed);
    addEventListener('themechange', changed);
    return () => { media.removeEventListener('change', changed); removeEventListener('themechange', changed); };
  }, []);
  return n;
}

/** Chart draws data [times, values...] with one series {label, colour} for each values. */
export function Chart({ data, series, format, label }) {
  const place = useRef(null), plot = useRef(null);
  const theme = useTheme();
  const shape = series.map((s) => s.label).join('\n');
  useLayoutEffect(() => {
    const axis = { stroke: css('--muted'), grid: { stroke: css('--line'), width: 1 }, ticks: { show: false }, font: '11px system-ui, sans-serif' };
    const u = new uPlot({
      width: Math.max(place.current.clientWidth, 200), height: 220, legend: { show: false },
      cursor: { y: false, points: { size: 6 } },
      scales: { x: { range: (u) => { const times = u.data[0], end = times.at(-1) ?? 0; return [Math.min(times[0] ?? 0, end - 60), end]; } }, y: { range: (_, min, max) => [0, Math.max(max * 1.1, 1e-9)] } },
      axes: [axis, { ...axis, size: 62, values: (_, ticks) => ticks.map(format) }],
      series: [{}, ...series.map((s) => ({ label: s.label, stroke: s.colour, width: 2, points: { show: false }, spanGaps: true }))],
    }, data, place.current);
    plot.current = u;
    const watch = new ResizeObserver(() => u.setSize({ width: Math.max(place.current.clientWidth, 200), height: 220 }));
    watch.observe(place.current);
    return () => { watch.disconnect(); u.destroy(); plot.current = null; };
  }, [shape, theme]);
  useEffect(() => { if (plot.current && data.length === series.length + 1) plot.current.setData(data); }, [data]);
  return html`<div class="chart" role="img" aria-label=${label} ref=${place}></div>
    <ul class="legend">${series.map((s) => html`<li key=${s.label}><${Swatch} colour=${s.colour}/>${s.label}${s.value !== undefined ? html` <b>${s.value}</b>` : ''}</li>`)}</ul>`;
}

export const Swatch = ({ colour }) => html`<i style=${{ background: colour }}></i>`;
