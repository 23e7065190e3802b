// A result as a file. Where the browser lets a page write files, all pages stream into
// one; elsewhere the browser keeps the pieces until the end.
import { html, useState } from '../html.js';
import { pages } from '../bulk.js';
import { forms } from '../files.js';
import { count, size } from '../format.js';
import { Check, Choice, Field, Problem, Select, useWork } from '../ui/basics.js';
import { Dialog } from '../ui/dialog.js';

/** sink opens where the text goes: {write, close, abort}. */
async function sink(name, form, large) {
  if (large && window.showSaveFilePicker) {
    const handle = await window.showSaveFilePicker({ suggestedName: name });
    return handle.createWritable();
  }
  const parts = [];
  return {
    write: async (text) => { parts.push(new Blob([text])); },
    abort: async () => {},
    close: async () => {
      const url = URL.createObjectURL(new Blob(parts, { type: form.type }));
      const a = Object.assign(document.createElement('a'), { href: url, download: name });
      a.click();
      setTimeout(() => URL.revokeObjectURL(url), 60000);
    },
  };
}

export function ExportDialog({ table, items, asked, columns, onClose }) {
  const [scope, setScope] = useState('page');
  const [kind, setKind] = useState('json');
  const [safe, setSafe] = useState(true);
  const [done, setDone] = useState(null);
  const [ended, setEnded] = useState(false);
  const work = useWork();
  const run = (e) => {
    e.preventDefault();
    work.run(async (signal) => {
      const form = forms[kind];
      const out = await sink(`${table.TableName}.${form.ending}`, form, scope === 'all');
      let n = 0, bytes = 0;
      const write = async (text) => { bytes += text.length; await out.write(text); };
      const options = { columns, safe };
      try {
        await write(form.head(options));
        const source = scope === 'page' ? [{ Items: items }] : pages([asked[0], { ...asked[1], Limit: undefined }], signal);
        for await (const page of source) {
          let text = '';
          for (const item of page.Items) text += form.item(item, n++, options);
          if (text) await write(text);
          setDone({ n, bytes });
        }
        await write(form.tail(options));
        await out.close();
        setEnded(true);
      } catch (error) {
        await out.abort();
        throw error;
      }
    });
  };
  const close = () => { work.stop(); onClose(false); };
  return html`<${Dialog} title="Export" onClose=${close} kind="narrow"><form onSubmit=${run}>
    <div class="dialog-body">
      <${Choice} label="What" value=${scope} onChange=${setScope} options=${[['page', 'This page'], ['all', 'All results']]}/>
      <${Field} label="Form"><${Select} value=${kind} onChange=${setKind} options=${Object.entries(forms).map(([k, f]) => [k, f.text])}/><//>
      ${kind === 'csv' && html`<p class="muted">The columns are those that are shown: ${columns.slice(0, 12).join(', ')}${columns.length > 12 ? ' …' : ''}</p>
        <${Check} label="Put an apostrophe before texts that a spreadsheet would run as a formula" checked=${safe} onChange=${setSafe}/>`}
      ${kind === 'json' && html`<p class="muted">Sets become arrays and binary values Base64 texts. DynamoDB JSON keeps all types.</p>`}
      ${done && html`<p role="status">${count(done.n)} items, ${size(done.bytes)}${ended ? ', done' : ' …'}</p>`}
      <${Problem} error=${work.error}/></div>
    <footer class="dialog-foot"><button type="button" onClick=${close}>${ended ? 'Close' : work.busy ? 'Stop' : 'Cancel'}</button>
      <button class="primary" disabled=${work.busy}>Export</button></footer></form><//>`;
}
