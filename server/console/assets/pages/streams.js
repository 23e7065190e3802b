// Streams, and the changes in one as they happen.
import { html, useEffect, useRef, useState } from '../html.js';
import { call } from '../dynamodb.js';
import { changes } from '../expressions.js';
import { moment, plural } from '../format.js';
import { link } from '../router.js';
import { tail } from '../streams.js';
import { Badge, Choice, Empty, Loading, Problem, useWork } from '../ui/basics.js';
import { SnippetButton } from '../ui/snippet.js';
import { brief, toPlain } from '../values.js';

export default function StreamsPage({ args: [arn] }) {
  const [list, setList] = useState(null);
  const work = useWork();
  useEffect(() => {
    work.run(async (signal) => {
      const all = [];
      for (let last; ;) {
        const page = await call('ListStreams', { Limit: 100, ExclusiveStartStreamArn: last }, { signal });
        all.push(...page.Streams);
        setList([...all]);
        last = page.LastEvaluatedStreamArn;
        if (!last) return;
      }
    });
  }, []);
  if (arn) {
    const table = /:table\/([^/]+)/.exec(arn)?.[1] ?? arn;
    return html`<p class="crumb"><a href=${link('streams')}>Streams</a></p><div class="page-head"><h1>Stream of ${table}</h1></div><${Tail} key=${arn} arn=${arn}/>`;
  }
  return html`<div class="page-head"><h1>Streams</h1></div><${Problem} error=${work.error}/>
    ${!list ? !work.error && html`<${Loading}/>` : list.length === 0 ? html`<${Empty} title="No table has a stream"><p>A stream records every change of a table's items for 24 hours. Turn one on in the settings of a table.</p><//>`
      : html`<div class="table-scroll"><table><thead><tr><th>Table</th><th>Stream</th></tr></thead><tbody>${list.map((s) => html`<tr key=${s.StreamArn}><th scope="row"><a href=${link('streams', s.StreamArn)}>${s.TableName}</a></th><td class="mono">${s.StreamLabel}</td></tr>`)}</tbody></table></div>`}`;
}

/** How many records are kept. */
const kept = 500;

export function Tail({ arn }) {
  const [from, setFrom] = useState('LATEST');
  const [records, setRecords] = useState([]);
  const [waiting, setWaiting] = useState(0);
  const [paused, setPaused] = useState(false);
  const stopped = useRef(false);
  const held = useRef([]);
  stopped.current = paused;
  const work = useWork();
  const publish = () => { setRecords(held.current); setWaiting(0); };
  useEffect(() => {
    held.current = [];
    publish();
    work.run((signal) => tail(arn, from, signal, (list) => {
      held.current = [...list.toReversed(), ...held.current].slice(0, kept);
      if (stopped.current) setWaiting((n) => n + list.length);
      else publish();
    }));
  }, [arn, from]);
  useEffect(() => { if (!paused) publish(); }, [paused]);
  return html`<div class="panel-head"><${Choice} label="From" value=${from} onChange=${setFrom} options=${[['LATEST', 'From now on'], ['TRIM_HORIZON', 'Last 24 hours']]}/>
      <span class="muted" role="status"><span class=${`dot ${work.busy && !paused ? 'on' : 'off'}`}></span>${paused ? `paused${waiting ? `, ${plural(waiting, 'record')} waiting` : ''}` : work.busy ? 'live' : 'stopped'}</span>
      <div class="actions"><button type="button" class="small" aria-pressed=${paused} onClick=${() => setPaused(!paused)}>${paused ? 'Go on' : 'Pause'}</button>
        <button type="button" class="small" onClick=${() => { held.current = []; publish(); }}>Clear</button><${SnippetButton} request=${() => ['DescribeStream', { StreamArn: arn }]}/></div></div>
    <${Problem} error=${work.error}/>
    ${records.length === 0 ? html`<${Empty} title="Waiting for changes"><p>Every change of an item shows up here within a second.</p><//>`
      : html`<p class="muted">${records.length === kept ? `The latest ${kept} records` : plural(records.length, 'record')}, newest first</p>${records.map((r) => html`<${Record} key=${r.eventID} record=${r}/>`)}`}`;
}

const kinds = { INSERT: 'good', MODIFY: 'blue', REMOVE: 'bad' };

function Record({ record: { eventName, dynamodb: d, userIdentity } }) {
  const before = d.OldImage, after = d.NewImage;
  const changed = before && after ? changes(before, after) : [];
  return html`<details class="record"><summary><${Badge} kind=${kinds[eventName]}>${eventName.toLowerCase()}<//>
      <bdi class="mono">${Object.entries(d.Keys).map(([n, v]) => `${n}=${brief(v, 80)}`).join(' ')}</bdi>
      ${changed.length > 0 && html`<span class="muted-inline">${changed.slice(0, 6).join(', ')}${changed.length > 6 ? ' …' : ''}</span>`}${userIdentity && html`<${Badge}>expired<//>`}
      <span class="muted">${moment(d.ApproximateCreationDateTime, true)}</span></summary>
    <p class="muted mono">${d.SequenceNumber}</p>
    ${changed.length > 0 && html`<div class="versus"><b></b><b>Before</b><b>After</b>${changed.map((n) => html`<b key=${'b' + n}>${n}</b><div class="mono">${Object.hasOwn(before, n) ? brief(before[n], 600) : '(not there)'}</div><div class="mono">${Object.hasOwn(after, n) ? brief(after[n], 600) : '(not there)'}</div>`)}</div>`}
    ${!changed.length && html`<pre class="text" tabindex="0">${toPlain({ M: after || before || d.Keys })}</pre>`}</details>`;
}
