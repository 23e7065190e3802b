// The frame: navigation, theme, keyboard, and which page is shown.
import { html, render, useEffect, useState } from './html.js';
import { go, link, useRoute } from './router.js';
import { currentTheme, nextTheme, useNamespace } from './settings.js';
import { Problem, Loading } from './ui/basics.js';
import { Dialog } from './ui/dialog.js';
import { NamespaceButton, settleNamespace } from './ui/namespace.js';
import { TablesPage } from './pages/tables.js';

/** sections in the order of the navigation: key, address, text, who draws it. */
const sections = [
  ['t', 'tables', 'Tables', null],
  ['p', 'partiql', 'PartiQL', () => import('./pages/partiql.js')],
  ['r', 'requests', 'Requests', () => import('./pages/requests.js')],
  ['s', 'streams', 'Streams', () => import('./pages/streams.js')],
  ['l', 'load', 'Load', () => import('./pages/load.js')],
  ['c', 'cluster', 'Cluster', () => import('./pages/cluster.js')],
];

const loaders = { ...Object.fromEntries(sections.map(([, name, , load]) => [name, load])),
  table: () => import('./pages/table.js'), create: () => import('./pages/create.js') };

/** Later shows a page whose module is loaded when it is first needed. */
function Later({ name, args }) {
  const [page, set] = useState(null);
  useEffect(() => {
    let stale = false;
    set(null);
    loaders[name]().then((m) => stale || set({ name, draw: m.default }), (error) => stale || set({ name, error }));
    return () => { stale = true; };
  }, [name]);
  if (!page || page.name !== name) return html`<${Loading}/>`;
  if (page.error) return html`<${Problem} error=${{ message: 'This part of the console could not be loaded. The server may have been replaced by another version: reload the page.' }}/>`;
  return html`<${page.draw} args=${args}/>`;
}

function Page({ route: [name, ...args] }) {
  if (name === 'tables' || !Object.hasOwn(loaders, name)) return html`<${TablesPage}/>`;
  return html`<${Later} name=${name} args=${args}/>`;
}

const keys = [
  ['g then t, p, r, s, l, c', 'go to Tables, PartiQL, Requests, Streams, Load, Cluster'],
  ['/', 'search or filter'],
  ['n', 'new table, or new item'],
  ['Ctrl Enter', 'run a query or statement, save an item'],
  ['← →', 'page of results before and after'],
  ['Escape', 'close a dialog'],
  ['?', 'this list'],
];

/** useKeys listens to the keyboard outside of text fields. */
function useKeys(showHelp) {
  useEffect(() => {
    let prefix = 0;
    const pressed = (e) => {
      if (e.ctrlKey || e.metaKey || e.altKey || e.target.closest?.('input, textarea, select, [contenteditable], dialog')) return;
      if (Date.now() - prefix < 1500) {
        const section = sections.find(([key]) => key === e.key);
        prefix = 0;
        if (section) { e.preventDefault(); go(section[1]); }
        return;
      }
      const target = { '/': '[data-key="/"]', n: '[data-key="n"]', ArrowLeft: '[data-key="left"]', ArrowRight: '[data-key="right"]' }[e.key];
      if (e.key === 'g') prefix = Date.now();
      else if (e.key === '?') showHelp();
      else if (target) {
        const element = document.querySelector(`main ${target}`);
        if (!element) return;
        e.preventDefault();
        if (element.matches('input')) element.focus();
        else element.click();
      }
    };
    addEventListener('keydown', pressed);
    return () => removeEventListener('keydown', pressed);
  }, []);
}

function App() {
  const route = useRoute();
  const ns = useNamespace();
  const [theme, setTheme] = useState(currentTheme());
  const [help, setHelp] = useState(false);
  useKeys(() => setHelp(true));
  const current = route[0] === 'table' || route[0] === 'create' ? 'tables' : route[0];
  useEffect(() => {
    const section = sections.find(([, name]) => name === current);
    document.title = `${route[0] === 'table' ? route[1] : section?.[2] ?? 'Tables'} – Stator`;
  }, [route.join('/')]);
  return html`<a class="skip" href="#main" onClick=${(e) => { e.preventDefault(); document.getElementById('main').focus(); }}>Skip to content</a>
    <header class="top">
      <a class="brand" href=${link('tables')}><svg viewBox="0 0 32 32" aria-hidden="true"><g fill="none" stroke-width="5"><path class="arc1" d="M16 4a12 12 0 0 1 10.4 6"/><path class="arc2" d="M28 16a12 12 0 0 1-6 10.4"/><path class="arc3" d="M16 28a12 12 0 0 1-10.4-6"/><path class="arc4" d="M4 16A12 12 0 0 1 10 5.6"/></g><circle cx="16" cy="16" r="4"/></svg><span>Stator</span></a>
      <nav class="main-nav" aria-label="Main">${sections.map(([key, name, text]) => html`<a key=${name} href=${link(name)} aria-current=${name === current ? 'page' : undefined} title=${`${text} (g ${key})`}>${text}</a>`)}</nav>
      <div class="top-right"><${NamespaceButton}/>
        <button type="button" class="icon" aria-label=${`Theme: ${theme}. Change`} title=${`Theme: ${theme}`} onClick=${() => setTheme(nextTheme())}>${{ auto: '◐', light: '☀', dark: '☾' }[theme]}</button>
        <button type="button" class="icon" aria-label="Keyboard" title="Keyboard (?)" onClick=${() => setHelp(true)}>?</button></div>
    </header>
    <main id="main" tabindex="-1"><${Page} key=${ns.accessKey + '/' + ns.region + '/' + route.slice(0, route[0] === 'table' ? 2 : 1).join('/')} route=${route}/></main>
    ${help && html`<${Dialog} title="Keyboard" onClose=${() => setHelp(false)} kind="narrow"><div class="dialog-body"><dl class="keys">
      ${keys.map(([key, does]) => html`<div key=${key}><dt><kbd>${key}</kbd></dt><dd>${does}</dd></div>`)}</dl></div><//>`}`;
}

await settleNamespace();
render(html`<${App}/>`, document.getElementById('app'));
