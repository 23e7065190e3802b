// What is said about an operation, and the table of all of them.
function operationTip(o) {
  const client = clientOf(o);
  return [
    el('b', {}, `${o.kind} ${actionsText(o)}`.slice(0, 300)),
    el('p', { class: 'muted' }, `#${o.id} of ${client.name}, ${moment(o.invoke)}, took ${duration(o.return - o.invoke)}`),
    el('p', { class: o.outcome === 'ok' ? '' : 'wrong' }, o.outcome === 'ok' ? `answered by ${answeredBy(o)}` : o.outcome),
    o.anomalies.length > 0 && el('p', { class: 'wrong' }, o.anomalies.join(', ') + (o.staleBy ? `: by ${duration(o.staleBy)}` : '')),
  ];
}

/** showChosen tells all about the chosen operation below the timeline. */
function showChosen(place) {
  const o = chosen;
  if (!o) { place.replaceChildren(); return; }
  const client = clientOf(o), missed = missedWrite(o);
  const fact = (name, ...value) => value[0] !== '' && el('div', { class: ['Missed', 'Error'].includes(name) && 'whole' }, el('dt', {}, name), el('dd', {}, value));
  place.replaceChildren(el('div', { class: `operation${o.anomalies.length ? ' anomalous' : ''}` },
    el('h3', {}, `Operation ${o.id}: ${o.kind}`, o.outcome !== 'ok' && el('span', { class: 'badge warn' }, o.outcome),
      o.anomalies.map((a) => el('span', { class: 'badge bad' }, a)),
      el('button', { type: 'button', class: 'small', 'aria-label': 'Close', onclick: () => choose(null) }, '×')),
    el('dl', { class: 'facts' },
      o.actions.map((a) => fact(a.write ? 'Wrote' : 'Read', el('span', { class: 'mono' }, actionText(a)), a.condition ? ` if ${a.condition}` : '')),
      fact('Client', `${client.name}${client.group ? `, ${client.group}` : ''}`),
      fact('Policy', client.policy ?? ''),
      fact('Begun', moment(o.invoke)),
      fact('Returned', `${moment(o.return)}, after ${duration(o.return - o.invoke)}`),
      fact('Sent to', nodeName(o.node)),
      fact('Answered by', answeredBy(o)),
      fact('Shard', `${o.shard}`),
      fact('Applied', o.applied ? `log entry ${count(o.applied)}` : ''),
      fact('Error', o.error ?? ''),
      o.staleBy > 0 && fact('Missed', `${plural(o.missed, 'write')}; the first was acknowledged ${duration(o.staleBy)} before`, missed && [': ', el('a', { href: `#op-${missed.id}` }, `operation ${missed.id}`), `, ${actionsText(missed)}`]))));
}

const columns = [
  { name: '#', sort: (o) => o.id, class: 'num' },
  { name: 'Begun', sort: (o) => o.invoke, class: 'num', value: (o) => moment(o.invoke) },
  { name: 'Took', sort: (o) => o.return - o.invoke, class: 'num', value: (o) => duration(o.return - o.invoke) },
  { name: 'Client', value: (o) => clientOf(o).name },
  { name: 'Operation', value: (o) => o.kind },
  { name: 'Items', class: 'mono', value: (o) => actionsText(o) },
  { name: 'Outcome', value: (o) => (o.error ? `${o.outcome}: ${o.error}` : o.outcome), wrong: (o) => o.outcome !== 'ok' },
  { name: 'Answered by', value: answeredBy },
  { name: 'Stale by', sort: (o) => o.staleBy ?? 0, class: 'num', value: (o) => (o.staleBy ? duration(o.staleBy) : '') },
  { name: 'Anomalies', value: (o) => o.anomalies.join(', '), wrong: () => true },
];
const rowHeight = 30;

