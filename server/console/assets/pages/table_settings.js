// What a table is, and what can be changed about it.
import { html, useEffect, useState } from '../html.js';
import { call } from '../dynamodb.js';
import { count, moment, size } from '../format.js';
import { go } from '../router.js';
import { attributeTypes, indexes, keyOf } from '../tables.js';
import { Badge, Choice, Field, Input, Problem, Select, useWork } from '../ui/basics.js';
import { Confirm, Dialog } from '../ui/dialog.js';
import { IndexForm, blankIndex, definitions, indexShape } from '../ui/index_form.js';
import { SnippetButton } from '../ui/snippet.js';
import { viewTypes } from './create.js';
import { Status } from './tables.js';

export function SettingsTab({ table, reload }) {
  const [deleting, setDeleting] = useState(false);
  const key = keyOf(table.KeySchema), types = attributeTypes(table);
  const schema = [...key.hash, ...key.range].map((n) => `${n} (${types[n]})`).join(', ');
  return html`<section class="panel"><div class="panel-head"><h2>Table</h2><div class="actions"><${SnippetButton} request=${() => ['DescribeTable', { TableName: table.TableName }]}/></div></div>
      <dl class="facts"><dt>Primary key</dt><dd class="mono">${schema}</dd><dt>Items</dt><dd>${count(table.ItemCount)}</dd><dt>Size</dt><dd>${size(table.TableSizeBytes)}</dd>
        <dt>Created</dt><dd>${moment(table.CreationDateTime)}</dd><dt>ARN</dt><dd class="mono">${table.TableArn}</dd></dl></section>
    <${Capacity} table=${table} reload=${reload}/><${Indexes} table=${table} reload=${reload}/>
    <${Stream} table=${table} reload=${reload}/><${TimeToLive} table=${table}/><${Tags} table=${table}/>
    <section class="panel"><h2>Deletion</h2><${Protection} table=${table} reload=${reload}/>
      <button type="button" class="danger" disabled=${table.DeletionProtectionEnabled} onClick=${() => setDeleting(true)}>Delete this table …</button></section>
    ${deleting && html`<${Confirm} title="Delete this table?" action="Delete table" word=${table.TableName} onClose=${() => setDeleting(false)}
      onConfirm=${async (signal) => { await call('DeleteTable', { TableName: table.TableName }, { signal }); go('tables'); }}>
      <p><b>${table.TableName}</b> and its ${count(table.ItemCount)} items are deleted for good.</p><//>`}`;
}

/** useUpdate changes the table and reads it again. */
function useUpdate(table, reload) {
  const work = useWork();
  const update = (input) => work.run(async (signal) => {
    await call('UpdateTable', { TableName: table.TableName, ...input }, { signal });
    await reload();
    return true;
  });
  return [update, work];
}

function Capacity({ table, reload }) {
  const mode = table.BillingModeSummary?.BillingMode || 'PROVISIONED';
  const [f, set] = useState(null);
  const [update, work] = useUpdate(table, reload);
  const input = () => (f.mode === 'PROVISIONED'
    ? { BillingMode: 'PROVISIONED', ProvisionedThroughput: { ReadCapacityUnits: Number(f.read), WriteCapacityUnits: Number(f.write) },
      ...(mode !== 'PROVISIONED' && table.GlobalSecondaryIndexes ? { GlobalSecondaryIndexUpdates: table.GlobalSecondaryIndexes.map((ix) => ({ Update: { IndexName: ix.IndexName, ProvisionedThroughput: { ReadCapacityUnits: Number(f.read), WriteCapacityUnits: Number(f.write) } } })) } : {}) }
    : { BillingMode: 'PAY_PER_REQUEST' });
  const save = async (e) => { e.preventDefault(); if (await update(input())) set(null); };
  return html`<section class="panel"><div class="panel-head"><h2>Capacity</h2>${!f && html`<div class="actions"><button type="button" class="small" onClick=${() => set({ mode, read: String(table.ProvisionedThroughput?.ReadCapacityUnits || 5), write: String(table.ProvisionedThroughput?.WriteCapacityUnits || 5) })}>Change</button></div>`}</div>
    ${!f ? html`<p>${mode === 'PROVISIONED' ? `Provisioned: ${count(table.ProvisionedThroughput.ReadCapacityUnits)} read and ${count(table.ProvisionedThroughput.WriteCapacityUnits)} write units` : 'On demand'}</p>`
      : html`<form class="stack" onSubmit=${save}><${Choice} label="Billing mode" value=${f.mode} onChange=${(m) => set({ ...f, mode: m })} options=${[['PAY_PER_REQUEST', 'On demand'], ['PROVISIONED', 'Provisioned']]}/>
        ${f.mode === 'PROVISIONED' && html`<div class="row"><${Field} label="Read units"><${Input} type="number" min="1" value=${f.read} onChange=${(read) => set({ ...f, read })}/><//><${Field} label="Write units"><${Input} type="number" min="1" value=${f.write} onChange=${(write) => set({ ...f, write })}/><//></div>`}
        <div class="actions"><button class="primary" disabled=${work.busy}>Save</button><button type="button" onClick=${() => set(null)}>Cancel</button><${SnippetButton} request=${() => ['UpdateTable', { TableName: table.TableName, ...input() }]}/></div></form>`}
    <${Problem} error=${work.error}/></section>`;
}

