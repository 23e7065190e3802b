// Items in files: CSV and JSON, written and read piece by piece.
import { JSONError, parse } from './json.js';
import { brief, fault, fromTyped, plainItem, toPlain, toTyped, typeOf } from './values.js';

/** cell is a value in a CSV file. Lists, maps and sets are JSON. */
const cell = (v) => {
  if (!v) return '';
  const type = typeOf(v);
  if (type === 'S' || type === 'N' || type === 'B') return v[type];
  return type === 'NULL' ? 'null' : brief(v, Infinity);
};

/** A spreadsheet takes a text that begins like this for a formula. */
const formula = /^[=+\-@\t\r]/;

function quoted(text, isText, safe) {
  const shown = safe && isText && formula.test(text) ? `'${text}` : text;
  return /[",\r\n]|^\s|\s$/.test(shown) ? `"${shown.replaceAll('"', '""')}"` : shown;
}

/** Forms of a file: a head, each item (i counts from 0), a tail. */
export const forms = {
  json: { text: 'JSON', type: 'application/json', ending: 'json', head: () => '[\n', item: (item, i) => (i ? ',\n' : '') + toPlain({ M: item }, ''), tail: () => '\n]\n' },
  typed: { text: 'DynamoDB JSON, a line each', type: 'application/x-ndjson', ending: 'jsonl', head: () => '', item: (item) => toTyped(item, '') + '\n', tail: () => '' },
  csv: {
    text: 'CSV', type: 'text/csv', ending: 'csv',
    head: ({ columns, safe }) => columns.map((c) => quoted(c, true, safe)).join(',') + '\r\n',
    item: (item, i, { columns, safe }) => columns.map((c) => {
      const v = Object.hasOwn(item, c) ? item[c] : undefined;
      return quoted(cell(v), !!v && typeOf(v) !== 'N', safe);
    }).join(',') + '\r\n',
    tail: () => '',
  },
};

/** A longest record: what one item may take as text, generously. */
const longestRecord = 8 << 20;

/** chunks reads a file as text; seen gets the bytes read so far. */
async function* chunks(file, seen) {
  const reader = file.stream().getReader();
  const decoder = new TextDecoder('utf-8', { fatal: true });
  let bytes = 0;
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) { yield decoder.decode(); return; }
      bytes += value.length;
      seen(bytes);
      yield decoder.decode(value, { stream: true });
    }
  } catch (e) {
    throw e instanceof TypeError ? new Error('This file is not text in UTF-8.') : e;
  } finally {
    reader.cancel().catch(() => {});
  }
}

/** objects cuts JSON into the texts of its outermost objects: an array, or one after the other. */
export async function* objects(texts) {
  let held = '', at = 0, depth = 0, inString = false, start = -1;
  for await (const text of texts) {
    held += text;
    for (; at < held.length; at++) {
      const c = held.charCodeAt(at);
      if (inString) {
        if (c === 92) {
          if (at + 1 === held.length) break; // the character after a backslash comes with the next piece
          at++;
        } else if (c === 34) inString = false;
      } else if (c === 34) inString = true;
      else if (c === 123 && depth++ === 0) start = at;
      else if (c === 125 && depth > 0 && --depth === 0) {
        yield held.slice(start, at + 1);
        held = held.slice(at + 1);
        at = -1;
        start = -1;
      }
    }
    if (start < 0) {
      held = held.slice(at);
      at = 0;
    }
    if (held.length > longestRecord) throw new Error('A record of this file is longer than any item can be.');
  }
  if (depth) throw new Error('The file ends within an item.');
}

/** rows cuts CSV into arrays of texts. */
export async function* rows(texts) {
  let row = [], field = '', inQuotes = false, before = '';
  const endRow = () => {
    row.push(field);
    const full = row;
    row = [];
    field = '';
    return full;
  };
  for await (const text of texts) {
    for (const c of text) {
      if (inQuotes) {
        if (before === '"') {
          before = '';
          if (c === '"') { field += '"'; continue; }
          inQuotes = false;
        } else if (c === '"') { before = '"'; continue; }
        else { field += c; continue; }
      }
      if (c === '"' && field === '') inQuotes = true;
      else if (c === ',') { row.push(field); field = ''; }
      else if (c === '\n') {
        if (field.endsWith('\r')) field = field.slice(0, -1);
        const full = endRow();
        if (full.length > 1 || full[0] !== '') yield full;
      } else field += c;
      if (field.length > longestRecord) throw new Error('A record of this file is longer than any item can be.');
    }
  }
  if (field !== '' || row.length) yield endRow();
}

/** typed tells DynamoDB JSON by its first item: every value is an object with one type. */
const looksTyped = (node) => node.entries.length > 0 && node.entries.every(([, v]) => v.kind === 'object' && v.entries.length === 1 && /^(S|N|B|BOOL|NULL|L|M|SS|NS|BS)$/.test(v.entries[0][0]));

/**
 * items reads a file: yields {item} or {error}, with the number of the record. Key
 * attributes get the types of the table; numbers in CSV are numbers if asked for.
 */
export async function* items(file, { keyTypes, numbers, seen }) {
  let n = 0;
  const fit = (item) => {
    for (const [name, type] of Object.entries(keyTypes)) {
      const v = Object.hasOwn(item, name) ? item[name] : undefined;
      if (!v) continue; // the key of an index may be missing; the server says if it must not
      const was = typeOf(v);
      if (was !== type && /^[SNB]$/.test(was)) {
        if (fault(type, v[was])) throw new Error(`${name}: ${fault(type, v[was])}`);
        item[name] = { [type]: v[was] };
      }
    }
    return item;
  };
  if (/\.csv$/i.test(file.name)) {
    let head = null;
    for await (const row of rows(chunks(file, seen))) {
      if (!head) { head = row.map((h, i) => (i ? h : h.replace(/^\uFEFF/, ''))); continue; }
      n++;
      try {
        const cells = head.map((name, i) => [name, row[i] ?? '']).filter(([name, text]) => name && text !== '');
        yield { n, item: fit(Object.fromEntries(cells.map(([name, text]) => [name, csvValue(text, numbers && !Object.hasOwn(keyTypes, name))]))) };
      } catch (error) { yield { n, error }; }
    }
    return;
  }
  let typed = null;
  for await (const text of objects(chunks(file, seen))) {
    n++;
    try {
      let source = text, node = parse(text);
      if (node.entries.length === 1 && node.entries[0][0] === 'Item' && node.entries[0][1].kind === 'object') { // as exports to S3 have it
        source = null;
        node = node.entries[0][1];
      }
      typed ??= looksTyped(node);
      const plain = () => plainItem(node);
      yield { n, item: fit(!typed ? plain() : source ? fromTyped(source) : fromTyped(text.slice(node.at, text.lastIndexOf('}')))) };
    } catch (error) {
      yield { n, error: error instanceof JSONError ? new Error(`${error.message} (character ${error.position + 1})`) : error };
    }
  }
}

function csvValue(text, numbers) {
  if (numbers && /^-?(0|[1-9]\d{0,37})(\.\d+)?$/.test(text)) return { N: text };
  if (numbers && /^(true|false)$/.test(text)) return { BOOL: text === 'true' };
  return { S: text };
}
