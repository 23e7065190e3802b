// The items of a table. Only the page that is shown is held; those before are found
// again by the keys they began after.
import { html, useEffect, useRef, useState } from '../html.js';
import { call } from '../dynamodb.js';
import { count, micros, plural, units } from '../format.js';
import { blankForm, request } from '../requests.js';
import { keyFrom } from '../tables.js';
import { Loading, Problem, useWork } from '../ui/basics.js';
import { Builder } from '../ui/builder.js';
import { ColumnsButton, Grid, columnsOf, shownColumns } from '../ui/grid.js';
import { SnippetButton } from '../ui/snippet.js';
import { DeleteDialog } from './items_delete.js';
import { ExportDialog } from './items_export.js';
import { ImportDialog } from './items_import.js';
import { ItemDialog } from './item.js';

/** How many pages back one can go: their start keys are all that is remembered. */
const pagesBack = 1000;

export function Items({ table }) {
  const [form, setForm] = useState(blankForm);
  const [result, setResult] = useState(null);
  const [looked, setLooked] = useState(0);
  const [hidden, setHidden] = useState(null);
  const [selection, select] = useState(new Set());
  const [dialog, setDialog] = useState(null);
  const starts = useRef([undefined]); // ExclusiveStartKey of the pages so far
  const first = useRef(1); // number of the page that starts[0] belongs to
  const asked = useRef(null); // [operation, input] of what is shown
  const work = useWork();
  const keys = table.KeySchema.map((k) => k.AttributeName);
  const all = result ? columnsOf(result.items, keys) : keys;
  const known = result ? all : keys;

  /** show reads a page; pages that a filter left empty are passed over. */
  const show = (stack) => work.run(async (signal) => {
    const [operation, input] = asked.current;
    const began = performance.now();
    let from = stack.at(-1), scanned = 0, consumed = 0, answer;
    setLooked(0);
    do {
      answer = await call(operation, { ...input, ExclusiveStartKey: from, ReturnConsumedCapacity: 'TOTAL' }, { signal });
      scanned += answer.ScannedCount;
      consumed += answer.ConsumedCapacity?.CapacityUnits ?? 0;
      from = answer.LastEvaluatedKey;
      setLooked(scanned);
    } while (answer.Items.length === 0 && from);
    while (stack.length > pagesBack) { stack.shift(); first.current++; }
    starts.current = stack;
    select(new Set());
    setResult({ items: answer.Items, next: from, scanned, consumed, micros: (performance.now() - began) * 1000, number: first.current + stack.length - 1 });
  });
  const run = () => {
    work.clear();
    try {
      asked.current = request(table, form, known);
    } catch (error) {
      work.run(async () => { throw error; });
      return;
    }
    first.current = 1;
    setHidden(null);
    show([undefined]);
  };
  const again = () => (asked.current ? show([...starts.current]) : run());
  useEffect(run, []);

  const close = (changed) => { setDialog(null); if (changed) again(); };
  const selected = result ? result.items.filter((item) => selection.has(item)) : [];
  return html`<form class="panel" onSubmit=${(e) => { e.preventDefault(); run(); }} onKeyDown=${(e) => { if (e.key === 'Enter' && e.ctrlKey) { e.preventDefault(); run(); } }}>
      <${Builder} table=${table} form=${form} onChange=${setForm} known=${known}/>
      <div class="actions form-foot"><button class="primary" disabled=${work.busy}>Run</button>
        ${work.busy && html`<button type="button" onClick=${work.stop}>Stop</button>`}
        <button type="button" onClick=${() => setForm(blankForm())}>Reset</button>
        <${SnippetButton} request=${() => request(table, form, known)}/></div></form>
    <${Problem} error=${work.error}><button type="button" onClick=${again}>Try again</button><//>
    <div class="result-bar">
      <div role="status">${work.busy ? html`<${Loading}>${looked ? `Nothing matched among ${plural(looked, 'item')} so far …` : 'Reading …'}<//>` : result && html`<strong>${plural(result.items.length, 'item')}</strong>
        <span class="muted"> of ${count(result.scanned)} looked at · ${units(result.consumed)} · ${micros(result.micros)}</span>`}</div>
      <div class="actions">
        ${selected.length > 0 && html`<button type="button" class="small danger" onClick=${() => setDialog({ kind: 'delete', items: selected })}>Delete ${selected.length}</button>`}
        ${result && html`<${ColumnsButton} all=${all} hidden=${hidden} onChange=${setHidden}/>
          <button type="button" class="small" onClick=${() => setDialog({ kind: 'export' })}>Export</button>
          <button type="button" class="small" onClick=${() => setDialog({ kind: 'deleteAll' })} disabled=${result.items.length === 0}>Delete all …</button>`}
        <button type="button" class="small" onClick=${() => setDialog({ kind: 'import' })}>Import</button>
        <button type="button" class="small primary" data-key="n" onClick=${() => setDialog({ kind: 'item', key: null })}>New item</button></div></div>
    ${result && (result.items.length === 0 ? html`<div class="empty"><p class="empty-title">No items</p><p>${result.number > 1 ? 'There is nothing more after the page before.' : form.filters.length || form.mode === 'Query' ? 'Nothing matches.' : 'This table is empty.'}</p></div>`
      : html`<${Grid} items=${result.items} columns=${shownColumns(all, hidden)} keys=${keys} selection=${selection} onSelect=${select} open=${(item) => setDialog({ kind: 'item', key: keyFrom(table, item) })}/>`)}
    ${result && (result.number > 1 || result.next) && html`<div class="pager">
      <button type="button" data-key="left" disabled=${work.busy || starts.current.length < 2} onClick=${() => show(starts.current.slice(0, -1))}>← Back</button>
      <span class="muted">Page ${count(result.number)}</span>
      <button type="button" data-key="right" disabled=${work.busy || !result.next} onClick=${() => show([...starts.current, result.next])}>Next →</button></div>`}
    ${dialog?.kind === 'item' && html`<${ItemDialog} table=${table} itemKey=${dialog.key} onClose=${close}/>`}
    ${dialog?.kind === 'delete' && html`<${DeleteDialog} table=${table} items=${dialog.items} onClose=${close}/>`}
    ${dialog?.kind === 'deleteAll' && html`<${DeleteDialog} table=${table} asked=${asked.current} onClose=${close}/>`}
    ${dialog?.kind === 'export' && html`<${ExportDialog} table=${table} items=${result.items} asked=${asked.current} columns=${shownColumns(all, hidden)} onClose=${close}/>`}
    ${dialog?.kind === 'import' && html`<${ImportDialog} table=${table} onClose=${close}/>`}`;
}
