// One key schema, and one index, in a form.
import { html } from '../html.js';
import { Choice, Field, Input, Select } from './basics.js';

export const keyTypes = [['S', 'String'], ['N', 'Number'], ['B', 'Binary']];
export const projections = [['ALL', 'All attributes'], ['KEYS_ONLY', 'Keys only'], ['INCLUDE', 'Some attributes']];

export const blankIndex = (local) => ({ local, name: '', hash: '', hashType: 'S', range: '', rangeType: 'S', projection: 'ALL', include: '', read: '5', write: '5' });

export function KeyField({ label, hint, name, type, onName, onType, ...rest }) {
  return html`<${Field} label=${label} hint=${hint}><div class="filter"><${Input} aria-label=${label} value=${name} onChange=${onName} maxlength="255" ...${rest}/>
    <${Select} aria-label=${`Type of ${label}`} value=${type} options=${keyTypes} onChange=${onType}/></div><//>`;
}

/** IndexForm edits one index; hash is fixed for a local one. */
export function IndexForm({ index, onChange, onRemove, provisioned }) {
  const set = (part) => onChange({ ...index, ...part });
  return html`<div class="panel inner"><div class="panel-head"><h3>${index.local ? 'Local' : 'Global'} index</h3>
      ${onRemove && html`<div class="actions"><button type="button" class="small" onClick=${onRemove}>Remove</button></div>`}</div>
    <div class="row"><${Field} label="Index name"><${Input} value=${index.name} onChange=${(name) => set({ name })} maxlength="255"/><//>
      ${!index.local && html`<${KeyField} label="Partition key" name=${index.hash} type=${index.hashType} onName=${(hash) => set({ hash })} onType=${(hashType) => set({ hashType })}/>`}
      <${KeyField} label="Sort key" hint=${index.local ? '' : 'optional'} name=${index.range} type=${index.rangeType} onName=${(range) => set({ range })} onType=${(rangeType) => set({ rangeType })}/></div>
    <div class="row end"><${Choice} label="Projection" value=${index.projection} options=${projections} onChange=${(projection) => set({ projection })}/>
      ${index.projection === 'INCLUDE' && html`<${Field} label="Attributes, separated by commas"><${Input} value=${index.include} onChange=${(include) => set({ include })}/><//>`}
      ${provisioned && !index.local && html`<${Field} label="Read units"><${Input} type="number" min="1" value=${index.read} onChange=${(read) => set({ read })}/><//>
        <${Field} label="Write units"><${Input} type="number" min="1" value=${index.write} onChange=${(write) => set({ write })}/><//>`}</div></div>`;
}

const list = (text) => text.split(',').map((t) => t.trim()).filter(Boolean);

/** schema is the API shape KeySchema. */
export const schema = (hash, range) => [{ AttributeName: hash, KeyType: 'HASH' }, ...(range ? [{ AttributeName: range, KeyType: 'RANGE' }] : [])];

/** indexShape is the API shape of an index; hash is that of the table for a local one. */
export function indexShape(index, hash, provisioned) {
  return {
    IndexName: index.name,
    KeySchema: schema(index.local ? hash : index.hash, index.range),
    Projection: { ProjectionType: index.projection, ...(index.projection === 'INCLUDE' ? { NonKeyAttributes: list(index.include) } : {}) },
    ...(provisioned && !index.local ? { ProvisionedThroughput: { ReadCapacityUnits: Number(index.read), WriteCapacityUnits: Number(index.write) } } : {}),
  };
}

/** definitions is the API shape AttributeDefinitions of [name, type] pairs; it throws for one name of two types. */
export function definitions(pairs) {
  const types = new Map();
  for (const [name, type] of pairs) {
    if (!name) continue;
    if (types.has(name) && types.get(name) !== type) throw new Error(`The key attribute ${name} has two different types.`);
    types.set(name, type);
  }
  return [...types].map(([AttributeName, AttributeType]) => ({ AttributeName, AttributeType }));
}
