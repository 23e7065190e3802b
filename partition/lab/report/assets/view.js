// The part of the run that the timeline and the lag show, and the operation chosen.
const end = Math.max(1, result.duration, ...result.faults.map((f) => f.until), operations.reduce((last, o) => Math.max(last, o.return), 0));
const shortest = Math.min(end, 1e4); // nanoseconds; nothing is shorter than a link's delay
// The run is the workload. What is read after it, to look at what is left, comes into view by zooming out.
const whole = Math.min(end, result.duration || end);
const view = { from: 0, until: whole };
const viewers = [];
let waiting = false;

/** onView calls a function in the frame after the view has changed. */
const onView = (draw) => viewers.push(draw);

function show(from, until) {
  const span = Math.min(end, Math.max(shortest, until - from));
  const start = Math.min(Math.max(0, from), end - span);
  if (start === view.from && start + span === view.until) return;
  view.from = start;
  view.until = start + span;
  if (waiting) return;
  waiting = true;
  requestAnimationFrame(() => { waiting = false; viewers.forEach((draw) => draw()); });
}
// The timeline and the lag have their time axes at the same place.
const gutterOf = (width) => (width < 600 ? 78 : 122);
const timeMargin = 8;
const timeTicks = (width) => ticks(view.from, view.until, (width - gutterOf(width)) / (width < 600 ? 64 : 95));

const pan = (by) => show(view.from + by, view.until + by);
function zoom(factor, at = (view.from + view.until) / 2) {
  const span = Math.min(end, Math.max(shortest, (view.until - view.from) * factor));
  const share = (at - view.from) / (view.until - view.from);
  show(at - share * span, at + (1 - share) * span);
}
const showAll = () => show(0, whole);

/** reveal shows an operation, with what it missed, large enough to see. */
function reveal(o) {
  const from = missedWrite(o)?.invoke ?? o.invoke;
  const span = Math.max(2 * (o.return - from), 12 * (o.return - o.invoke), Math.min(end, 2e7));
  const inside = from >= view.from && o.return <= view.until;
  if (inside && view.until - view.from < 12 * span) return;
  show((from + o.return - span) / 2, (from + o.return + span) / 2);
}

let chosen = null;
const choosers = [];
const onChoice = (changed) => choosers.push(changed);

/** choose makes an operation the chosen one, whichever way its ID came: it is in the address. */
function choose(id) {
  setAddress(id === null ? '#' : `#op-${id}`);
  setChosen(id === null ? null : operations[id]);
}
function setAddress(hash) {
  try { window.history.replaceState(null, '', hash); } catch { /* an address that cannot be changed stays */ }
}
function setChosen(o) {
  chosen = o ?? null;
  choosers.forEach((changed) => changed());
}
function chosenByAddress() {
  const id = /^#op-(\d+)$/.exec(location.hash)?.[1];
  if (id === undefined || operations[id] === undefined) return;
  setChosen(operations[id]);
  reveal(chosen);
  byId('timeline').scrollIntoView();
}
addEventListener('hashchange', chosenByAddress);
