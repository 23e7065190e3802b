// The form of a Query or Scan.
import { html } from '../html.js';
import { filterOperators, noValue, sortOperators } from '../expressions.js';
import { keysOf } from '../requests.js';
import { indexes } from '../tables.js';
import { typeNames } from '../values.js';
import { Check, Choice, Field, Input, Select } from './basics.js';

const filterTypes = ['S', 'N', 'BOOL', 'NULL', 'B'];

export function Builder({ table, form, onChange, known }) {
  const set = (part) => onChange({ ...form, ...part });
  const keys = keysOf(table, form.index);
  const global = indexes(table).some((ix) => ix.IndexName === form.index && !ix.Local);
  const range = keys.range[0];
  const sources = [['', `Table ${table.TableName}`], ...indexes(table).map((ix) => [ix.IndexName, `Index ${ix.IndexName}${ix.Local ? ' (local)' : ''}`])];
  return html`<div class="builder">
    <div class="row end">
      <${Choice} label="Operation" value=${form.mode} onChange=${(mode) => set({ mode })} options=${[['Scan', 'Scan'], ['Query', 'Query']]}/>
      <${Field} label="From"><${Select} value=${form.index} options=${sources} onChange=${(index) => set({ index, strong: false })}/><//></div>
    ${form.mode === 'Query' && html`<div class="row">
      ${keys.hash.map((k, i) => html`<${Field} key=${k.name} label=${html`${k.name} <span class="type">${k.type}</span>`}>
        <${Input} value=${form.hash[i] ?? ''} placeholder=${`${typeNames[k.type]}, partition key`} onChange=${(v) => set({ hash: Object.assign([...form.hash], { [i]: v }) })}/><//>`)}
      ${range && html`<${Field} label=${html`${range.name} <span class="type">${range.type}</span>`}><div class="filter">
        <${Select} aria-label="Comparison of the sort key" value=${form.range.operator} options=${range.type === 'N' ? sortOperators.filter((o) => o !== 'begins_with') : sortOperators} onChange=${(operator) => set({ range: { ...form.range, operator } })}/>
        <${Input} aria-label=${`Value of ${range.name}`} value=${form.range.first} placeholder="any" onChange=${(first) => set({ range: { ...form.range, first } })}/>
        ${form.range.operator === 'between' && html`<${Input} aria-label=${`Upper value of ${range.name}`} value=${form.range.second} onChange=${(second) => set({ range: { ...form.range, second } })}/>`}</div><//>`}</div>`}
    ${form.filters.length > 0 && html`<${Filters} form=${form} set=${set} known=${known}/>`}
    <div class="row middle">
      <button type="button" class="small" onClick=${() => set({ filters: [...form.filters, { name: '', operator: '=', type: 'S', value: '', second: '' }] })}>Add filter</button>
      ${form.mode === 'Query' && range && html`<${Check} label="Descending" checked=${form.backward} onChange=${(backward) => set({ backward })}/>`}
      <${Check} label="Strongly consistent" checked=${form.strong && !global} disabled=${global} onChange=${(strong) => set({ strong })}/></div>
    <details><summary>More</summary><div class="row">
      <${Field} label="Page size" hint="items looked at for a page"><${Input} type="number" min="1" max="1000" value=${form.limit} onChange=${(limit) => set({ limit })}/><//>
      <${Field} label="Attributes to read" hint="separated by commas; all if empty"><${Input} value=${form.attributes} onChange=${(attributes) => set({ attributes })}/><//></div></details></div>`;
}

function Filters({ form, set, known }) {
  const change = (i, part) => set({ filters: form.filters.map((f, n) => (n === i ? { ...f, ...part } : f)) });
  return html`<fieldset class="filters plain-set"><legend class="label">Filters ${form.filters.length > 1 && html`<${Choice} label="Joined by" value=${form.joined} onChange=${(joined) => set({ joined })} options=${[['AND', 'all of'], ['OR', 'any of']]}/>`}</legend>
    <datalist id="known-attributes">${known.slice(0, 200).map((n) => html`<option key=${'n' + n} value=${n}/>`)}</datalist>
    ${form.filters.map((f, i) => html`<div class="filter" key=${i}>
      <${Input} class="filter-name" list="known-attributes" aria-label="Attribute or path" placeholder="attribute or path, a.b[0]" value=${f.name} onChange=${(name) => change(i, { name })}/>
      <${Select} aria-label="Comparison" value=${f.operator} options=${filterOperators} onChange=${(operator) => change(i, { operator })}/>
      ${!noValue.has(f.operator) && html`
        ${!/^(size|type)/.test(f.operator) && html`<${Select} aria-label="Type" value=${f.type} options=${filterTypes.map((t) => [t, typeNames[t]])} onChange=${(type) => change(i, { type, value: type === 'BOOL' ? 'true' : f.value })}/>`}
        ${f.type === 'BOOL' && !/^(size|type)/.test(f.operator) ? html`<${Select} aria-label="Value" value=${f.value} options=${['true', 'false']} onChange=${(value) => change(i, { value })}/>`
          : f.type === 'NULL' ? null : html`<${Input} aria-label="Value" placeholder=${f.operator === 'in' ? 'values, separated by commas' : f.operator === 'type is' ? 'S, N, BOOL, …' : 'value'} value=${f.value} onChange=${(value) => change(i, { value })}/>`}
        ${f.operator === 'between' && html`<${Input} aria-label="Upper value" value=${f.second} onChange=${(second) => change(i, { second })}/>`}`}
      <button type="button" class="icon" aria-label="Remove this filter" onClick=${() => set({ filters: form.filters.filter((_, n) => n !== i) })}>✕</button></div>`)}</fieldset>`;
}
