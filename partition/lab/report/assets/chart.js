// What charts of SVG have in common.

/** chart puts an SVG as wide as its place into it, and again when that width changes. */
function chart(place, height, label, draw) {
  let width = 0;
  const root = svg('svg', { role: 'img', 'aria-label': label, height });
  place.append(root);
  const redraw = () => {
    if (width === 0) return;
    root.setAttribute('viewBox', `0 0 ${width} ${height}`);
    root.replaceChildren(...draw(width, height).flat(Infinity).filter(Boolean));
  };
  onResize(place, (now) => { width = now; redraw(); });
  return { root, redraw };
}

const line = (x1, y1, x2, y2, name) => svg('line', { x1, y1, x2, y2, class: name });
const label = (x, y, text, anchor = 'middle') => svg('text', { x, y, 'text-anchor': anchor }, text);

/** yAxis has lines and labels of values, and a title above. */
function yAxis(box, y, values, format, title) {
  return [
    values.map((v) => [line(box.left, y(v), box.right, y(v), v === 0 ? 'axis' : 'grid'), label(box.left - 7, y(v) + 4, format(v), 'end')]),
    title && label(0, 11, title, 'start'),
  ];
}

/** xAxis has ticks and labels of values below, and a title at the end. */
function xAxis(box, x, values, format, title) {
  return [
    line(box.left, box.bottom, box.right, box.bottom, 'axis'),
    values.map((v) => {
      const at = x(v);
      return [line(at, box.bottom, at, box.bottom + 4, 'axis'), label(Math.min(at, box.right - 8), box.bottom + 17, format(v))];
    }),
    title && label(box.right, box.bottom + 32, title, 'end'),
  ];
}

/** Signs of series, so that they can be told apart without colour. */
const signs = [
  'M-4 0a4 4 0 1 0 8 0a4 4 0 1 0-8 0', 'M-3.6-3.6h7.2v7.2h-7.2z', 'M0-4.8L4.6 3.4H-4.6z', 'M0-5L5 0L0 5L-5 0z',
  'M0 4.8L4.6-3.4H-4.6z', 'M-1.5-4.5h3v3h3v3h-3v3h-3v-3h-3v-3h3z', 'M-4.5-2h9v4h-9z', 'M-2-4.5h4v9h-4z',
];
const mark = (i, x, y) => svg('path', { class: 'mark', d: signs[i % signs.length], transform: `translate(${x} ${y})` });
const seriesClass = (i) => `g${i % 8}`;

/** legend has a button for each series that shows and hides it, and puts the others back while one points at it. */
function legend(series, changed) {
  const shown = series.map(() => true);
  const state = { shown, pointed: null };
  const point = (i) => () => { if (state.pointed !== i) { state.pointed = i; changed(); } };
  const list = el('ul', { class: 'legend', 'aria-label': 'Groups shown' }, series.map(({ group, colour }, i) => {
    const button = el('button', {
      type: 'button', 'aria-pressed': 'true', class: seriesClass(colour),
      onpointerenter: point(i), onpointerleave: point(null), onfocus: point(i), onblur: point(null),
      onclick: () => { shown[i] = !shown[i]; button.setAttribute('aria-pressed', shown[i]); changed(); },
    }, svg('svg', { viewBox: '-7 -6 14 12', 'aria-hidden': 'true' }, line(-7, 0, 7, 0, 'line'), mark(colour, 0, 0)), group);
    return el('li', {}, button);
  }));
  return { list, state };
}
