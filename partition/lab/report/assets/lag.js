// How far replicas were behind: a plot for each shard, a line for each node.
function drawLag(place) {
  let measure = 'age';
  const value = (p) => p[measure];
  const shards = [...Map.groupBy(result.lag.filter((l) => l.points?.length), (l) => l.shard)];
  const nodes = [...new Set(result.lag.map((l) => l.node))].sort((a, b) => a - b);
  const plots = shards.map(([shard, replicas], row) => {
    const host = el('div', { class: 'plot' });
    place.append(host);
    const last = row === shards.length - 1;
    const c = chart(host, last ? 144 : 124, `Lag of the replicas of shard ${shard} over time; the most of each is in the table below`, (width, height) => {
      const box = { left: gutterOf(width), right: width - timeMargin, top: 18, bottom: height - (last ? 22 : 6) };
      const most = Math.max(...replicas.map((l) => l.points.reduce((m, p) => (p.down ? m : Math.max(m, value(p))), 0)), measure === 'age' ? 1e6 : 1);
      const scale = upward(most, 3, 1);
      const x = linear(view.from, view.until, box.left, box.right), y = linear(0, scale.top, box.bottom, box.top);
      const marks = timeTicks(width);
      const clip = `lag-clip-${row}`;
      return [
        svg('clipPath', { id: clip }, svg('rect', { x: box.left, y: box.top - 2, width: box.right - box.left, height: box.bottom - box.top + 4 })),
        yAxis(box, y, scale.list, measure === 'age' ? duration : count),
        label(0, 10, `shard ${shard}`, 'start'),
        last ? xAxis(box, x, marks.list, (v) => seconds(v, marks.step)) : marks.list.map((v) => line(x(v), box.bottom, x(v), box.bottom + 3, 'axis')),
        svg('g', { 'clip-path': `url(#${clip})` },
          result.faults.map((f) => svg('rect', { class: 'fault-band', x: x(f.from), width: Math.max(1, x(f.until) - x(f.from)), y: box.top, height: box.bottom - box.top })),
          replicas.map((l) => svg('path', { class: `line n${l.node % 8}`, d: lagPath(l.points, x, y, value) }))),
      ];
    });
    c.root.addEventListener('pointermove', (event) => lagTip(event, c.root, shard, replicas));
    c.root.addEventListener('pointerleave', hideTip);
    return c;
  });
  const redraw = () => plots.forEach((c) => c.redraw());
  onView(redraw);
  place.append(el('ul', { class: 'legend' }, nodes.map((n) => el('li', {}, el('i', { class: `n${n % 8}` }), nodeName(n)))));

  const hints = { age: byId('lag-hint').textContent };
  hints.entries = hints.age.replace(/^[^.]*\./, 'How many committed log entries a replica has not applied.');
  for (const m of ['age', 'entries']) {
    byId(`lag-${m}`).addEventListener('click', () => {
      measure = m;
      for (const other of ['age', 'entries']) byId(`lag-${other}`).setAttribute('aria-pressed', other === m);
      byId('lag-hint').textContent = hints[m];
      redraw();
    });
  }
}

/** lagPath is a line through the samples in view, interrupted where the replica is down. */
function lagPath(points, x, y, value) {
  const step = points.length > 1 ? points[1].at - points[0].at : 1;
  const first = Math.max(0, Math.floor((view.from - points[0].at) / step) - 1);
  let path = '', pen = 'M';
  for (let i = first; i < points.length; i++) {
    const p = points[i];
    if (p.down) { pen = 'M'; continue; }
    path += `${pen}${x(p.at).toFixed(1)} ${y(value(p)).toFixed(1)}`;
    pen = 'L';
    if (p.at > view.until) break;
  }
  return path;
}

function lagTip(event, root, shard, replicas) {
  const bounds = root.getBoundingClientRect();
  const share = (event.clientX - bounds.left - gutterOf(bounds.width)) / (bounds.width - gutterOf(bounds.width) - timeMargin);
  if (share < 0 || share > 1) { hideTip(); return; }
  const at = view.from + share * (view.until - view.from);
  showTip(event.clientX, event.clientY, el('b', {}, `Shard ${shard} at ${seconds(at, (view.until - view.from) / 100)}`), el('table', {}, replicas.map((l) => {
    const p = l.points.reduce((best, q) => (Math.abs(q.at - at) < Math.abs(best.at - at) ? q : best));
    return el('tr', {}, el('td', {}, el('i', { class: `n${l.node % 8}` }), nodeName(l.node)),
      p.down ? el('td', { colspan: 2, class: 'wrong' }, 'down') : [el('td', { class: 'num' }, duration(p.age)), el('td', { class: 'num muted' }, plural(p.entries, 'entry').replace('entrys', 'entries'))]);
  })));
}
