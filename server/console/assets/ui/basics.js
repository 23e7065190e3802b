// Small things that all pages use.
import { html, useState, useEffect, useRef } from '../html.js';

/** Badge is a word in a coloured box. */
export const Badge = ({ kind = 'plain', children, title }) => html`<span class=${`badge ${kind}`} title=${title}>${children}</span>`;

/** Problem shows an error where it happened. */
export function Problem({ error, children }) {
  if (!error) return null;
  return html`<div class="problem" role="alert"><div><strong>${error.name && error.name !== 'Error' ? error.name : 'That did not work'}</strong>
    <p>${error.message}</p></div>${children}</div>`;
}

/** Empty fills a place where there is nothing yet. */
export const Empty = ({ title, children }) => html`<div class="empty"><p class="empty-title">${title}</p>${children}</div>`;

export const Loading = ({ children = 'Loading …' }) => html`<p class="loading" role="status"><span class="spinner" aria-hidden="true"></span>${children}</p>`;

/** Field is a labelled control. hint is shown below, wrong instead of it. */
export function Field({ label, hint, wrong, wide, children }) {
  return html`<label class=${`field${wide ? ' wide' : ''}`}><span class="label">${label}</span>${children}
    ${wrong ? html`<span class="hint wrong">${wrong}</span>` : hint ? html`<span class="hint">${hint}</span>` : null}</label>`;
}

/** Select takes options as values, or [value, text] pairs. */
export function Select({ value, options, onChange, ...rest }) {
  return html`<select value=${value} onChange=${(e) => onChange(e.target.value)} ...${rest}>
    ${options.map((o) => {
      const [v, text] = Array.isArray(o) ? o : [o, o];
      return html`<option key=${v} value=${v} selected=${v === value}>${text}</option>`;
    })}</select>`;
}

export const Input = ({ value, onChange, ...rest }) => html`<input autocomplete="off" spellcheck=${false} value=${value} onInput=${(e) => onChange(e.target.value)} ...${rest}/>`;

export const Check = ({ label, checked, onChange, ...rest }) =>
  html`<label class="check"><input type="checkbox" checked=${checked} onChange=${(e) => onChange(e.target.checked)} ...${rest}/> <span>${label}</span></label>`;

/** Tabs are links, so that each has an address. */
export const Tabs = ({ label, current, tabs }) => html`<nav class="tabs" aria-label=${label}>
  ${tabs.map(([name, text, href]) => html`<a key=${name} href=${href} aria-current=${name === current ? 'page' : undefined}>${text}</a>`)}</nav>`;

/** Choice is a row of buttons of which one is pressed. */
export const Choice = ({ label, value, options, onChange }) => html`<div class="choice" role="group" aria-label=${label}>
  ${options.map(([v, text]) => html`<button type="button" key=${v} aria-pressed=${v === value} onClick=${() => onChange(v)}>${text}</button>`)}</div>`;

/** CopyButton puts a text on the clipboard, or selects it where that is not allowed. */
export function CopyButton({ text, label = 'Copy' }) {
  const [done, set] = useState('');
  useEffect(() => {
    if (!done) return undefined;
    const timer = setTimeout(() => set(''), 1500);
    return () => clearTimeout(timer);
  }, [done]);
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(text);
      set('Copied');
    } catch {
      set('Press Ctrl+C');
    }
  };
  return html`<button type="button" class="small" onClick=${copy}><span aria-live="polite">${done || label}</span></button>`;
}

/** useWork runs one task at a time; a new one, and leaving the page, abort the one before. */
export function useWork() {
  const [state, set] = useState({ busy: false, error: null });
  const running = useRef(null);
  useEffect(() => () => running.current?.abort(), []);
  const run = async (task) => {
    running.current?.abort();
    const controller = new AbortController();
    running.current = controller;
    set({ busy: true, error: null });
    try {
      const result = await task(controller.signal);
      if (running.current === controller) set({ busy: false, error: null });
      return result;
    } catch (error) {
      if (running.current === controller) set({ busy: false, error: controller.signal.aborted ? null : error });
      return undefined;
    }
  };
  const stop = () => running.current?.abort(new DOMException('Stopped', 'AbortError'));
  return { ...state, run, stop, clear: () => set({ busy: false, error: null }) };
}

/** useEvery calls work now and then every ms, never twice at once, and not while the page is hidden. */
export function useEvery(ms, work, on = []) {
  useEffect(() => {
    const controller = new AbortController();
    let timer;
    const tick = async () => {
      if (!document.hidden) {
        try {
          await work(controller.signal);
        } catch { /* work tells about its own errors */ }
      }
      if (!controller.signal.aborted) timer = setTimeout(tick, ms);
    };
    tick();
    return () => { controller.abort(); clearTimeout(timer); };
  }, on);
}
