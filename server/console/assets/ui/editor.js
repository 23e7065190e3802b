// A code editor: the browser's own text field, with the coloured text behind it. So
// undo, selection, touch keyboards and screen readers work as they do anywhere, and no
// text ever becomes HTML.
import { html, useEffect, useRef } from '../html.js';
import { place } from '../json.js';

const words = 'SELECT|FROM|WHERE|INSERT|INTO|VALUE|UPDATE|SET|REMOVE|DELETE|RETURNING|AND|OR|NOT|IN|BETWEEN|IS|MISSING|NULL|TRUE|FALSE|ORDER|BY|ASC|DESC|EXISTS|ALL|MODIFIED|OLD|NEW|begins_with|contains|attribute_type|size|list_append|set_add|set_delete';

const languages = {
  json: /(?<name>"(?:[^"\\]|\\.)*"(?=\s*:))|(?<string>"(?:[^"\\]|\\.)*"?)|(?<number>-?\b\d[\d.eE+-]*)|(?<word>\b(?:true|false|null)\b)/g,
  partiql: new RegExp(`(?<comment>--[^\\n]*)|(?<name>"(?:[^"]|"")*"?)|(?<string>'(?:[^']|'')*'?)|(?<number>\\b\\d[\\d.eE]*\\b)|(?<word>\\b(?:${words})\\b)`, 'gi'),
};

/** tokens cuts a text into [kind, text] pieces. */
export function tokens(language, text) {
  const list = [];
  let at = 0;
  for (const m of text.matchAll(languages[language])) {
    if (m.index > at) list.push(['', text.slice(at, m.index)]);
    list.push([Object.keys(m.groups).find((k) => m.groups[k] !== undefined), m[0]]);
    at = m.index + m[0].length;
  }
  list.push(['', text.slice(at)]);
  return list;
}

/** mark cuts the pieces again so that the one at position has the kind error. */
function mark(list, position) {
  const out = [];
  let at = 0, marked = false;
  for (const [kind, text] of list) {
    if (!marked && position < at + text.length && position >= at) {
      const cut = position - at;
      const long = /^[\w"']+/.exec(text.slice(cut))?.[0].length || 1;
      out.push([kind, text.slice(0, cut)], ['error', text.slice(cut, cut + long)], [kind, text.slice(cut + long)]);
      marked = true;
    } else out.push([kind, text]);
    at += text.length;
  }
  if (!marked) out.push(['error', ' ']);
  return out;
}

/** Beyond this many characters the text is not coloured: typing has to stay fast. */
const colouredLength = 60000;

/**
 * Editor edits text. error may have a position, which is marked. onRun is called for
 * Ctrl+Enter.
 */
export function Editor({ language, label, text, onChange, onRun, error, rows = 12, autofocus }) {
  const area = useRef(null), behind = useRef(null);
  const follow = () => { if (behind.current) behind.current.scrollTop = area.current.scrollTop; };
  useEffect(follow, [text]);
  useEffect(() => {
    if (error?.position !== undefined) area.current.setSelectionRange(error.position, error.position);
  }, [error]);
  const keydown = (e) => {
    if (e.key === 'Enter' && (e.ctrlKey || e.metaKey)) { e.preventDefault(); onRun?.(); return; }
    if (e.key !== 'Enter' || e.shiftKey || e.isComposing || language !== 'json') return;
    const { selectionStart: at, value } = area.current;
    const line = value.slice(value.lastIndexOf('\n', at - 1) + 1, at);
    const indent = /^\s*/.exec(line)[0] + (/[{[]\s*$/.test(line) ? '  ' : '');
    if (!indent) return;
    e.preventDefault();
    document.execCommand('insertText', false, '\n' + indent); // the one way that keeps undo
  };
  const coloured = text.length <= colouredLength;
  const where = error?.position !== undefined ? place(text, error.position) : null;
  let pieces = coloured ? tokens(language, text) : [];
  if (where && coloured) pieces = mark(pieces, error.position);
  return html`<div><div class=${coloured ? 'code' : 'code plain'}>
    ${coloured && html`<pre ref=${behind} aria-hidden="true">${pieces.map(([kind, t]) => (kind ? html`<span class=${'t-' + kind}>${t}</span>` : t))}${'\n'}</pre>`}
    <textarea ref=${area} aria-label=${label} aria-invalid=${error ? 'true' : undefined} rows=${rows} value=${text} spellcheck=${false} autocapitalize="off" autocomplete="off" autofocus=${autofocus}
      onInput=${(e) => onChange(e.target.value)} onScroll=${follow} onKeyDown=${keydown}></textarea></div>
    ${error && html`<p class="code-error" role="alert">${where && html`<b>Line ${where.line}, column ${where.column}: </b>`}${error.name && !/^(Error|JSONError)$/.test(error.name) ? html`<b>${error.name}: </b>` : null}${error.message}</p>`}</div>`;
}
