// P(stale | t): a line for each group of clients with its confidence band.
function drawCurve(place) {
  const groups = result.reads.map((r, i) => ({ ...r, colour: i })).filter((r) => r.curve?.some((p) => p.reads > 0));
  const edges = groups.flatMap((r) => r.curve.filter((p) => p.reads > 0));
  // The first bucket begins at 0, which a logarithm has no place for: half of its end stands for it.
  const low = (p) => p.from || p.until / 2;
  const from = Math.min(...edges.map(low)), until = Math.max(...edges.map((p) => p.until));
  const middle = (p) => Math.sqrt(low(p) * p.until);
  // An interval of few reads says little, and would take the room of the others.
  const most = Math.max(0.01, ...edges.map((p) => (p.reads >= 10 ? p.high : p.probability)));
  const scale = upward(most, 5), top = Math.min(1, scale.top);
  const { list, state } = legend(groups, () => c.redraw());
  let geometry;
  const cursorLine = line(0, 0, 0, 0, 'cursor');
  cursorLine.setAttribute('visibility', 'hidden');
  const c = chart(place, 320, 'Probability of a stale read by the time since the last write, for each group; the figures are below', (width, height) => {
    const box = { left: 52, right: width - 10, top: 24, bottom: height - 40 };
    const x = logarithmic(from, until, box.left, box.right), y = linear(0, top, box.bottom, box.top);
    geometry = { box, x };
    const series = groups.map((r, i) => state.shown[i] && seriesOf(r.curve, r.colour, state.pointed !== null && state.pointed !== i, x, (p) => y(Math.min(p, top)), middle));
    return [
      yAxis(box, y, scale.list.filter((v) => v <= top), (v) => `${threeDigits(v * 100)} %`, 'P(stale | t)'),
      xAxis(box, x, decades(from, until, (box.right - box.left) / 60), duration, 't, time since the last write was acknowledged'),
      edges.some((p) => p.from === 0) && label(box.left, box.bottom + 17, '0'),
      series.map((s) => s && s.bands), series.map((s) => s && s.lines), cursor(box),
    ];
  });
  function cursor(box) {
    cursorLine.setAttribute('y1', box.top);
    cursorLine.setAttribute('y2', box.bottom);
    return cursorLine;
  }
  place.append(list);

  const buckets = [...new Map(edges.map((p) => [p.from, p])).values()].sort((a, b) => a.from - b.from);
  c.root.addEventListener('pointermove', (event) => {
    const at = event.clientX - c.root.getBoundingClientRect().left;
    const near = buckets.reduce((best, p) => (Math.abs(geometry.x(middle(p)) - at) < Math.abs(geometry.x(middle(best)) - at) ? p : best));
    cursorLine.setAttribute('x1', geometry.x(middle(near)));
    cursorLine.setAttribute('x2', geometry.x(middle(near)));
    cursorLine.setAttribute('visibility', 'visible');
    showTip(event.clientX, event.clientY, el('b', {}, `t from ${duration(near.from)} to ${duration(near.until)}`), el('table', {}, groups.map((r, i) => {
      const p = r.curve.find((q) => q.from === near.from);
      if (!state.shown[i]) return null;
      return el('tr', {}, el('td', {}, el('i', { class: seriesClass(r.colour) }), r.group),
        p?.reads ? [el('td', { class: 'num' }, percentage(p.probability)), el('td', { class: 'num muted' }, `${count(p.stale)} of ${count(p.reads)}`)] : el('td', { colspan: 2, class: 'muted' }, 'no reads'));
    })));
  });
  c.root.addEventListener('pointerleave', () => { cursorLine.setAttribute('visibility', 'hidden'); hideTip(); });
}

/** seriesOf is a group's curve, put back or not. Buckets without reads interrupt it. */
function seriesOf(curve, i, faded, x, y, middle) {
  const runs = [];
  let run = null;
  for (const p of curve) {
    if (p.reads === 0) { run = null; continue; }
    if (run === null) runs.push(run = []);
    run.push(p);
  }
  const at = (p, v) => `${x(middle(p)).toFixed(1)} ${y(v).toFixed(1)}`;
  const name = `${seriesClass(i)}${faded ? ' faded' : ''}`;
  const bands = svg('g', { class: name }, runs.map((points) => svg('path', {
    class: 'band', d: points.length === 1 ? whisker(points[0], x(middle(points[0])), y) : `M${points.map((p) => at(p, p.high)).join('L')}L${points.toReversed().map((p) => at(p, p.low)).join('L')}Z`,
  })));
  const lines = svg('g', { class: name }, runs.map((points) => svg('path', { class: 'line', d: `M${points.map((p) => at(p, p.probability)).join('L')}` })),
    runs.flat().map((p) => mark(i, x(middle(p)), y(p.probability))));
  return { bands, lines };
}

/** whisker is the band of a bucket without neighbours. */
function whisker(p, at, y) {
  return `M${at - 5} ${y(p.high)}H${at + 5}V${y(p.low)}H${at - 5}Z`;
}
