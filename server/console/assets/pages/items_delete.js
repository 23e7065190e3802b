// Deleting several items: those that are marked, or all that a request finds.
import { html, useState } from '../html.js';
import { batches, pages, writeBatch } from '../bulk.js';
import { count, plural } from '../format.js';
import { keyFrom } from '../tables.js';
import { Problem, useWork } from '../ui/basics.js';
import { Dialog } from '../ui/dialog.js';

/** keysOnly reads no more of the items than is needed to delete them. */
function keysOnly(table, [operation, input]) {
  const own = { ...input.ExpressionAttributeNames };
  const used = new Map(Object.entries(own).map(([holder, name]) => [name, holder]));
  const list = table.KeySchema.map((k) => {
    const name = k.AttributeName;
    if (!used.has(name)) { used.set(name, '#k' + used.size); own[used.get(name)] = name; }
    return used.get(name);
  });
  return [operation, { ...input, Limit: undefined, ProjectionExpression: list.join(', '), ExpressionAttributeNames: own }];
}

export function DeleteDialog({ table, items, asked, onClose }) {
  const [done, setDone] = useState(0);
  const [typed, setTyped] = useState('');
  const [ended, setEnded] = useState(false);
  const work = useWork();
  const run = (e) => {
    e.preventDefault();
    work.run(async (signal) => {
      async function* requests() {
        if (items) {
          for (const item of items) yield { DeleteRequest: { Key: keyFrom(table, item) } };
          return;
        }
        for await (const page of pages(keysOnly(table, asked), signal)) {
          for (const item of page.Items) yield { DeleteRequest: { Key: keyFrom(table, item) } };
        }
      }
      let n = 0;
      for await (const batch of batches(requests())) {
        await writeBatch(table.TableName, batch, signal);
        n += batch.length;
        setDone(n);
      }
      setEnded(true);
    });
  };
  const close = () => { work.stop(); onClose(done > 0); };
  const ready = items || typed === table.TableName;
  return html`<${Dialog} title=${items ? `Delete ${plural(items.length, 'item')}?` : 'Delete all that was asked for?'} onClose=${close} kind="narrow"><form onSubmit=${run}>
    <div class="dialog-body">
      ${items ? html`<p>They are deleted as they are now, also if somebody changed them after you read them.</p>`
        : html`<p>Every item that the ${asked[0]} above finds is deleted, on this page and all others.</p>
          <label class="field"><span class="label">Type <code>${table.TableName}</code> to confirm</span><input autofocus autocomplete="off" spellcheck=${false} value=${typed} onInput=${(e) => setTyped(e.target.value)}/></label>`}
      ${(work.busy || done > 0) && html`<div role="status"><progress value=${items ? done / items.length : ended ? 1 : undefined}></progress><p>${count(done)} deleted${ended ? '' : ' …'}</p></div>`}
      <${Problem} error=${work.error}/></div>
    <footer class="dialog-foot"><button type="button" onClick=${close}>${ended ? 'Close' : work.busy ? 'Stop' : 'Cancel'}</button>
      ${!ended && html`<button class="danger" disabled=${work.busy || !ready}>Delete</button>`}</footer></form><//>`;
}
