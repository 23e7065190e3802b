// The list of tables. Names come first; what else is known is asked for the rows that
// are shown, unless the list is sorted by it.
import { html, useEffect, useMemo, useRef, useState } from '../html.js';
import { inParallel } from '../dynamodb.js';
import { count, plural, size } from '../format.js';
import { link } from '../router.js';
import { useNamespace } from '../settings.js';
import { describe, indexes, keyOf, attributeTypes, tableNames } from '../tables.js';
import { Badge, Empty, Input, Loading, Problem, useWork } from '../ui/basics.js';

const shownAtOnce = 50;

const sorts = {
  name: null,
  items: (t) => t?.ItemCount ?? -1,
  size: (t) => t?.TableSizeBytes ?? -1,
};

export function TablesPage() {
  const ns = useNamespace();
  const [names, setNames] = useState(null);
  const [filter, setFilter] = useState('');
  const [page, setPage] = useState(0);
  const [sort, setSort] = useState({ by: 'name', down: false });
  const known = useRef(new Map());
  const [, drawn] = useState(0);
  const listing = useWork();
  const describing = useWork();

  const load = () => listing.run(async (signal) => {
    known.current.clear();
    setNames(await tableNames(signal, setNames));
  });
  useEffect(() => { load(); }, []);

  const matching = useMemo(() => {
    const text = filter.toLowerCase();
    return (names || []).filter((n) => n.toLowerCase().includes(text));
  }, [names, filter]);
  const value = sorts[sort.by];
  const list = value ? [...matching].sort((a, b) => value(known.current.get(a)) - value(known.current.get(b)) || (a < b ? -1 : 1)) : [...matching];
  if (sort.down) list.reverse();
  const pages = Math.max(1, Math.ceil(list.length / shownAtOnce));
  const at = Math.min(page, pages - 1);
  const rows = list.slice(at * shownAtOnce, (at + 1) * shownAtOnce);

  const wanted = (value ? matching : rows).filter((n) => !known.current.has(n));
  useEffect(() => {
    if (!wanted.length) return;
    describing.run((signal) => inParallel(6, wanted, async (name) => {
      const table = await describe(name, signal).catch((error) => { if (signal.aborted) throw error; return { gone: true }; });
      known.current.set(name, table);
      if (!value || known.current.size % 25 === 0) drawn((n) => n + 1);
    }).then(() => drawn((n) => n + 1)));
  }, [wanted.join('\n')]);

  const header = (by, text, numeric) => html`<th class=${numeric ? 'num' : ''} aria-sort=${sort.by === by ? (sort.down ? 'descending' : 'ascending') : 'none'}>
    <button type="button" class="sort" onClick=${() => { setSort({ by, down: sort.by === by ? !sort.down : by !== 'name' }); setPage(0); }}>${text}</button></th>`;

  return html`<div class="page-head"><h1>Tables ${names && html`<span class="muted">${count(names.length)}</span>`}</h1>
      <div class="actions"><${Input} type="search" data-key="/" aria-label="Find tables" placeholder="Find tables" value=${filter} onChange=${(v) => { setFilter(v); setPage(0); }}/>
        <button type="button" onClick=${load}>Refresh</button>
        <a class="button primary" data-key="n" href=${link('create')}>New table</a></div></div>
    <${Problem} error=${listing.error}><button type="button" onClick=${load}>Try again</button><//>
    ${!names ? !listing.error && html`<${Loading}/>` : names.length === 0 && !listing.busy ? html`<${Empty} title="No tables here yet">
        <p>Access key <b class="mono">${ns.accessKey}</b> has no tables in <b class="mono">${ns.region}</b>. Tables of other keys and regions are behind the button at the top right.</p>
        <a class="button primary" href=${link('create')}>Create the first table</a><//>`
      : html`<div class="table-scroll" tabindex="0" role="region" aria-label="Tables"><table class="list">
        <thead><tr>${header('name', 'Name')}<th>Status</th><th>Primary key</th>${header('items', 'Items', true)}${header('size', 'Size', true)}<th class="num">Indexes</th><th>Features</th></tr></thead>
        <tbody>${rows.map((name) => html`<${Row} key=${name} name=${name} table=${known.current.get(name)}/>`)}</tbody></table>
        ${rows.length === 0 && html`<p class="none">No name contains “${filter}”.</p>`}</div>
        ${pages > 1 && html`<div class="pager"><button type="button" data-key="left" disabled=${at === 0} onClick=${() => setPage(at - 1)}>← Back</button>
          <span class="muted">${plural(list.length, 'table')}, page ${at + 1} of ${pages}</span>
          <button type="button" data-key="right" disabled=${at === pages - 1} onClick=${() => setPage(at + 1)}>Next →</button></div>`}`}`;
}

function Row({ name, table }) {
  const key = table?.KeySchema && keyOf(table.KeySchema);
  const type = table?.AttributeDefinitions && attributeTypes(table);
  const part = (a) => html`<span class="mono">${a}</span> <span class="type">${type[a]}</span>`;
  return html`<tr><th scope="row"><a href=${link('table', name, 'items')}>${name}</a></th>
    ${!table || table.gone ? html`<td colspan="6" class="muted">${table ? 'gone meanwhile' : '…'}</td>` : html`
    <td><${Status} status=${table.TableStatus}/></td>
    <td class="nowrap">${part(key.hash[0])}${key.range.map((a) => html`, ${part(a)}`)}</td>
    <td class="num">${count(table.ItemCount)}</td><td class="num">${size(table.TableSizeBytes)}</td>
    <td class="num">${indexes(table).length || '–'}</td>
    <td class="nowrap">${table.StreamSpecification?.StreamEnabled && html`<${Badge}>stream<//> `}${table.DeletionProtectionEnabled && html`<${Badge}>protected<//> `}${table.BillingModeSummary?.BillingMode !== 'PAY_PER_REQUEST' && html`<${Badge}>provisioned<//>`}</td>`}</tr>`;
}

export const Status = ({ status }) => html`<${Badge} kind=${status === 'ACTIVE' ? 'good' : 'warn'}>${status.toLowerCase()}<//>`;
