// Elements. Texts become text nodes: nothing is ever parsed as HTML.
function make(namespace, tag, properties, children) {
  const e = namespace ? document.createElementNS(namespace, tag) : document.createElement(tag);
  for (const [name, value] of Object.entries(properties ?? {})) {
    if (value === undefined || value === false) continue;
    if (name.startsWith('on')) e.addEventListener(name.slice(2), value);
    else e.setAttribute(name, value === true ? '' : value);
  }
  e.append(...children.flat(Infinity).filter((c) => c !== null && c !== undefined && c !== false));
  return e;
}
const el = (tag, properties, ...children) => make('', tag, properties, children);
const svg = (tag, properties, ...children) => make('http://www.w3.org/2000/svg', tag, properties, children);
const byId = (id) => document.getElementById(id);

/** onRedraw calls a function when colours change or the page goes to a printer or comes back. */
function onRedraw(draw) {
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', draw);
  matchMedia('print').addEventListener('change', draw);
}

/** onResize calls a function with the width of a place, now and when it changes. */
function onResize(place, draw) {
  let width = 0;
  const look = () => {
    const now = Math.floor(place.clientWidth);
    if (now > 0 && now !== width) draw(width = now);
  };
  new ResizeObserver(look).observe(place);
  look();
}

// One tip for all charts.
const tip = el('div', { class: 'tip', role: 'tooltip', hidden: true });
document.body.append(tip);

/** showTip shows content beside a point of the window. */
function showTip(x, y, ...content) {
  tip.replaceChildren(...content.filter(Boolean));
  tip.hidden = false;
  const { width, height } = tip.getBoundingClientRect();
  const left = x + 14 + width > innerWidth - 4 ? x - 14 - width : x + 14;
  const above = y + 16 + height > innerHeight - 4;
  tip.style.left = `${Math.max(4, Math.min(left, innerWidth - width - 4))}px`;
  tip.style.top = `${Math.max(4, above ? y - 12 - height : y + 16)}px`;
}
const hideTip = () => { tip.hidden = true; };
addEventListener('scroll', hideTip, { passive: true });
