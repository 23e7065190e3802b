// One item: look at it, change it, delete it. Nothing that somebody else wrote in the
// meantime is overwritten unseen.
import { html, useEffect, useState } from '../html.js';
import { call } from '../dynamodb.js';
import { Placeholders, asItWas, changes, editRequest } from '../expressions.js';
import { size } from '../format.js';
import { attributeTypes, keyFrom } from '../tables.js';
import { brief, byteSize, empty, fromPlain, fromTyped, sameItem, toPlain, toTyped } from '../values.js';
import { Choice, Loading, Problem, useWork } from '../ui/basics.js';
import { Confirm, Dialog } from '../ui/dialog.js';
import { Editor } from '../ui/editor.js';
import { ItemForm, itemFault } from '../ui/item_form.js';
import { SnippetButton } from '../ui/snippet.js';

const write = { typed: (item) => toTyped(item), plain: (item) => toPlain({ M: item }) };

/** keysFirst puts the attributes of the key before the others. */
const keysFirst = (item, keys) => ({ ...Object.fromEntries(keys.map((k) => [k, item[k]])), ...item });

/** ItemDialog edits the item of a key, or a new one for null. */
export function ItemDialog({ table, itemKey, onClose }) {
  const keys = table.KeySchema.map((k) => k.AttributeName);
  const types = attributeTypes(table);
  const [key, setKey] = useState(itemKey); // null: the item is new
  const [before, setBefore] = useState(null); // as it was read
  const [item, setItem] = useState(null);
  const [form, setForm] = useState('form');
  const [text, setText] = useState('');
  const [wrong, setWrong] = useState(null);
  const [conflict, setConflict] = useState(null);
  const [asking, setAsking] = useState('');
  const [changed, setChanged] = useState(false);
  const work = useWork();

  const take = (found) => {
    const sorted = keysFirst(found, keys);
    setBefore(sorted);
    setItem(sorted);
    if (form !== 'form') setText(write[form](sorted));
    setConflict(null);
    setWrong(null);
  };
  const load = () => work.run(async (signal) => {
    if (!key) {
      setItem(Object.fromEntries(keys.map((n) => [n, empty(types[n])])));
      return;
    }
    const found = (await call('GetItem', { TableName: table.TableName, Key: key, ConsistentRead: true }, { signal })).Item;
    if (!found) throw new Error('This item is not there any more.');
    take(found);
  });
  useEffect(() => { load(); }, []);

  /** current is the item as the open editor has it; it throws what is wrong. */
  const current = (as = form) => {
    const now = as === 'form' ? item : as === 'typed' ? fromTyped(text) : fromPlain(text, item);
    const missing = keys.find((n) => !Object.hasOwn(now, n));
    if (missing) throw new Error(`The key attribute ${missing} is missing.`);
    const f = itemFault(now);
    if (f) throw new Error(f);
    return now;
  };
  const turn = (next) => {
    try {
      const now = form === 'form' ? item : form === 'typed' ? fromTyped(text) : fromPlain(text, item);
      setItem(now);
      if (next !== 'form') setText(write[next](now));
      setForm(next);
      setWrong(null);
    } catch (e) { setWrong(e); }
  };
  const touched = () => {
    if (!item) return false;
    try {
      return key ? !sameItem(before || {}, current()) : Object.keys(current()).length > keys.length;
    } catch { return true; }
  };

  const requestFor = (now, base = before) => {
    if (!key) {
      const p = new Placeholders();
      return ['PutItem', { TableName: table.TableName, Item: now, ConditionExpression: `attribute_not_exists(${p.name(keys[0])})`, ...p.members() }];
    }
    if (!sameItem(keyFrom(table, now), key)) throw new Error('The key of an item cannot change. Duplicate it instead, and delete this one.');
    const edit = editRequest(table.TableName, key, base, now);
    return edit ? ['UpdateItem', edit] : null;
  };
  const save = (base = before) => {
    let request;
    try {
      const now = current();
      setWrong(null);
      request = requestFor(now, base);
      if (!request) { onClose(changed); return; }
      setItem(now);
    } catch (e) { setWrong(e); return; }
    work.run(async (signal) => {
      try {
        await call(...request, { signal });
        onClose(true);
      } catch (e) {
        if (e.name !== 'ConditionalCheckFailedException') throw e;
        if (!key) throw Object.assign(new Error('There already is an item with this key. Nothing was changed.'), { name: 'Exists' });
        setConflict({ theirs: e.item || null });
        setChanged(true);
      }
    });
  };
  /** keepMine saves once more, now against what somebody else has written. */
  const keepMine = () => {
    const theirs = conflict.theirs;
    const now = current();
    const mine = new Set(changes(before, now));
    const merged = Object.fromEntries(Object.entries(theirs).filter(([n]) => !mine.has(n)));
    for (const n of mine) if (Object.hasOwn(now, n)) merged[n] = now[n];
    setConflict(null);
    setBefore(theirs);
    setItem(merged);
    if (form !== 'form') setText(write[form](merged));
    const request = requestFor(merged, theirs);
    if (!request) { onClose(true); return; }
    work.run(async (signal) => {
      try {
        await call(...request, { signal });
        onClose(true);
      } catch (e) {
        if (e.name !== 'ConditionalCheckFailedException') throw e;
        setConflict({ theirs: e.item || null });
      }
    });
  };
  const remove = async (signal) => {
    const p = new Placeholders();
    const unchanged = asItWas(p, before, Object.keys(before).slice(0, 90));
    try {
      await call('DeleteItem', { TableName: table.TableName, Key: key, ConditionExpression: unchanged.join(' AND '), ...p.members() }, { signal });
    } catch (e) {
      if (e.name !== 'ConditionalCheckFailedException') throw e;
      throw new Error('Somebody changed this item after you opened it. Close it and look at it again before deleting it.');
    }
    setTimeout(() => onClose(true));
  };
  const duplicate = () => { setKey(null); setBefore(null); setConflict(null); };
  const leave = () => (touched() ? setAsking('leave') : onClose(changed));

  return html`<${Dialog} title=${key ? 'Item' : 'New item'} kind="drawer" onClose=${leave}>
    <div class="dialog-body" onKeyDown=${(e) => { if (e.key === 'Enter' && (e.ctrlKey || e.metaKey)) { e.preventDefault(); save(); } }}>
      ${!item ? !work.error && html`<${Loading}/>` : html`
        <div class="panel-head"><${Choice} label="Edit as" value=${form} onChange=${turn} options=${[['form', 'Form'], ['typed', 'DynamoDB JSON'], ['plain', 'JSON']]}/>
          <div class="actions"><span class="muted">${size(byteSize(item))}</span><${SnippetButton} request=${() => { const r = requestFor(current()); return r || ['GetItem', { TableName: table.TableName, Key: key, ConsistentRead: true }]; }}/></div></div>
        ${conflict && html`<${Conflict} before=${before} mine=${item} theirs=${conflict.theirs} take=${() => take(conflict.theirs)} keep=${keepMine} again=${duplicate}/>`}
        ${form === 'form' ? html`<${ItemForm} item=${item} onChange=${setItem} fixed=${key ? keys : []} before=${before}/>${wrong && html`<p class="code-error" role="alert">${wrong.message}</p>`}`
          : html`<${Editor} language="json" label=${form === 'typed' ? 'Item as DynamoDB JSON' : 'Item as JSON'} text=${text} onChange=${(t) => { setText(t); setWrong(null); }} onRun=${() => save()} error=${wrong} rows=${24}/>
            ${form === 'plain' && html`<p class="muted">Sets and binary values stay what they are as long as their elements fit; new arrays are lists.</p>`}`}`}
      <${Problem} error=${work.error}/></div>
    <footer class="dialog-foot"><div class="left">${key && before && html`<button type="button" class="danger" onClick=${() => setAsking('delete')}>Delete</button>
        <button type="button" onClick=${duplicate}>Duplicate</button>`}</div>
      <button type="button" onClick=${leave}>Cancel</button><button type="button" class="primary" disabled=${work.busy || !item || !!conflict} onClick=${() => save()}>${work.busy ? 'Saving …' : key ? 'Save changes' : 'Create item'}</button></footer>
    ${asking === 'delete' && html`<${Confirm} title="Delete this item?" action="Delete" onConfirm=${remove} onClose=${() => setAsking('')}><p>It is deleted only if it still is as you see it.</p><//>`}
    ${asking === 'leave' && html`<${Confirm} title="Discard your changes?" action="Discard" onConfirm=${async () => { setTimeout(() => onClose(changed)); }} onClose=${() => setAsking('')}><p>They have not been saved.</p><//>`}<//>`;
}

/** Conflict shows what somebody else did to the attributes one has changed. */
function Conflict({ before, mine, theirs, take, keep, again }) {
  if (!theirs) {
    return html`<div class="notice warn" role="alert"><h3>Somebody deleted this item</h3><p>Your changes are still here.</p>
      <button type="button" class="small" onClick=${again}>Make a new item of them</button></div>`;
  }
  const show = (item, n) => (Object.hasOwn(item, n) ? brief(item[n], 600) : '(not there)');
  const names = [...new Set([...changes(before, theirs), ...changes(before, mine)])];
  return html`<div class="notice warn" role="alert"><h3>Somebody changed this item after you opened it</h3><p>Nothing was saved. Compare and choose:</p>
    <div class="versus"><b></b><b>Yours</b><b>Theirs</b>${names.map((n) => html`<b key=${'b' + n}>${n}</b><div class="mono">${show(mine, n)}</div><div class="mono">${show(theirs, n)}</div>`)}</div>
    <div class="actions form-foot"><button type="button" class="small" onClick=${take}>Take theirs</button><button type="button" class="small" onClick=${keep}>Keep my changes on top of theirs</button></div></div>`;
}
