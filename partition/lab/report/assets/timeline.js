// The timeline is drawn on a canvas: tens of thousands of operations are too many
// elements. What it shows is a table as well, below.
const timeline = (() => {
  const places = layOut();
  const canvas = el('canvas', { tabindex: 0, role: 'application', 'aria-label': 'Timeline of the operations of each client, the leaders of each shard and the faults. The operations are in the table below.' });
  let width = 0, gutter = 0, colour = {};
  const x = (at) => gutter + ((at - view.from) / (view.until - view.from)) * (width - gutter - timeMargin);
  const at = (px) => view.from + ((px - gutter) / (width - gutter - timeMargin)) * (view.until - view.from);

  function readColours() {
    const style = getComputedStyle(document.documentElement);
    const names = ['--ink', '--muted', '--line', '--line2', '--fault', '--panel', '--accent', ...classes.map((c) => c.colour)];
    colour = Object.fromEntries(names.map((name) => [name, style.getPropertyValue(name).trim()]));
  }
  /** nodeColours are those of the classes n0 to n7. */
  const nodeColours = Array.from({ length: 8 }, (_, i) => {
    const probe = el('i', { class: `n${i}`, hidden: true });
    document.body.append(probe);
    const c = getComputedStyle(probe).getPropertyValue('--c').trim();
    probe.remove();
    return c;
  });
  /** inkOn is black or white, whichever is easier to read on a colour #rrggbb. */
  const inkOn = (hex) => {
    const [r, g, b] = [1, 3, 5].map((i) => parseInt(hex.slice(i, i + 2), 16));
    return 0.299 * r + 0.587 * g + 0.114 * b > 125 ? '#10181f' : '#fff';
  };

  function draw() {
    if (width === 0) return;
    const ratio = devicePixelRatio || 1;
    canvas.width = Math.round(width * ratio);
    canvas.height = Math.round(places.height * ratio);
    canvas.style.height = `${places.height}px`;
    const c = canvas.getContext('2d');
    c.scale(ratio, ratio);
    c.font = '11px system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", "DejaVu Sans", sans-serif';
    c.textBaseline = 'middle';
    drawNames(c);
    c.save();
    c.beginPath();
    c.rect(gutter, 0, width - gutter, places.height);
    c.clip();
    drawGrid(c);
    drawFaults(c);
    places.shards.forEach((row) => drawLeaders(c, row));
    places.lanes.forEach((lane) => drawLane(c, lane));
    if (chosen) drawChosen(c);
    c.restore();
  }

  function drawNames(c) {
    const name = (text, y) => { c.fillText(shortened(c, text, gutter - 8), 0, y); };
    c.fillStyle = colour['--muted'];
    if (places.faults.count) name('faults', places.faultHeight / 2);
    places.shards.forEach((row) => name(`shard ${row.shard.id}`, row.top + 9));
    c.fillStyle = colour['--ink'];
    places.lanes.forEach((lane) => { if (lane.text) name(lane.text, lane.top + Math.max(6, lane.height / 2)); });
  }

  function drawGrid(c) {
    const { list, step } = timeTicks(width);
    const bottom = places.height - 14;
    c.strokeStyle = colour['--line'];
    c.beginPath();
    for (const v of list) { const px = Math.round(x(v)) + 0.5; c.moveTo(px, places.axisTop + 16); c.lineTo(px, bottom); }
    for (const lane of places.lanes) { const y = lane.top + lane.height - 0.5; c.moveTo(gutter, y); c.lineTo(width - timeMargin, y); }
    c.stroke();
    c.fillStyle = colour['--muted'];
    for (const v of list) {
      const text = seconds(v, step), half = c.measureText(text).width / 2;
      const px = Math.min(Math.max(x(v), gutter + half), width - half - 1);
      for (const y of [places.axisTop + 8, places.height - 6]) c.fillText(text, px - half, y);
    }
  }

  function drawFaults(c) {
    for (const { item, track } of places.faults.placed) {
      const left = x(item.from), right = Math.max(left + 2, x(item.until));
      if (right < gutter || left > width) continue;
      c.fillStyle = colour['--fault'];
      c.globalAlpha = 0.13;
      c.fillRect(left, places.axisTop + 16, right - left, places.height - 14 - places.axisTop - 16);
      c.globalAlpha = 1;
      barWithText(c, left, right, track * places.faultHeight, places.faultHeight - 3, colour['--fault'], item.text);
    }
  }

  function drawLeaders(c, row) {
    for (const { item, track } of row.leaders.placed) {
      const left = x(item.from), right = Math.max(left + 2, x(item.until));
      if (right < gutter || left > width) continue;
      barWithText(c, left, right - 1, row.top + track * row.track, row.track - 2, nodeColours[item.node % 8], `${nodeName(item.node)} leads, term ${item.term}`);
    }
  }

  function barWithText(c, left, right, top, height, fill, text) {
    c.fillStyle = fill;
    c.beginPath();
    c.roundRect(left, top, right - left, height, Math.min(3, (right - left) / 2));
    c.fill();
    // The text stays in view while its bar reaches out of it.
    const from = Math.max(left, gutter) + 5, room = Math.min(right, width - timeMargin) - from - 4;
    const shown = room > 18 ? shortened(c, text, room) : '';
    if (!shown) return;
    c.fillStyle = inkOn(fill);
    c.fillText(shown, from, top + height / 2 + 0.5);
  }

  /** drawLane draws operations by class, the remarkable ones last. What falls on the same pixels is drawn once. */
  function drawLane(c, lane) {
    const rows = classes.map(() => []);
    const texts = [];
    for (let i = firstFrom(lane, view.from); i < lane.ids.length && lane.invoke[i] <= view.until; i++) {
      const left = x(lane.invoke[i]), kind = classOfOperation[lane.ids[i]];
      const right = Math.max(left + (kind === 5 ? 3 : 2), x(lane.return[i]));
      const row = rows[kind], last = row.length - 1;
      if (last > 0 && left < row[last]) row[last] = right;
      else row.push(left, right);
      if (right - left > 46 && lane.height >= 12) texts.push([i, left, right, kind]);
    }
    rows.forEach((row, kind) => {
      if (row.length === 0) return;
      const height = Math.max(3, (lane.height - 3) * classes[kind].height), top = lane.top + (lane.height - 1 - height) / 2;
      c.fillStyle = colour[classes[kind].colour];
      for (let i = 0; i < row.length; i += 2) c.fillRect(row[i], top, row[i + 1] - row[i], height);
    });
    for (const [i, left, right, kind] of texts) {
      const from = Math.max(left, gutter) + 4;
      c.fillStyle = inkOn(colour[classes[kind].colour]);
      c.fillText(shortened(c, actionsText(operations[lane.ids[i]]), Math.min(right, width) - from - 3), from, lane.top + lane.height / 2 - 0.5);
    }
  }

  /** drawChosen frames the chosen operation, and has an arrow to it from the write that it missed. */
  function drawChosen(c) {
    const to = frame(c, chosen, colour['--ink']);
    const missed = missedWrite(chosen);
    if (!to || !missed) return;
    const from = frame(c, missed, colour['--ink']);
    if (!from) return;
    const x1 = x(missed.return), x2 = x(chosen.invoke), bend = Math.max(14, (x2 - x1) / 2);
    c.strokeStyle = c.fillStyle = colour['--ink'];
    c.lineWidth = 1.5;
    c.setLineDash([4, 3]);
    c.beginPath();
    c.moveTo(x1, from);
    c.bezierCurveTo(x1 + bend, from, x2 - bend, to, x2 - 6, to);
    c.stroke();
    c.setLineDash([]);
    c.beginPath();
    c.moveTo(x2 - 1, to); c.lineTo(x2 - 8, to - 4); c.lineTo(x2 - 8, to + 4);
    c.fill();
  }
  function frame(c, o, stroke) {
    const lane = places.lanes.find((l) => l.client === o.client);
    if (!lane) return undefined;
    const left = x(o.invoke), right = Math.max(left + 3, x(o.return));
    c.strokeStyle = stroke;
    c.lineWidth = 1.5;
    c.strokeRect(left - 2, lane.top - 0.5, right - left + 4, lane.height - 0.5);
    return lane.top + lane.height / 2;
  }

  /** under is what is at a point of the canvas: {operation}, {leader} or {fault}. */
  function under(px, py) {
    if (px < gutter) return {};
    const lane = places.lanes.find((l) => py >= l.top && py < l.top + l.height);
    if (lane) return { operation: nearest(lane, px) };
    for (const row of places.shards) {
      const found = row.leaders.placed.find(({ item, track }) => inside(item, px) && py >= row.top + track * row.track && py < row.top + (track + 1) * row.track);
      if (found) return { leader: found.item };
    }
    const fault = places.faults.placed.find(({ item, track }) => inside(item, px) && py >= track * places.faultHeight && py < (track + 1) * places.faultHeight);
    return fault ? { fault: fault.item } : {};
  }
  const inside = (item, px) => px >= x(item.from) && px <= Math.max(x(item.from) + 3, x(item.until));

  /** nearest is the most remarkable operation of a lane within reach of a pixel. */
  function nearest(lane, px) {
    let best, rank = -1;
    for (let i = firstFrom(lane, at(px - 4)); i < lane.ids.length && lane.invoke[i] <= at(px + 3); i++) {
      const here = x(lane.invoke[i]) <= px && px <= x(lane.return[i]);
      const r = classOfOperation[lane.ids[i]] * 2 + (here ? 1 : 0);
      if (r > rank) { rank = r; best = operations[lane.ids[i]]; }
    }
    return best;
  }

  function tell(event) {
    const bounds = canvas.getBoundingClientRect();
    const { operation, leader, fault } = under(event.clientX - bounds.left, event.clientY - bounds.top);
    canvas.classList.toggle('over', operation !== undefined);
    if (operation) showTip(event.clientX, event.clientY, ...operationTip(operation));
    else if (leader) showTip(event.clientX, event.clientY, el('b', {}, `${nodeName(leader.node)} leads shard ${leader.shard}`), el('p', {}, `term ${leader.term}, ${duration(leader.from)} to ${duration(leader.until)}, by its own belief`));
    else if (fault) showTip(event.clientX, event.clientY, el('b', {}, fault.text), el('p', {}, `${fault.kind}, ${duration(fault.from)} to ${duration(fault.until)}`));
    else hideTip();
  }

  function listen() {
    const pointers = new Map();
    let moved = false;
    canvas.addEventListener('pointerdown', (event) => {
      pointers.set(event.pointerId, event.clientX);
      moved = pointers.size > 1;
      canvas.setPointerCapture(event.pointerId);
    });
    canvas.addEventListener('pointermove', (event) => {
      if (!pointers.has(event.pointerId)) { tell(event); return; }
      const before = [...pointers.values()], was = pointers.get(event.pointerId);
      if (!moved && Math.abs(event.clientX - was) < 4) return;
      moved = true;
      hideTip();
      canvas.classList.add('moving');
      pointers.set(event.pointerId, event.clientX);
      if (pointers.size === 1) { pan(at(was) - at(event.clientX)); return; }
      const now = [...pointers.values()], left = canvas.getBoundingClientRect().left;
      zoom(Math.max(8, Math.abs(before[0] - before[1])) / Math.max(8, Math.abs(now[0] - now[1])), at((now[0] + now[1]) / 2 - left));
    });
    const up = (event) => {
      if (pointers.delete(event.pointerId) && !moved && event.type === 'pointerup') {
        const bounds = canvas.getBoundingClientRect();
        const { operation } = under(event.clientX - bounds.left, event.clientY - bounds.top);
        choose(operation?.id ?? null);
      }
      if (pointers.size === 0) canvas.classList.remove('moving');
    };
    canvas.addEventListener('pointerup', up);
    canvas.addEventListener('pointercancel', up);
    canvas.addEventListener('pointerleave', hideTip);
    canvas.addEventListener('dblclick', (event) => zoom(0.35, at(event.clientX - canvas.getBoundingClientRect().left)));
    canvas.addEventListener('wheel', (event) => {
      const sideways = Math.abs(event.deltaX) > Math.abs(event.deltaY);
      if (!event.ctrlKey && !event.metaKey && !event.shiftKey && !sideways) return; // the page scrolls
      event.preventDefault();
      hideTip();
      const by = (sideways ? event.deltaX : event.deltaY) * (event.deltaMode === 1 ? 16 : 1);
      if (event.ctrlKey || event.metaKey) zoom(Math.exp(Math.max(-200, Math.min(200, by)) / 240), at(event.clientX - canvas.getBoundingClientRect().left));
      else pan(at(by) - at(0));
    }, { passive: false });
    canvas.addEventListener('keydown', (event) => {
      if (event.ctrlKey || event.metaKey || event.altKey) return;
      const span = view.until - view.from;
      const does = { ArrowLeft: () => pan(-span / 8), ArrowRight: () => pan(span / 8), '+': () => zoom(0.6), '=': () => zoom(0.6), '-': () => zoom(1 / 0.6), Home: showAll, 0: showAll, Escape: () => choose(null) }[event.key];
      if (does) { event.preventDefault(); does(); }
    });
  }

  /** nextAnomaly chooses the next operation, or the one before, that shows an anomaly. */
  function nextAnomaly(direction) {
    const from = chosen ? chosen.id : direction > 0 ? -1 : operations.length;
    const id = direction > 0 ? anomalous.find((i) => i > from) ?? anomalous[0] : anomalous.findLast((i) => i < from) ?? anomalous.at(-1);
    choose(id);
    reveal(operations[id]);
  }

  function start(place) {
    place.append(canvas, timelineLegend());
    readColours();
    listen();
    onResize(place, (now) => { width = now; gutter = gutterOf(width); draw(); });
    onView(draw);
    onChoice(draw);
    onRedraw(() => { readColours(); draw(); });
    byId('zoom-in').addEventListener('click', () => zoom(0.5));
    byId('zoom-out').addEventListener('click', () => zoom(2));
    byId('zoom-reset').addEventListener('click', showAll);
    for (const [id, direction] of [['previous-anomaly', -1], ['next-anomaly', 1]]) {
      byId(id).disabled = anomalous.length === 0;
      byId(id).addEventListener('click', () => nextAnomaly(direction));
    }
  }
  return { start };
})();

/** shortened cuts a text to a width. */
function shortened(c, text, room) {
  if (c.measureText(text).width <= room) return text;
  let low = 0, high = Math.min(text.length, 400);
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (c.measureText(`${text.slice(0, middle)}…`).width <= room) low = middle; else high = middle - 1;
  }
  return low > 1 ? `${text.slice(0, low)}…` : '';
}

function timelineLegend() {
  const present = new Set(classOfOperation);
  return el('ul', { class: 'legend', 'aria-hidden': 'true' }, classes.map((k, i) => present.has(i) && el('li', {}, el('i', { style: `background: var(${k.colour})` }), k.name)),
    result.faults.length > 0 && el('li', {}, el('i', { style: 'background: var(--fault); opacity: .45' }), 'fault'));
}
