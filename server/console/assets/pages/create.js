// A new table.
import { html, useState } from '../html.js';
import { call, pause } from '../dynamodb.js';
import { go, link } from '../router.js';
import { describe } from '../tables.js';
import { Check, Choice, Field, Input, Problem, Select, useWork } from '../ui/basics.js';
import { IndexForm, KeyField, blankIndex, definitions, indexShape, schema } from '../ui/index_form.js';
import { Snippet } from '../ui/snippet.js';

export const viewTypes = [['NEW_AND_OLD_IMAGES', 'New and old item'], ['NEW_IMAGE', 'New item'], ['OLD_IMAGE', 'Old item'], ['KEYS_ONLY', 'Keys only']];

const blank = { name: '', hash: '', hashType: 'S', range: '', rangeType: 'S', billing: 'PAY_PER_REQUEST', read: '5', write: '5', indexes: [], stream: '', ttl: '', tags: [], protect: false };

function createRequest(f) {
  const provisioned = f.billing === 'PROVISIONED';
  const shapes = (local) => f.indexes.filter((ix) => ix.local === local).map((ix) => indexShape(ix, f.hash, provisioned));
  const some = (a) => (a.length ? a : undefined);
  return {
    TableName: f.name,
    KeySchema: schema(f.hash, f.range),
    AttributeDefinitions: definitions([[f.hash, f.hashType], [f.range, f.rangeType],
      ...f.indexes.flatMap((ix) => [ix.local ? [] : [ix.hash, ix.hashType], [ix.range, ix.rangeType]])]),
    BillingMode: f.billing,
    ProvisionedThroughput: provisioned ? { ReadCapacityUnits: Number(f.read), WriteCapacityUnits: Number(f.write) } : undefined,
    LocalSecondaryIndexes: some(shapes(true)),
    GlobalSecondaryIndexes: some(shapes(false)),
    StreamSpecification: f.stream ? { StreamEnabled: true, StreamViewType: f.stream } : undefined,
    Tags: some(f.tags.filter((t) => t.Key)),
    DeletionProtectionEnabled: f.protect || undefined,
  };
}

export default function CreatePage() {
  const [f, setForm] = useState(blank);
  const [code, setCode] = useState(false);
  const work = useWork();
  const set = (part) => setForm({ ...f, ...part });
  const provisioned = f.billing === 'PROVISIONED';
  const create = (e) => {
    e.preventDefault();
    work.run(async (signal) => {
      await call('CreateTable', createRequest(f), { signal });
      if (f.ttl) {
        while ((await describe(f.name, signal)).TableStatus !== 'ACTIVE') await pause(200, signal);
        await call('UpdateTimeToLive', { TableName: f.name, TimeToLiveSpecification: { Enabled: true, AttributeName: f.ttl } }, { signal });
      }
      go('table', f.name, 'items');
    });
  };
  let snippet = null;
  if (code) {
    try {
      snippet = html`<${Snippet} operation="CreateTable" input=${createRequest(f)}/>`;
    } catch (error) {
      snippet = html`<${Problem} error=${error}/>`;
    }
  }
  const changeIndex = (i, ix) => set({ indexes: f.indexes.map((old, n) => (n === i ? ix : old)) });
  return html`<p class="crumb"><a href=${link('tables')}>Tables</a></p><div class="page-head"><h1>New table</h1></div>
    <form class="narrow-page" onSubmit=${create}>
      <section class="panel stack"><h2>Name and key</h2>
        <${Field} label="Table name" hint="3 to 255 letters, digits, and the characters _ . -"><${Input} required pattern="[A-Za-z0-9_.\\-]{3,255}" value=${f.name} onChange=${(name) => set({ name })}/><//>
        <div class="row"><${KeyField} label="Partition key" required name=${f.hash} type=${f.hashType} onName=${(hash) => set({ hash })} onType=${(hashType) => set({ hashType })}/>
          <${KeyField} label="Sort key" hint="optional" name=${f.range} type=${f.rangeType} onName=${(range) => set({ range })} onType=${(rangeType) => set({ rangeType })}/></div></section>
      <section class="panel stack"><h2>Capacity</h2>
        <${Choice} label="Billing mode" value=${f.billing} onChange=${(billing) => set({ billing })} options=${[['PAY_PER_REQUEST', 'On demand'], ['PROVISIONED', 'Provisioned']]}/>
        ${provisioned && html`<div class="row"><${Field} label="Read units"><${Input} type="number" min="1" value=${f.read} onChange=${(read) => set({ read })}/><//><${Field} label="Write units"><${Input} type="number" min="1" value=${f.write} onChange=${(write) => set({ write })}/><//></div>`}</section>
      <section class="panel stack"><h2>Indexes</h2>
        ${f.indexes.map((ix, i) => html`<${IndexForm} key=${i} index=${ix} provisioned=${provisioned} onChange=${(next) => changeIndex(i, next)} onRemove=${() => set({ indexes: f.indexes.filter((_, n) => n !== i) })}/>`)}
        <div class="actions"><button type="button" onClick=${() => set({ indexes: [...f.indexes, blankIndex(false)] })}>Add a global index</button>
          <button type="button" disabled=${!f.range} title=${f.range ? '' : 'A local index needs a table with a sort key'} onClick=${() => set({ indexes: [...f.indexes, blankIndex(true)] })}>Add a local index</button></div></section>
      <section class="panel stack"><h2>Options</h2>
        <div class="row"><${Field} label="Stream"><${Select} value=${f.stream} options=${[['', 'Off'], ...viewTypes]} onChange=${(stream) => set({ stream })}/><//>
          <${Field} label="Time to live attribute" hint="optional; seconds since 1970"><${Input} value=${f.ttl} onChange=${(ttl) => set({ ttl })}/><//></div>
        <${Check} label="Protect from deletion" checked=${f.protect} onChange=${(protect) => set({ protect })}/>
        ${f.tags.map((t, i) => html`<div class="filter" key=${i}><${Input} aria-label="Tag" placeholder="tag" value=${t.Key} onChange=${(Key) => set({ tags: f.tags.map((o, n) => (n === i ? { ...o, Key } : o)) })}/>
          <${Input} aria-label="Value of the tag" placeholder="value" value=${t.Value} onChange=${(Value) => set({ tags: f.tags.map((o, n) => (n === i ? { ...o, Value } : o)) })}/>
          <button type="button" class="icon" aria-label="Remove this tag" onClick=${() => set({ tags: f.tags.filter((_, n) => n !== i) })}>✕</button></div>`)}
        <div><button type="button" class="small" onClick=${() => set({ tags: [...f.tags, { Key: '', Value: '' }] })}>Add a tag</button></div></section>
      ${snippet && html`<section class="panel">${snippet}</section>`}
      <${Problem} error=${work.error}/>
      <div class="actions"><button class="primary" disabled=${work.busy}>${work.busy ? 'Creating …' : 'Create table'}</button>
        <a class="button" href=${link('tables')}>Cancel</a>
        <button type="button" aria-pressed=${code} onClick=${() => setCode(!code)}>${'</>'} Code</button></div></form>`;
}