const operationTable = (() => {
  let found = operations, sorted = { column: columns[0], descending: false };
  const texts = []; // what the search looks at, made when it is first needed
  const textOf = (o) => (texts[o.id] ??= [`#${o.id}`, clientOf(o).name, clientOf(o).group, o.kind, actionsText(o), o.outcome, o.error ?? '', answeredBy(o), ...o.actions.map((a) => a.condition ?? ''), ...o.anomalies].join(' ').toLowerCase());

  const distinct = (values) => [...new Set(values)].filter((v) => v !== '').sort();
  const option = (value, text) => el('option', { value }, text);
  const select = (name, all, values) => el('select', { 'aria-label': name }, option('', all), values.map((v) => option(v, v)));
  const search = el('input', { type: 'search', placeholder: 'Key, value, client, error, #number …', 'aria-label': 'Search operations' });
  const group = select('Group', 'All groups', distinct(result.clients.map((c) => c.group)));
  const kind = select('Operation', 'All operations', distinct(operations.map((o) => o.kind)));
  const outcome = select('Outcome', 'All outcomes', distinct(operations.map((o) => o.outcome)));
  const anomaly = select('Anomaly', 'With or without anomaly', distinct(operations.flatMap((o) => o.anomalies)));
  anomaly.options[0].after(option('any', 'Any anomaly'));
  const body = el('tbody'), above = el('tr', { class: 'gap', 'aria-hidden': 'true' }, el('td', { colspan: columns.length })), below = above.cloneNode(true);
  const heads = columns.map((c) => el('th', { scope: 'col', class: c.class === 'num' ? 'num' : undefined },
    c.sort ? el('button', { type: 'button', class: 'sort', onclick: () => { sorted = { column: c, descending: sorted.column === c ? !sorted.descending : c.name !== '#' && c.name !== 'Begun' }; filter(); } }, c.name) : c.name));
  const table = el('table', { 'aria-label': 'Operations' }, el('thead', {}, el('tr', {}, heads)), body);
  const scroller = el('div', { class: 'rows', tabindex: 0, role: 'region', 'aria-label': 'Operations' }, table);

  function filter() {
    const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
    const matches = (o, word) => (/^#\d+$/.test(word) ? word === `#${o.id}` : textOf(o).includes(word));
    found = operations.filter((o) => (group.value === '' || clientOf(o).group === group.value) && (kind.value === '' || o.kind === kind.value)
      && (outcome.value === '' || o.outcome === outcome.value)
      && (anomaly.value === '' || (anomaly.value === 'any' ? o.anomalies.length > 0 : o.anomalies.includes(anomaly.value)))
      && words.every((word) => matches(o, word)));
    const sign = sorted.descending ? -1 : 1, by = sorted.column.sort;
    if (sorted.column !== columns[0] || sorted.descending) found = found.toSorted((a, b) => sign * (by(a) - by(b)));
    heads.forEach((h, i) => {
      if (columns[i] === sorted.column) h.setAttribute('aria-sort', sorted.descending ? 'descending' : 'ascending'); else h.removeAttribute('aria-sort');
    });
    byId('matches').textContent = found.length === operations.length ? count(operations.length) : `${count(found.length)} of ${count(operations.length)}`;
    table.setAttribute('aria-rowcount', found.length + 1);
    scroller.scrollTop = 0;
    render();
  }

  /** render makes the rows that can be seen, between two that are as high as the others. */
  function render() {
    const first = Math.max(0, Math.floor(scroller.scrollTop / rowHeight) - 8);
    const shown = found.slice(first, first + Math.ceil(scroller.clientHeight / rowHeight) + 16);
    above.style.height = `${first * rowHeight}px`;
    below.style.height = `${(found.length - first - shown.length) * rowHeight}px`;
    body.replaceChildren(above, ...shown.map((o, i) => row(o, first + i)), below);
    if (found.length === 0) body.replaceChildren(el('tr', {}, el('td', { colspan: columns.length, class: 'muted' }, operations.length ? 'No operation is like that.' : 'There was no operation.')));
  }
  function row(o, position) {
    return el('tr', { 'aria-rowindex': position + 2, 'aria-current': o === chosen && 'true', onclick: () => { choose(o.id); reveal(o); } },
      el('th', { scope: 'row', class: 'num' }, el('button', { type: 'button', class: 'link', 'aria-label': `Operation ${o.id}: show in the timeline`, onclick: () => byId('timeline').scrollIntoView() }, o.id)),
      columns.slice(1).map((c) => {
        const text = c.value(o).slice(0, 500);
        return el('td', { class: [c.class, c.wrong?.(o) && 'wrong'].filter(Boolean).join(' ') || undefined, title: text.length > 30 && text }, text);
      }));
  }

  /** only shows the operations of one group with one kind of anomaly. */
  function only(kindOfAnomaly, groupName) {
    for (const control of [search, kind, outcome]) control.value = '';
    group.value = groupName;
    anomaly.value = kindOfAnomaly;
    filter();
    byId('operations').scrollIntoView();
  }

  /** keepInView scrolls the table, not the page, to the chosen operation. */
  function keepInView() {
    const position = chosen ? found.indexOf(chosen) : -1;
    if (position >= 0) {
      const top = position * rowHeight, room = scroller.clientHeight - 2 * rowHeight;
      if (top < scroller.scrollTop || top > scroller.scrollTop + room) scroller.scrollTop = Math.max(0, top - room / 2);
    }
    render();
  }

  function start(place) {
    place.append(el('div', { class: 'filters' }, search, group, kind, outcome, anomaly), scroller);
    search.addEventListener('input', filter);
    for (const control of [group, kind, outcome, anomaly]) control.addEventListener('change', filter);
    let waiting = false;
    scroller.addEventListener('scroll', () => {
      if (waiting) return;
      waiting = true;
      requestAnimationFrame(() => { waiting = false; render(); });
    });
    onChoice(keepInView);
    filter();
  }
  return { start, only };
})();
