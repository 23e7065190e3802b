// Access key and region: which tables one sees.
import { html, useState, useEffect } from '../html.js';
import { look } from '../dynamodb.js';
import { plural } from '../format.js';
import { chooseNamespace, namespaceChosen, useNamespace } from '../settings.js';
import { Badge, Field, Input } from './basics.js';
import { Dialog } from './dialog.js';

/** settleNamespace goes where the tables are, if the user never said where to go. */
export async function settleNamespace() {
  if (namespaceChosen()) return;
  const known = await look('/_stator/namespaces').catch(() => null);
  const most = known?.namespaces.filter((n) => n.account && n.region).sort((a, b) => b.tables - a.tables)[0];
  if (most) chooseNamespace({ accessKey: most.account, region: most.region });
}

export function NamespaceButton() {
  const ns = useNamespace();
  const [open, set] = useState(false);
  return html`<button type="button" class="namespace" onClick=${() => set(true)} aria-label=${`Access key ${ns.accessKey}, region ${ns.region}. Change`}>
      <span class="namespace-key">${ns.accessKey}</span><span class="namespace-region">${ns.region}</span></button>
    ${open && html`<${NamespaceDialog} current=${ns} onClose=${() => set(false)}/>`}`;
}

const fits = { accessKey: /^[\x21-\x2b\x2d\x2e\x30-\x7e]{1,128}$/, region: /^[A-Za-z0-9_-]{1,64}$/ };

function NamespaceDialog({ current, onClose }) {
  const [known, setKnown] = useState(null);
  const [key, setKey] = useState(current.accessKey);
  const [region, setRegion] = useState(current.region);
  useEffect(() => { look('/_stator/namespaces').then(setKnown, () => setKnown({ namespaces: [] })); }, []);
  const choose = (accessKey, region) => { chooseNamespace({ accessKey, region }); onClose(); };
  const wrongKey = fits.accessKey.test(key) ? '' : 'Printable characters without spaces, commas and slashes';
  const wrongRegion = fits.region.test(region) ? '' : 'Letters, digits and dashes';
  return html`<${Dialog} title="Access key and region" onClose=${onClose} kind="narrow">
    <div class="dialog-body">
      <p class="muted">${known?.shared ? 'This server shows the same tables to every access key and region.'
        : 'Each pair has tables of its own. Any key is good: signatures are not checked.'}</p>
      ${known?.namespaces.length > 0 && !known.shared && html`<ul class="pick" aria-label="Pairs that have tables">${known.namespaces.map((n) => html`<li key=${n.account + '/' + n.region}>
        <button type="button" aria-current=${n.account === current.accessKey && n.region === current.region} onClick=${() => choose(n.account, n.region)}>
          <span class="mono">${n.account}</span> <span class="muted">${n.region}</span> <${Badge}>${plural(n.tables, 'table')}<//></button></li>`)}</ul>`}
      <form id="namespace" class="row" onSubmit=${(e) => { e.preventDefault(); if (!wrongKey && !wrongRegion) choose(key, region); }}>
        <${Field} label="Access key" wrong=${wrongKey}><${Input} value=${key} onChange=${setKey} maxlength="128"/><//>
        <${Field} label="Region" wrong=${wrongRegion}><${Input} value=${region} onChange=${setRegion} maxlength="64"/><//>
      </form></div>
    <footer class="dialog-foot"><button type="button" onClick=${onClose}>Cancel</button>
      <button class="primary" form="namespace" disabled=${!!(wrongKey || wrongRegion)}>Use this pair</button></footer><//>`;
}
