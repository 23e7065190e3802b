// The requests behind the Query and Scan form.
import { Placeholders, comparison, filterExpression } from './expressions.js';
import { attributeTypes, keyOf, schemaOf } from './tables.js';
import { scalar } from './values.js';

/** blankForm is the form of a table that was just opened. */
export const blankForm = () => ({
  mode: 'Scan', index: '', hash: [], range: { operator: '=', first: '', second: '' }, filters: [], joined: 'AND',
  backward: false, strong: false, limit: '50', attributes: '',
});

/** keysOf lists the key attributes of what the form reads: [{name, type}] each. */
export function keysOf(table, index) {
  const key = keyOf(schemaOf(table, index));
  const type = attributeTypes(table);
  const of = (names) => names.map((name) => ({ name, type: type[name] }));
  return { hash: of(key.hash), range: of(key.range) };
}

/**
 * request is [operation, input] for a form; known are attribute names, which may hold
 * dots. It throws an Error that says what is missing.
 */
export function request(table, form, known = []) {
  const p = new Placeholders();
  const input = { TableName: table.TableName };
  if (form.index) input.IndexName = form.index;
  if (form.mode === 'Query') {
    const keys = keysOf(table, form.index);
    const terms = keys.hash.map((k, i) => `${p.name(k.name)} = ${p.value(keyValue(k, form.hash[i] ?? ''))}`);
    const range = keys.range[0];
    if (range && form.range.first !== '') {
      terms.push(comparison(p, p.name(range.name), form.range.operator, form.range.first, form.range.second, (text) => keyValue(range, text)));
    }
    input.KeyConditionExpression = terms.join(' AND ');
    if (form.backward) input.ScanIndexForward = false;
  }
  const filter = filterExpression(p, form.filters, form.joined, known);
  if (filter) input.FilterExpression = filter;
  const wanted = form.attributes.split(',').map((t) => t.trim()).filter(Boolean);
  if (wanted.length) {
    const names = [...new Set([...table.KeySchema.map((k) => k.AttributeName), ...wanted])];
    input.ProjectionExpression = names.map((n) => p.path(n, known)).join(', ');
  }
  if (form.strong) input.ConsistentRead = true;
  const limit = Number(form.limit);
  if (!Number.isInteger(limit) || limit < 1 || limit > 1000) throw new Error('The page size is a number from 1 to 1000.');
  input.Limit = limit;
  return [form.mode, { ...input, ...p.members() }];
}

function keyValue(key, text) {
  if (text === '') throw new Error(`A value of ${key.name} is needed.`);
  try {
    return scalar(key.type, text);
  } catch (e) {
    throw new Error(`${key.name}: ${e.message}`);
  }
}
