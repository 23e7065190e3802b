// Attribute values as the API has them: {S: "text"}, {N: "1"}, {M: {...}}, ...
import { JSONError, parse } from './json.js';

export const types = ['S', 'N', 'BOOL', 'NULL', 'B', 'L', 'M', 'SS', 'NS', 'BS'];

export const typeNames = {
  S: 'String', N: 'Number', BOOL: 'Boolean', NULL: 'Null', B: 'Binary',
  L: 'List', M: 'Map', SS: 'String set', NS: 'Number set', BS: 'Binary set',
};

export const typeOf = (v) => Object.keys(v)[0];

/** empty is the value a form begins with. */
export function empty(type) {
  switch (type) {
    case 'BOOL': return { BOOL: false };
    case 'NULL': return { NULL: true };
    case 'L': case 'SS': case 'NS': case 'BS': return { [type]: [] };
    case 'M': return { M: {} };
    default: return { [type]: '' };
  }
}

const numberForm = /^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$/;
const base64Form = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;

/** fault says what is wrong with the text of a scalar; '' if nothing. */
export function fault(type, text) {
  if (type === 'N' && !numberForm.test(text.trim())) return text.trim() ? 'This is not a number.' : 'A number is needed.';
  if (type === 'B' && !base64Form.test(text.trim())) return 'Binary values are written in Base64.';
  return '';
}

/** scalar makes a value of what was typed; it throws an Error with fault's text. */
export function scalar(type, text) {
  if (type === 'BOOL') return { BOOL: /^true$/i.test(text.trim()) };
  if (type === 'NULL') return { NULL: true };
  const wrong = fault(type, text);
  if (wrong) throw new Error(wrong);
  return { [type]: type === 'S' ? text : text.trim() };
}

/** A text that stops growing: cells show the beginning of values that may be huge. */
class Text {
  constructor(limit) { this.limit = limit; this.out = ''; }
  add(s) { this.out += s; return this.out.length < this.limit; }
}

function writePlain(t, v, indent, level) {
  const type = typeOf(v), x = v[type];
  const list = (open, close, elements, each) => {
    if (!elements.length) return t.add(open + close);
    const pad = indent ? '\n' + indent.repeat(level + 1) : '';
    let first = true;
    t.add(open);
    for (const e of elements) {
      if (!t.add((first ? '' : indent ? ',' : ', ') + pad)) return false;
      first = false;
      if (each(e) === false) return false;
    }
    return t.add((indent ? '\n' + indent.repeat(level) : '') + close);
  };
  switch (type) {
    case 'N': return t.add(x);
    case 'BOOL': return t.add(String(x));
    case 'NULL': return t.add('null');
    case 'L': return list('[', ']', x, (e) => writePlain(t, e, indent, level + 1));
    case 'SS': case 'BS': return list('[', ']', x, (e) => t.add(JSON.stringify(e)));
    case 'NS': return list('[', ']', x, (e) => t.add(e));
    case 'M': return list('{', '}', Object.keys(x), (name) => t.add(JSON.stringify(name) + ': ') && writePlain(t, x[name], indent, level + 1));
    default: return t.add(JSON.stringify(x.length > t.limit ? x.slice(0, t.limit) : x));
  }
}

/** toPlain is a value as plain JSON, numbers to the last digit. */
export function toPlain(v, indent = '  ') {
  const t = new Text(Infinity);
  writePlain(t, v, indent, 0);
  return t.out;
}

/** toTyped is an item as DynamoDB JSON. */
export const toTyped = (item, indent = '  ') => JSON.stringify(item, null, indent);

/** brief is one line of at most limit characters. */
export function brief(v, limit = 160) {
  const type = typeOf(v);
  if (type === 'S' || type === 'N' || type === 'B') return v[type].slice(0, limit + 1);
  const t = new Text(limit);
  writePlain(t, v, '', 0);
  return t.out;
}

/** fromTyped reads an item in DynamoDB JSON. Errors are JSONErrors. */
export function fromTyped(text) {
  const root = parse(text);
  if (root.kind !== 'object') throw new JSONError('An item is an object: { … }.', root.at);
  return Object.fromEntries(root.entries.map(([name, node]) => [name, typedValue(node)]));
}

