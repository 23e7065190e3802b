// PartiQL statements: an editor, what was run before, and the result.
import { html, useEffect, useRef, useState } from '../html.js';
import { call } from '../dynamodb.js';
import { count, micros, plural, units } from '../format.js';
import { remember, remembered } from '../settings.js';
import { tableNames } from '../tables.js';
import { Loading, useWork } from '../ui/basics.js';
import { Dialog } from '../ui/dialog.js';
import { Editor } from '../ui/editor.js';
import { ColumnsButton, Grid, columnsOf, shownColumns } from '../ui/grid.js';
import { SnippetButton } from '../ui/snippet.js';
import { toPlain } from '../values.js';

const historyLength = 100;
const pageSize = 100;
const storedHistory = () => { const h = remembered('partiql', []); return Array.isArray(h) ? h.filter((s) => typeof s === 'string') : []; };

/** located adds a position to an error whose message has one: "at line:column" or the token itself. */
function located(error, text) {
  const at = /\b(?:at\s+)?(?:line[: ]\s*)?(\d+):(?:column[: ]\s*)?(\d+)\b/.exec(error.message);
  if (at) {
    const lines = text.split('\n');
    const position = lines.slice(0, at[1] - 1).join('\n').length + (at[1] > 1 ? 1 : 0) + Number(at[2]) - 1;
    if (position >= 0 && position <= text.length) return Object.assign(error, { position });
  }
  const token = /(?:near|token|term|term:|Unexpected)\W+([\w$]+)/i.exec(error.message)?.[1];
  const position = token ? text.search(new RegExp(`\\b${token.replace(/[$]/g, '\\$&')}\\b`)) : -1;
  if (position >= 0) error.position = position;
  return error;
}

export default function PartiQLPage() {
  const [text, setText] = useState(() => storedHistory()[0] || '');
  const [history, setHistory] = useState(storedHistory);
  const [tables, setTables] = useState([]);
  const [result, setResult] = useState(null);
  const [hidden, setHidden] = useState(null);
  const [viewed, setViewed] = useState(null);
  const [open, setOpen] = useState(false);
  const tokens = useRef([undefined]); // NextToken of the pages so far
  const work = useWork();
  useEffect(() => {
    const controller = new AbortController();
    tableNames(controller.signal).then((names) => {
      setTables(names);
      if (!storedHistory().length && names.length) setText(`SELECT * FROM "${names[0].replaceAll('"', '""')}"`);
    }).catch(() => {});
    return () => controller.abort();
  }, []);

  const show = (statement, stack) => work.run(async (signal) => {
    const began = performance.now();
    try {
      const answer = await call('ExecuteStatement', { Statement: statement, Limit: /^\s*select/i.test(statement) ? pageSize : undefined, NextToken: stack.at(-1), ReturnConsumedCapacity: 'TOTAL' }, { signal });
      tokens.current = stack.slice(-1000);
      setResult({ statement, items: answer.Items, next: answer.NextToken, number: stack.length, consumed: answer.ConsumedCapacity?.CapacityUnits, micros: (performance.now() - began) * 1000 });
    } catch (e) {
      setResult(null);
      throw signal.aborted ? e : located(e, statement);
    }
  });
  const run = () => {
    const statement = text.trim() ? text : '';
    if (!statement) return;
    const next = [statement, ...history.filter((h) => h !== statement)].slice(0, historyLength);
    setHistory(next);
    remember('partiql', next);
    setHidden(null);
    show(statement, [undefined]);
  };
  const columns = result ? columnsOf(result.items, []) : [];
  return html`<div class="page-head"><h1>PartiQL</h1></div>
    <section class="panel stack">
      <${Editor} language="partiql" label="PartiQL statement" text=${text} onChange=${(t) => { setText(t); if (work.error) work.clear(); }} onRun=${run} error=${work.error} rows=${6}/>
      <div class="actions"><button type="button" class="primary" disabled=${work.busy || !text.trim()} onClick=${run}>Run</button>
        ${work.busy && html`<button type="button" onClick=${work.stop}>Stop</button>`}
        <button type="button" onClick=${() => setOpen(true)} disabled=${!history.length}>History</button>
        <${SnippetButton} request=${() => ['ExecuteStatement', { Statement: text }]}/>
        ${tables.length > 0 && html`<label class="inline-field"><span class="hidden">Begin with a table</span><select value="" onChange=${(e) => { if (e.target.value) { setText(`SELECT * FROM "${e.target.value.replaceAll('"', '""')}"`); e.target.value = ''; } }}><option value="">Table …</option>${tables.slice(0, 1000).map((n) => html`<option key=${n} value=${n}>${n}</option>`)}</select></label>`}
        <span class="muted hide-small"><kbd>Ctrl</kbd> <kbd>Enter</kbd></span></div></section>
    ${work.busy && html`<${Loading}>Running …<//>`}
    ${result && html`<div class="result-bar"><div role="status"><strong>${plural(result.items.length, 'item')}</strong> <span class="muted">· ${units(result.consumed)} · ${micros(result.micros)}</span></div>
        <div class="actions">${columns.length > 0 && html`<${ColumnsButton} all=${columns} hidden=${hidden} onChange=${setHidden}/>`}</div></div>
      ${result.items.length === 0 ? html`<div class="empty"><p class="empty-title">${result.next ? 'Nothing on this page' : 'Done'}</p><p>${/^\s*select/i.test(result.statement) ? 'Nothing matches.' : 'The statement was carried out and returned no items.'}</p></div>`
        : html`<${Grid} items=${result.items} columns=${shownColumns(columns, hidden)} keys=${[]} open=${setViewed}/>`}
      ${(result.next || result.number > 1) && html`<div class="pager"><button type="button" data-key="left" disabled=${work.busy || tokens.current.length < 2} onClick=${() => show(result.statement, tokens.current.slice(0, -1))}>← Back</button>
        <span class="muted">Page ${count(result.number)}</span><button type="button" data-key="right" disabled=${work.busy || !result.next} onClick=${() => show(result.statement, [...tokens.current, result.next])}>Next →</button></div>`}`}
    ${viewed && html`<${Dialog} title="Item" onClose=${() => setViewed(null)}><div class="dialog-body"><pre class="text" tabindex="0">${toPlain({ M: viewed })}</pre></div><//>`}
    ${open && html`<${Dialog} title="History" onClose=${() => setOpen(false)}><div class="dialog-body"><ul class="pick">${history.map((h) => html`<li key=${h}><button type="button" class="mono" onClick=${() => { setText(h); setOpen(false); work.clear(); }}>${h}</button></li>`)}</ul></div>
      <footer class="dialog-foot"><button type="button" onClick=${() => { setHistory([]); remember('partiql', []); setOpen(false); }}>Forget all</button></footer><//>`}`;
}
