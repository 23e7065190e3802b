// A page of items as a table: columns are the attributes, keys first.
import { html, useEffect, useMemo, useState } from '../html.js';
import { cut } from '../format.js';
import { brief, compare, typeOf } from '../values.js';
import { Check } from './basics.js';
import { Dialog } from './dialog.js';

/** How many columns are shown until the user chooses. */
const firstColumns = 10;

/** columnsOf lists the attributes of the items, keys first, then by name. */
export function columnsOf(items, keys) {
  const names = new Set();
  for (const item of items) for (const name of Object.keys(item)) names.add(name);
  const rest = [...names].filter((n) => !keys.includes(n)).sort();
  return [...keys.filter((k) => names.has(k)), ...rest];
}

export const shownColumns = (all, hidden) => (hidden ? all.filter((c) => !hidden.has(c)) : all.slice(0, firstColumns));

/**
 * Grid shows items. open is called with an item; selection is a Set of items, or not
 * given for none.
 */
export function Grid({ items, columns, keys, open, selection, onSelect }) {
  const [sort, setSort] = useState(null);
  useEffect(() => setSort(null), [columns.join('\n')]);
  const rows = useMemo(() => {
    if (!sort) return items;
    const sorted = [...items].sort((a, b) => compare(a[sort.by], b[sort.by]));
    return sort.down ? sorted.reverse() : sorted;
  }, [items, sort]);
  const click = (by) => setSort(sort?.by === by ? (sort.down ? null : { by, down: true }) : { by, down: false });
  const toggle = (item, on) => {
    const next = new Set(selection);
    if (on) next.add(item); else next.delete(item);
    onSelect(next);
  };
  const first = columns[0];
  const numeric = (c) => items.length > 0 && items.every((item) => !Object.hasOwn(item, c) || typeOf(item[c]) === 'N');
  return html`<div class="table-scroll grid" tabindex="0" role="region" aria-label="Items"><table>
    <thead><tr>${selection && html`<th class="pick-cell"><input type="checkbox" aria-label="Select all items of this page" checked=${items.length > 0 && selection.size === items.length}
        indeterminate=${selection.size > 0 && selection.size < items.length} onChange=${(e) => onSelect(new Set(e.target.checked ? items : []))}/></th>`}
      ${columns.map((c) => html`<th key=${'c' + c} class=${numeric(c) ? 'num' : ''} aria-sort=${sort?.by === c ? (sort.down ? 'descending' : 'ascending') : 'none'}><button type="button" class="sort" title="Sort this page" onClick=${() => click(c)}>${cut(c, 60)}${keys.includes(c) ? html` <span class="type">key</span>` : ''}</button></th>`)}</tr></thead>
    <tbody>${rows.map((item, i) => html`<tr key=${i} aria-selected=${selection ? selection.has(item) : undefined} onClick=${(e) => { if (!e.target.closest('button, input') && !String(getSelection())) open?.(item); }}>
      ${selection && html`<td class="pick-cell"><input type="checkbox" aria-label="Select this item" checked=${selection.has(item)} onChange=${(e) => toggle(item, e.target.checked)}/></td>`}
      ${columns.map((c) => html`<${Cell} key=${'c' + c} value=${Object.hasOwn(item, c) ? item[c] : undefined} open=${c === first && open ? () => open(item) : null}/>`)}</tr>`)}</tbody></table></div>`;
}

function Cell({ value, open }) {
  if (!value) return html`<td class="absent">${open ? html`<button type="button" class="link" onClick=${open}>open</button>` : '–'}</td>`;
  const text = cut(brief(value), 160);
  const shown = text === '' ? html`<span class="absent">empty</span>` : html`<bdi>${text}</bdi>`;
  return html`<td class=${'v-' + typeOf(value)}>${open ? html`<button type="button" class="link" onClick=${open}>${shown}</button>` : shown}</td>`;
}

/** ColumnsButton lets the user choose columns; hidden is null until then. */
export function ColumnsButton({ all, hidden, onChange }) {
  const [open, set] = useState(false);
  const shown = new Set(shownColumns(all, hidden));
  const toggle = (name, on) => {
    if (on) shown.add(name); else shown.delete(name);
    onChange(new Set(all.filter((c) => !shown.has(c))));
  };
  return html`<button type="button" class="small" onClick=${() => set(true)}>Columns ${shown.size}/${all.length}</button>
    ${open && html`<${Dialog} title="Columns" onClose=${() => set(false)} kind="narrow"><div class="dialog-body">
      <div class="actions"><button type="button" class="small" onClick=${() => onChange(new Set())}>All</button><button type="button" class="small" onClick=${() => onChange(null)}>The first ${firstColumns}</button></div>
      <div class="columns">${all.map((c) => html`<${Check} key=${'c' + c} label=${cut(c, 80)} checked=${shown.has(c)} onChange=${(on) => toggle(c, on)}/>`)}</div></div><//>`}`;
}