function Indexes({ table, reload }) {
  const [adding, setAdding] = useState(null);
  const [removing, setRemoving] = useState('');
  const [update, work] = useUpdate(table, reload);
  const types = attributeTypes(table);
  const provisioned = (table.BillingModeSummary?.BillingMode || 'PROVISIONED') === 'PROVISIONED';
  const input = () => ({
    AttributeDefinitions: definitions([...Object.entries(types), [adding.hash, adding.hashType], [adding.range, adding.rangeType]]
      .filter(([n]) => [adding.hash, adding.range].includes(n))),
    GlobalSecondaryIndexUpdates: [{ Create: indexShape(adding, '', provisioned) }],
  });
  const add = (e) => {
    e.preventDefault();
    let i;
    try { i = input(); } catch (error) { work.run(async () => { throw error; }); return; }
    update(i).then((ok) => ok && setAdding(null));
  };
  const list = indexes(table);
  return html`<section class="panel"><div class="panel-head"><h2>Indexes</h2><div class="actions"><button type="button" class="small" onClick=${() => setAdding(blankIndex(false))}>Add a global index</button></div></div>
    ${list.length === 0 ? html`<p class="muted">None. Queries go by the primary key only.</p>` : html`<div class="table-scroll" tabindex="0" role="region" aria-label="Indexes"><table><thead><tr><th>Name</th><th>Kind</th><th>Key</th><th>Projection</th><th class="num">Entries</th><th class="num">Size</th><th>Status</th><th><span class="hidden">Actions</span></th></tr></thead>
      <tbody>${list.map((ix) => html`<tr key=${ix.IndexName}><th scope="row" class="mono">${ix.IndexName}</th><td>${ix.Local ? 'local' : 'global'}</td><td class="mono">${ix.KeySchema.map((k) => `${k.AttributeName} (${types[k.AttributeName]})`).join(', ')}</td>
        <td>${ix.Projection.ProjectionType.toLowerCase().replaceAll('_', ' ')}${ix.Projection.NonKeyAttributes ? html` <span class="mono">${ix.Projection.NonKeyAttributes.join(', ')}</span>` : ''}</td><td class="num">${count(ix.ItemCount)}</td><td class="num">${size(ix.IndexSizeBytes)}</td>
        <td>${ix.IndexStatus ? html`<${Status} status=${ix.IndexStatus}/>` : html`<${Badge} kind="good">active<//>`}</td><td>${!ix.Local && html`<button type="button" class="small danger" onClick=${() => setRemoving(ix.IndexName)}>Delete</button>`}</td></tr>`)}</tbody></table></div>`}
    <${Problem} error=${!adding && work.error}/>
    ${adding && html`<${Dialog} title="New global index" onClose=${() => setAdding(null)}><form onSubmit=${add}><div class="dialog-body"><${IndexForm} index=${adding} provisioned=${provisioned} onChange=${setAdding}/><${Problem} error=${work.error}/></div>
      <footer class="dialog-foot"><${SnippetButton} request=${() => ['UpdateTable', { TableName: table.TableName, ...input() }]}/><button class="primary" disabled=${work.busy || !adding.name || !adding.hash}>Create index</button></footer></form><//>`}
    ${removing && html`<${Confirm} title="Delete this index?" action="Delete index" word=${removing} onClose=${() => setRemoving('')} onConfirm=${async (signal) => { await call('UpdateTable', { TableName: table.TableName, GlobalSecondaryIndexUpdates: [{ Delete: { IndexName: removing } }] }, { signal }); await reload(); }}><p>Queries that use it will fail. Items stay.</p><//>`}</section>`;
}

function Stream({ table, reload }) {
  const on = table.StreamSpecification?.StreamEnabled;
  const [view, setView] = useState('NEW_AND_OLD_IMAGES');
  const [update, work] = useUpdate(table, reload);
  return html`<section class="panel"><h2>Stream</h2>
    ${on ? html`<div class="row end"><p>On: <span class="mono">${table.StreamSpecification.StreamViewType}</span></p><button type="button" class="small" disabled=${work.busy} onClick=${() => update({ StreamSpecification: { StreamEnabled: false } })}>Turn off</button></div>`
      : html`<div class="row end"><${Field} label="Records hold"><${Select} value=${view} options=${viewTypes} onChange=${setView}/><//><button type="button" disabled=${work.busy} onClick=${() => update({ StreamSpecification: { StreamEnabled: true, StreamViewType: view } })}>Turn on</button></div>`}
    <${Problem} error=${work.error}/></section>`;
}

function TimeToLive({ table }) {
  const [ttl, setTTL] = useState(null);
  const [name, setName] = useState('');
  const work = useWork();
  const load = (signal) => call('DescribeTimeToLive', { TableName: table.TableName }, { signal }).then((a) => setTTL(a.TimeToLiveDescription));
  useEffect(() => { work.run(load); }, [table.TableName]);
  const turn = (Enabled, AttributeName) => work.run(async (signal) => {
    await call('UpdateTimeToLive', { TableName: table.TableName, TimeToLiveSpecification: { Enabled, AttributeName } }, { signal });
    await load(signal);
  });
  const on = ttl && /^ENABL/.test(ttl.TimeToLiveStatus);
  return html`<section class="panel"><h2>Time to live</h2>
    ${!ttl ? null : on ? html`<div class="row end"><p>Items expire at the time in <b class="mono">${ttl.AttributeName}</b> (seconds since 1970).</p><button type="button" class="small" disabled=${work.busy} onClick=${() => turn(false, ttl.AttributeName)}>Turn off</button></div>`
      : html`<form class="row end" onSubmit=${(e) => { e.preventDefault(); turn(true, name); }}><${Field} label="Attribute with the time, in seconds since 1970"><${Input} required value=${name} onChange=${setName}/><//><button disabled=${work.busy || !name}>Turn on</button></form>`}
    <${Problem} error=${work.error}/></section>`;
}

function Tags({ table }) {
  const [tags, setTags] = useState(null);
  const [tag, setTag] = useState({ Key: '', Value: '' });
  const work = useWork();
  const load = (signal) => call('ListTagsOfResource', { ResourceArn: table.TableArn }, { signal }).then((a) => setTags(a.Tags || []));
  useEffect(() => { work.run(load); }, [table.TableArn]);
  const change = (operation, input) => work.run(async (signal) => {
    await call(operation, { ResourceArn: table.TableArn, ...input }, { signal });
    await load(signal);
    setTag({ Key: '', Value: '' });
  });
  return html`<section class="panel"><h2>Tags</h2><div class="stack">
    ${tags?.length > 0 && html`<ul class="tags" aria-label="Tags">${tags.map((t) => html`<li key=${t.Key}><span class="badge"><b>${t.Key}</b> ${t.Value}</span><button type="button" class="icon" aria-label=${`Remove the tag ${t.Key}`} onClick=${() => change('UntagResource', { TagKeys: [t.Key] })}>✕</button></li>`)}</ul>`}
    <form class="row end" onSubmit=${(e) => { e.preventDefault(); change('TagResource', { Tags: [tag] }); }}><${Field} label="Tag"><${Input} value=${tag.Key} maxlength="128" onChange=${(Key) => setTag({ ...tag, Key })}/><//><${Field} label="Value"><${Input} value=${tag.Value} maxlength="256" onChange=${(Value) => setTag({ ...tag, Value })}/><//><button disabled=${work.busy || !tag.Key}>Add</button></form></div>
    <${Problem} error=${work.error}/></section>`;
}

function Protection({ table, reload }) {
  const [update, work] = useUpdate(table, reload);
  const on = !!table.DeletionProtectionEnabled;
  return html`<div class="row end form-gap"><p>${on ? 'This table is protected from deletion.' : 'This table is not protected from deletion.'}</p>
    <button type="button" class="small" disabled=${work.busy} onClick=${() => update({ DeletionProtectionEnabled: !on })}>${on ? 'Lift the protection' : 'Protect'}</button></div><${Problem} error=${work.error}/>`;
}
