// JSON for editors: numbers stay text, errors know their place, nesting is bounded.

/** A syntax error; position counts UTF-16 units from the start of the text. */
export class JSONError extends Error {
  constructor(message, position) {
    super(message);
    this.name = 'JSONError';
    this.position = position;
  }
}

const deepest = 100;
const number = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
const space = /[ \t\r\n]*/y;
const plain = /[^"\\\u0000-\u001f]*/y;
const escapes = { '"': '"', '\\': '\\', '/': '/', b: '\b', f: '\f', n: '\n', r: '\r', t: '\t' };

/**
 * parse returns a tree of nodes: {kind, at} with entries ([name, node, at]) of an object,
 * elements of an array, text of a string or number, value of a boolean.
 */
export function parse(text) {
  let at = 0;
  const fail = (message, position = at) => { throw new JSONError(message, position); };
  const match = (pattern) => { pattern.lastIndex = at; const m = pattern.exec(text); at += m ? m[0].length : 0; return m?.[0]; };
  const skip = () => match(space);
  const found = () => (at < text.length ? `“${String.fromCodePoint(text.codePointAt(at))}”` : 'the end');

  function string() {
    const start = at++;
    let out = '';
    for (;;) {
      out += match(plain);
      const c = text[at];
      if (c === '"') { at++; return out; }
      if (c === undefined) fail('This text is not closed by a quotation mark.', start);
      if (c !== '\\') fail('Line breaks and control characters in texts are written as \\n, \\t, \\u0000.');
      const e = text[at + 1];
      if (e === 'u') {
        const hex = text.slice(at + 2, at + 6);
        if (!/^[0-9a-fA-F]{4}$/.test(hex)) fail('Four hexadecimal digits follow \\u.');
        out += String.fromCharCode(parseInt(hex, 16));
        at += 6;
      } else if (Object.hasOwn(escapes, e ?? '')) {
        out += escapes[e];
        at += 2;
      } else fail('A backslash is written as \\\\.');
    }
  }

  function value(depth) {
    if (depth > deepest) fail(`More than ${deepest} levels of nesting.`);
    skip();
    const start = at, c = text[at];
    if (c === '{') {
      const entries = [], seen = new Set();
      for (at++, skip(); text[at] !== '}';) {
        if (text[at] !== '"') fail(`Expected a name in quotation marks, but there is ${found()}.`);
        const place = at, name = string();
        if (seen.has(name)) fail(`The name “${name}” is there twice.`, place);
        seen.add(name);
        skip();
        if (text[at] !== ':') fail(`Expected “:”, but there is ${found()}.`);
        at++;
        entries.push([name, value(depth + 1), place]);
        separator('}');
      }
      at++;
      return { kind: 'object', at: start, entries };
    }
    if (c === '[') {
      const elements = [];
      for (at++, skip(); text[at] !== ']';) {
        elements.push(value(depth + 1));
        separator(']');
      }
      at++;
      return { kind: 'array', at: start, elements };
    }
    if (c === '"') return { kind: 'string', at: start, text: string() };
    for (const [word, v] of [['true', true], ['false', false], ['null', null]]) {
      if (text.startsWith(word, at)) {
        at += word.length;
        return v === null ? { kind: 'null', at: start } : { kind: 'boolean', at: start, value: v };
      }
    }
    const digits = match(number);
    if (digits) return { kind: 'number', at: start, text: digits };
    return fail(`Expected a value, but there is ${found()}.`);
  }

  function separator(end) {
    skip();
    if (text[at] === ',') {
      at++;
      skip();
      if (text[at] === end) fail('There is a comma too many.', at - 1);
    } else if (text[at] !== end) fail(`Expected “,” or “${end}”, but there is ${found()}.`);
  }

  const root = value(0);
  skip();
  if (at < text.length) fail(`Expected the end, but there is ${found()}.`);
  return root;
}

/** place turns a position into {line, column}, both from 1. */
export function place(text, position) {
  const before = text.slice(0, position);
  const line = before.split('\n').length;
  return { line, column: position - before.lastIndexOf('\n') };
}
