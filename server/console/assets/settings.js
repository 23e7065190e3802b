// What the browser remembers for the user: access key, region, theme, histories.
import { useEffect, useState } from './html.js';

const listeners = new Set();

/** remembered reads a setting; storage may be missing, full or hold anything. */
export function remembered(name, otherwise) {
  try {
    const text = localStorage.getItem('stator.' + name);
    return text === null ? otherwise : JSON.parse(text);
  } catch {
    return otherwise;
  }
}

export function remember(name, value) {
  try {
    localStorage.setItem('stator.' + name, JSON.stringify(value));
  } catch { /* the setting lasts as long as the page */ }
}

const stored = remembered('namespace', null);
const chosen = typeof stored?.accessKey === 'string' && typeof stored?.region === 'string';
let namespace = chosen ? { accessKey: stored.accessKey, region: stored.region } : { accessKey: 'local', region: 'us-east-1' };

/** currentNamespace is the access key and region that requests go out with. */
export const currentNamespace = () => namespace;

/** namespaceChosen tells whether the user ever chose one. */
export const namespaceChosen = () => chosen;

export function chooseNamespace(next) {
  namespace = next;
  remember('namespace', next);
  for (const notify of listeners) notify();
}

export function useNamespace() {
  const [, update] = useState(0);
  useEffect(() => {
    const notify = () => update((n) => n + 1);
    listeners.add(notify);
    return () => listeners.delete(notify);
  }, []);
  return namespace;
}

const themes = ['auto', 'light', 'dark'];

export const currentTheme = () => (themes.includes(remembered('theme')) ? remembered('theme') : 'auto');

export function nextTheme() {
  const theme = themes[(themes.indexOf(currentTheme()) + 1) % themes.length];
  remember('theme', theme);
  if (theme === 'auto') delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = theme;
  dispatchEvent(new Event('themechange'));
  return theme;
}
