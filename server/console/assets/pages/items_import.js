// Items from a file, with progress. The file is never in memory as a whole.
import { html, useState } from '../html.js';
import { batches, isRefusal, writeBatch } from '../bulk.js';
import { call, inParallel } from '../dynamodb.js';
import { Placeholders } from '../expressions.js';
import { items } from '../files.js';
import { count, size } from '../format.js';
import { attributeTypes } from '../tables.js';
import { Check, Choice, Problem, useWork } from '../ui/basics.js';
import { Dialog } from '../ui/dialog.js';

/** How many faults are listed; the others are counted. */
const listedFaults = 20;

export function ImportDialog({ table, onClose }) {
  const [file, setFile] = useState(null);
  const [mode, setMode] = useState('keep');
  const [numbers, setNumbers] = useState(true);
  const [state, setState] = useState(null);
  const work = useWork();
  const run = (e) => {
    e.preventDefault();
    work.run(async (signal) => {
      const s = { bytes: 0, read: 0, written: 0, kept: 0, failed: 0, faults: [], ended: false };
      let drawn = 0;
      const draw = (now) => {
        if (!now && performance.now() - drawn < 100) return;
        drawn = performance.now();
        setState({ ...s, faults: [...s.faults] });
      };
      const fail = (n, error) => {
        s.failed++;
        if (s.faults.length < listedFaults) s.faults.push(`Record ${n}: ${error.message}`);
      };
      const put = async ({ n, item }, condition) => {
        try {
          await call('PutItem', { TableName: table.TableName, Item: item, ...condition }, { signal });
          s.written++;
        } catch (error) {
          if (error.name === 'ConditionalCheckFailedException') s.kept++;
          else if (isRefusal(error)) fail(n, error);
          else throw error;
        }
      };
      async function* records() {
        for await (const record of items(file, { keyTypes: attributeTypes(table), numbers, seen: (b) => { s.bytes = b; } })) {
          s.read++;
          if (record.error) fail(record.n, record.error);
          else yield record;
          draw();
        }
      }
      try {
        for await (const group of batches(records())) {
          if (mode === 'keep') {
            const p = new Placeholders();
            const condition = { ConditionExpression: `attribute_not_exists(${p.name(table.KeySchema[0].AttributeName)})`, ...p.members() };
            await inParallel(8, group, (record) => put(record, condition));
          } else {
            try {
              await writeBatch(table.TableName, group.map(({ item }) => ({ PutRequest: { Item: item } })), signal);
              s.written += group.length;
            } catch (error) { // one bad item spoils a batch: find it
              if (!isRefusal(error)) throw error;
              for (const record of group) await put(record, {}); // in order, for keys that come twice
            }
          }
          draw();
        }
        s.ended = true;
      } finally { draw(true); }
    });
  };
  const close = () => { work.stop(); onClose(state?.written > 0); };
  return html`<${Dialog} title="Import" onClose=${close} kind="narrow"><form onSubmit=${run}>
    <div class="dialog-body">
      <label class="field"><span class="label">File</span><input type="file" accept=".json,.jsonl,.ndjson,.csv,application/json,text/csv" onChange=${(e) => { setFile(e.target.files[0] || null); setState(null); }}/>
        <span class="hint">JSON (an array, or an item after the other), DynamoDB JSON, or CSV with a line of names</span></label>
      <${Choice} label="Items that exist already" value=${mode} onChange=${setMode} options=${[['keep', 'Keep existing items'], ['replace', 'Replace them']]}/>
      ${file && /\.csv$/i.test(file.name) && html`<${Check} label="Numbers, true and false are no texts" checked=${numbers} onChange=${setNumbers}/>`}
      ${state && html`<div role="status"><progress value=${file.size ? state.bytes / file.size : 1}></progress>
        <p>${count(state.written)} written${state.kept ? `, ${count(state.kept)} existed` : ''}${state.failed ? `, ${count(state.failed)} refused` : ''} · ${size(state.bytes)} of ${size(file.size)}${state.ended ? ' · done' : ''}</p></div>`}
      ${state?.faults.length > 0 && html`<pre class="text" tabindex="0">${state.faults.join('\n')}${state.failed > listedFaults ? `\n… and ${state.failed - listedFaults} more` : ''}</pre>`}
      <${Problem} error=${work.error}/></div>
    <footer class="dialog-foot"><button type="button" onClick=${close}>${state?.ended ? 'Close' : work.busy ? 'Stop' : 'Cancel'}</button>
      ${!state?.ended && html`<button class="primary" disabled=${!file || work.busy}>Import</button>`}</footer></form><//>`;
}