function typedValue(node) {
  const wrong = (message, at = node.at) => { throw new JSONError(message, at); };
  if (node.kind !== 'object' || node.entries.length !== 1) wrong('A value is an object with its type, for example {"S": "text"}.');
  const [type, v, at] = node.entries[0];
  const texts = () => {
    if (v.kind !== 'array') wrong(`${type} takes an array.`, v.at);
    return v.elements.map((e) => {
      if (e.kind !== 'string') wrong(`The elements of ${type} are written in quotation marks.`, e.at);
      const f = fault(type[0], e.text);
      if (f) wrong(f, e.at);
      return e.text;
    });
  };
  switch (type) {
    case 'S': case 'N': case 'B':
      if (v.kind !== 'string') wrong(`${type} takes a text in quotation marks.`, v.at);
      if (fault(type, v.text)) wrong(fault(type, v.text), v.at);
      return { [type]: v.text };
    case 'BOOL':
      if (v.kind !== 'boolean') wrong('BOOL takes true or false.', v.at);
      return { BOOL: v.value };
    case 'NULL':
      if (v.kind !== 'boolean' || !v.value) wrong('NULL takes true.', v.at);
      return { NULL: true };
    case 'SS': case 'NS': case 'BS':
      return { [type]: texts() };
    case 'L':
      if (v.kind !== 'array') wrong('L takes an array.', v.at);
      return { L: v.elements.map(typedValue) };
    case 'M':
      if (v.kind !== 'object') wrong('M takes an object.', v.at);
      return { M: Object.fromEntries(v.entries.map(([name, n]) => [name, typedValue(n)])) };
    default:
      return wrong(`“${type}” is no type. There are ${types.join(', ')}.`, at);
  }
}

/**
 * fromPlain reads an item in plain JSON. What plain JSON cannot tell, sets and binary
 * values, stays what it is in like, where the new value still fits.
 */
export function fromPlain(text, like = {}) {
  const root = parse(text);
  if (root.kind !== 'object') throw new JSONError('An item is an object: { … }.', root.at);
  return plainItem(root, like);
}

/** plainItem is fromPlain for a node. */
export const plainItem = (root, like = {}) =>
  Object.fromEntries(root.entries.map(([name, node]) => [name, plainValue(node, Object.hasOwn(like, name) ? like[name] : undefined)]));

function plainValue(node, like) {
  const was = like && typeOf(like);
  switch (node.kind) {
    case 'null': return { NULL: true };
    case 'boolean': return { BOOL: node.value };
    case 'number': return { N: node.text };
    case 'string': return was === 'B' && !fault('B', node.text) ? { B: node.text } : { S: node.text };
    case 'object': {
      const inside = was === 'M' ? like.M : {};
      return { M: plainItem(node, inside) };
    }
    default: {
      const kind = was === 'NS' ? 'number' : 'string';
      if ((was === 'SS' || was === 'NS' || was === 'BS') && node.elements.length && node.elements.every((e) => e.kind === kind)) {
        return { [was]: node.elements.map((e) => e.text) };
      }
      return { L: node.elements.map((e, i) => plainValue(e, was === 'L' ? like.L[i] : undefined)) };
    }
  }
}

/** equal compares two values; sets have no order. */
export function equal(a, b) {
  if (a === undefined || b === undefined) return a === b;
  const type = typeOf(a);
  if (type !== typeOf(b)) return false;
  const x = a[type], y = b[type];
  switch (type) {
    case 'L': return x.length === y.length && x.every((e, i) => equal(e, y[i]));
    case 'M': return sameItem(x, y);
    case 'SS': case 'NS': case 'BS': {
      const set = new Set(x);
      return set.size === new Set(y).size && y.every((e) => set.has(e));
    }
    default: return x === y;
  }
}

/** sameItem compares two items or maps. */
export function sameItem(x, y) {
  const names = Object.keys(x);
  return names.length === Object.keys(y).length && names.every((n) => Object.hasOwn(y, n) && equal(x[n], y[n]));
}

const order = { N: 0, S: 1, B: 2, BOOL: 3, NULL: 4, SS: 5, NS: 6, BS: 7, L: 8, M: 9 };

/** compare orders values for the sorting of a page; items without one come last. */
export function compare(a, b) {
  if (!a || !b) return a ? -1 : b ? 1 : 0;
  const s = typeOf(a), t = typeOf(b);
  if (s !== t) return order[s] - order[t];
  if (s === 'N') return Number(a.N) - Number(b.N);
  const x = brief(a), y = brief(b);
  return x < y ? -1 : x > y ? 1 : 0;
}

/** byteSize estimates an item's size as the service counts it. */
export function byteSize(item) {
  const utf8 = (s) => new Blob([s]).size;
  const of = (v) => {
    const type = typeOf(v), x = v[type];
    switch (type) {
      case 'S': return utf8(x);
      case 'N': return Math.min(21, Math.ceil(x.replace(/[^0-9]/g, '').length / 2) + 1);
      case 'B': return Math.floor(x.length * 3 / 4);
      case 'BOOL': case 'NULL': return 1;
      case 'SS': case 'NS': case 'BS': return x.reduce((n, e) => n + of({ [type[0]]: e }), 0);
      case 'L': return x.reduce((n, e) => n + 1 + of(e), 3);
      default: return Object.keys(x).reduce((n, k) => n + 1 + utf8(k) + of(x[k]), 3);
    }
  };
  return Object.keys(item).reduce((n, k) => n + utf8(k) + of(item[k]), 0);
}
