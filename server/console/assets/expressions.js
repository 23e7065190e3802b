// Expressions from forms. Names and values always go through placeholders.
import { equal, scalar } from './values.js';

/** Placeholders collects the names and values of one request. */
export class Placeholders {
  constructor() { this.names = {}; this.values = {}; this.byName = new Map(); }

  name(attribute) {
    let holder = this.byName.get(attribute);
    if (!holder) {
      holder = '#n' + this.byName.size;
      this.byName.set(attribute, holder);
      this.names[holder] = attribute;
    }
    return holder;
  }

  /** path takes a document path as typed, a.b[0].c, unless known has an attribute of that very name. */
  path(text, known = []) {
    if (known.includes(text)) return this.name(text);
    const steps = text.match(/[^.[\]]+|\[\d+\]/g);
    if (!steps || steps.join('') !== text.replace(/\./g, '')) return this.name(text);
    return steps.map((s, i) => (s[0] === '[' ? s : (i ? '.' : '') + this.name(s))).join('');
  }

  value(v) {
    const holder = ':v' + Object.keys(this.values).length;
    this.values[holder] = v;
    return holder;
  }

  /** members are those of a request, left out where they would be empty. */
  members() {
    const m = {};
    if (Object.keys(this.names).length) m.ExpressionAttributeNames = this.names;
    if (Object.keys(this.values).length) m.ExpressionAttributeValues = this.values;
    return m;
  }
}

/** Comparisons of a sort key. */
export const sortOperators = ['=', '<', '<=', '>', '>=', 'between', 'begins_with'];

/** Comparisons of a filter; those in noValue take none. */
export const filterOperators = ['=', '<>', '<', '<=', '>', '>=', 'between', 'in', 'begins_with', 'contains', 'not contains', 'exists', 'not exists', 'type is', 'size >=', 'size <='];
export const noValue = new Set(['exists', 'not exists']);

/** comparison is one condition; parse makes a value of a text. */
export function comparison(p, path, operator, first, second, parse) {
  const v = (text) => p.value(parse(text));
  switch (operator) {
    case 'between': return `${path} BETWEEN ${v(first)} AND ${v(second)}`;
    case 'in': return `${path} IN (${first.split(',').map((t) => v(t.trim())).join(', ')})`;
    case 'begins_with': return `begins_with(${path}, ${v(first)})`;
    case 'contains': return `contains(${path}, ${v(first)})`;
    case 'not contains': return `NOT contains(${path}, ${v(first)})`;
    case 'exists': return `attribute_exists(${path})`;
    case 'not exists': return `attribute_not_exists(${path})`;
    case 'type is': return `attribute_type(${path}, ${p.value({ S: first.trim() })})`;
    case 'size >=': case 'size <=': return `size(${path}) ${operator.slice(5)} ${p.value(scalar('N', first))}`;
    default: return `${path} ${operator} ${v(first)}`;
  }
}

/** filterExpression joins the conditions of a form with AND or OR. */
export function filterExpression(p, filters, joined, known) {
  return filters.filter((f) => f.name).map((f) => {
    try {
      return comparison(p, p.path(f.name, known), f.operator, f.value, f.second, (text) => scalar(f.type, text));
    } catch (e) {
      throw new Error(`Filter on ${f.name}: ${e.message}`);
    }
  }).join(joined === 'OR' ? ' OR ' : ' AND ');
}

/** asItWas is the condition that attributes still are what they were in an item. */
export function asItWas(p, before, attributes) {
  return attributes.map((name) => (Object.hasOwn(before, name)
    ? `${p.name(name)} = ${p.value(before[name])}`
    : `attribute_not_exists(${p.name(name)})`));
}

/** changes lists the attributes that differ between two items. */
export function changes(before, after) {
  return [...new Set([...Object.keys(before), ...Object.keys(after)])]
    .filter((n) => !equal(Object.hasOwn(before, n) ? before[n] : undefined, Object.hasOwn(after, n) ? after[n] : undefined));
}

/**
 * editRequest is the UpdateItem that makes after of before: it touches the changed
 * attributes only, on the condition that they are what they were. null if there are none.
 */
export function editRequest(table, key, before, after) {
  const changed = changes(before, after);
  if (!changed.length) return null;
  const p = new Placeholders();
  const set = changed.filter((n) => Object.hasOwn(after, n)).map((n) => `${p.name(n)} = ${p.value(after[n])}`);
  const remove = changed.filter((n) => !Object.hasOwn(after, n)).map((n) => p.name(n));
  const update = [set.length ? 'SET ' + set.join(', ') : '', remove.length ? 'REMOVE ' + remove.join(', ') : ''].filter(Boolean).join(' ');
  const exists = `attribute_exists(${p.name(Object.keys(key)[0])})`;
  return {
    TableName: table,
    Key: key,
    UpdateExpression: update,
    ConditionExpression: [exists, ...asItWas(p, before, changed)].join(' AND '),
    ...p.members(),
    ReturnValuesOnConditionCheckFailure: 'ALL_OLD',
    ReturnValues: 'ALL_NEW',
  };
}
