// One table: its items, its settings, its stream.
import { html, useEffect, useState } from '../html.js';
import { link } from '../router.js';
import { describe } from '../tables.js';
import { Loading, Problem, Tabs, useWork } from '../ui/basics.js';
import { Status } from './tables.js';
import { Items } from './items.js';
import { SettingsTab } from './table_settings.js';
import { Tail } from './streams.js';

export default function TablePage({ args: [name, tab = 'items'] }) {
  const [table, setTable] = useState(null);
  const work = useWork();
  const load = () => work.run(async (signal) => setTable(await describe(name, signal)));
  useEffect(() => { load(); }, [name]);
  const indexBusy = table?.GlobalSecondaryIndexes?.some((ix) => ix.IndexStatus !== 'ACTIVE');
  const settling = table && (table.TableStatus !== 'ACTIVE' || indexBusy);
  useEffect(() => {
    if (!settling) return undefined;
    const timer = setTimeout(load, 1000);
    return () => clearTimeout(timer);
  }, [table]);
  return html`<p class="crumb"><a href=${link('tables')}>Tables</a></p>
    <div class="page-head"><h1>${name}</h1>${table && html`<${Status} status=${table.TableStatus}/>`}</div>
    <${Tabs} label="Table" current=${tab} tabs=${[['items', 'Items', link('table', name, 'items')], ['settings', 'Settings', link('table', name, 'settings')], ['stream', 'Stream', link('table', name, 'stream')]]}/>
    <${Problem} error=${work.error}><button type="button" onClick=${load}>Try again</button><//>
    ${!table ? !work.error && html`<${Loading}/>` : html`
      <div hidden=${tab !== 'items'}><${Items} table=${table}/></div>
      ${tab === 'settings' && html`<${SettingsTab} table=${table} reload=${load}/>`}
      ${tab === 'stream' && html`<${StreamTab} table=${table}/>`}`}`;
}

function StreamTab({ table }) {
  if (!table.LatestStreamArn) {
    return html`<div class="empty"><p class="empty-title">This table has no stream</p><p>A stream records every change of its items for 24 hours. Turn it on under Settings.</p>
      <a class="button" href=${link('table', table.TableName, 'settings')}>Settings</a></div>`;
  }
  return html`<${Tail} arn=${table.LatestStreamArn}/>`;
}
