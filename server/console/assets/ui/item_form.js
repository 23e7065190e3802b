// An item as a form: a row for each attribute, nested ones below.
import { html, useState } from '../html.js';
import { cut } from '../format.js';
import { empty, fault, scalar, typeNames, typeOf, types } from '../values.js';
import { Check, Input, Select } from './basics.js';

/** How deep the form goes; what is deeper is edited as JSON. */
const deepest = 8;

/** retype keeps what it can of a value when its type changes. */
function retype(value, type) {
  const was = typeOf(value);
  const text = was === 'S' || was === 'N' || was === 'B' ? value[was] : was === 'BOOL' ? String(value.BOOL) : '';
  const elements = Array.isArray(value[was]) && was !== 'L' ? value[was] : null;
  if (elements && /^.S$/.test(type)) return { [type]: elements };
  if (elements && type === 'L') return { L: elements.map((e) => ({ [was[0]]: e })) };
  if (type === 'S' || type === 'N' || type === 'B') return { [type]: text };
  if (type === 'BOOL') return { BOOL: /^true$/i.test(text) };
  return empty(type);
}

/** itemFault names the first attribute that cannot be saved as it is; '' if none. */
export function itemFault(item) {
  for (const [name, v] of Object.entries(item)) {
    const wrong = valueFault(v);
    if (wrong) return `${name}: ${wrong}`;
  }
  return '';
}

function valueFault(v) {
  const type = typeOf(v), x = v[type];
  if (type === 'L') return x.map(valueFault).find(Boolean) || '';
  if (type === 'M') return itemFault(x);
  if (/^.S$/.test(type)) return x.length === 0 ? 'A set has at least one element.' : x.map((e) => fault(type[0], e)).find(Boolean) || '';
  return type === 'N' || type === 'B' ? fault(type, x) : '';
}

/** ItemForm edits the attributes of an item or map. fixed are names that cannot change. */
export function ItemForm({ item, onChange, fixed = [], before, level = 0 }) {
  const [name, setName] = useState('');
  const [type, setType] = useState('S');
  const taken = Object.hasOwn(item, name);
  const add = () => {
    if (!name || taken) return;
    onChange({ ...item, [name]: empty(type) });
    setName('');
  };
  return html`<div>
    ${Object.keys(item).map((n) => html`<${Attribute} key=${'a' + n} name=${n} value=${item[n]} level=${level} fixed=${fixed.includes(n)}
      changed=${before && JSON.stringify(Object.hasOwn(before, n) ? before[n] : null) !== JSON.stringify(item[n])}
      onChange=${(v) => onChange({ ...item, [n]: v })}
      onRemove=${() => { const rest = { ...item }; delete rest[n]; onChange(rest); }}/>`)}
    <div class="filter add-attribute" onKeyDown=${(e) => { if (e.key === 'Enter' && !e.ctrlKey) { e.preventDefault(); add(); } }}>
      <${Input} aria-label="Name of a new attribute" placeholder="new attribute" value=${name} onChange=${setName}/>
      <${Select} aria-label="Type of the new attribute" value=${type} options=${types.map((t) => [t, typeNames[t]])} onChange=${setType}/>
      <button type="button" onClick=${add} disabled=${!name || taken}>Add</button>${taken && html`<span class="hint wrong">This name is taken.</span>`}</div></div>`;
}

function Attribute({ name, value, onChange, onRemove, fixed, changed, level }) {
  const type = typeOf(value);
  const nested = type === 'M' || type === 'L';
  return html`<div class=${`attribute${changed ? ' changed' : ''}`}>
    <span class="attribute-name">${cut(name, 200)}${fixed && html` <span class="type">key</span>`}</span>
    <${Select} aria-label=${`Type of ${cut(name, 200)}`} disabled=${fixed} value=${type} options=${types.map((t) => [t, typeNames[t]])} onChange=${(t) => onChange(retype(value, t))}/>
    ${nested ? html`<span class="muted bool">${type === 'M' ? Object.keys(value.M).length : value.L.length} inside</span>` : html`<${Scalar} name=${name} type=${type} value=${value} onChange=${onChange} fixed=${fixed}/>`}
    ${fixed ? html`<span></span>` : html`<button type="button" class="icon" aria-label=${`Remove ${cut(name, 200)}`} onClick=${onRemove}>✕</button>`}
    ${nested && html`<div class="nested">${level >= deepest ? html`<p class="muted">This deep, values are edited as JSON.</p>`
      : type === 'M' ? html`<${ItemForm} item=${value.M} level=${level + 1} onChange=${(M) => onChange({ M })}/>`
        : html`<${List} elements=${value.L} level=${level + 1} onChange=${(L) => onChange({ L })}/>`}</div>`}</div>`;
}

function List({ elements, onChange, level }) {
  return html`<div>${elements.map((v, i) => html`<${Attribute} key=${i} name=${`[${i}]`} value=${v} level=${level}
      onChange=${(next) => onChange(elements.map((e, n) => (n === i ? next : e)))} onRemove=${() => onChange(elements.filter((_, n) => n !== i))}/>`)}
    <button type="button" class="small" onClick=${() => onChange([...elements, elements.length ? empty(typeOf(elements.at(-1))) : { S: '' }])}>Add an element</button></div>`;
}

/** Scalar edits everything that is not nested; sets have one element a line. */
function Scalar({ name, type, value, onChange, fixed }) {
  const x = value[type];
  if (type === 'NULL') return html`<span class="muted bool">null</span>`;
  if (type === 'BOOL') return html`<span class="bool"><${Check} label=${String(x)} aria-label=${name} checked=${x} onChange=${(BOOL) => onChange({ BOOL })}/></span>`;
  const set = Array.isArray(x);
  const text = set ? x.join('\n') : x;
  const wrong = set ? x.map((e) => fault(type[0], e)).find(Boolean) : text && fault(type, text);
  const changed = (e) => {
    const t = e.target.value;
    if (set) onChange({ [type]: t === '' ? [] : t.split('\n') });
    else onChange(type === 'S' || fault(type, t) ? { [type]: t } : scalar(type, t));
  };
  const lines = Math.min(8, Math.max(set ? 2 : 1, text.split('\n').length, Math.ceil(Math.min(text.length, 400) / 60)));
  return html`<div>${lines > 1 || type === 'S' || set
    ? html`<textarea aria-label=${`Value of ${cut(name, 200)}`} class=${'lines' + lines} rows=${lines} spellcheck=${false} readonly=${fixed} value=${text} onInput=${changed}></textarea>`
    : html`<input aria-label=${`Value of ${cut(name, 200)}`} inputmode=${type === 'N' ? 'decimal' : undefined} spellcheck=${false} autocomplete="off" readonly=${fixed} value=${text} onInput=${changed}/>`}
    ${set && html`<span class="hint">One element a line</span>`}${wrong && html`<span class="hint wrong">${wrong}</span>`}</div>`;
}
