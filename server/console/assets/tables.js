// What is known about tables: names and descriptions.
import { call } from './dynamodb.js';

/** tableNames lists all names, 100 a request; seen gets those so far. */
export async function tableNames(signal, seen = () => {}) {
  const names = [];
  for (let last; ;) {
    const page = await call('ListTables', { Limit: 100, ExclusiveStartTableName: last }, { signal });
    names.push(...page.TableNames);
    seen([...names]);
    last = page.LastEvaluatedTableName;
    if (!last) return names;
  }
}

export const describe = async (name, signal) => (await call('DescribeTable', { TableName: name }, { signal })).Table;

/** attributeTypes maps the names of key attributes to their types. */
export const attributeTypes = (table) => Object.fromEntries(table.AttributeDefinitions.map((a) => [a.AttributeName, a.AttributeType]));

/** keyOf splits a key schema into the names of partition and sort keys. */
export function keyOf(schema) {
  const of = (type) => schema.filter((k) => k.KeyType === type).map((k) => k.AttributeName);
  return { hash: of('HASH'), range: of('RANGE') };
}

/** indexes lists local and global indexes with a member Local. */
export const indexes = (table) => [
  ...(table.LocalSecondaryIndexes || []).map((ix) => ({ ...ix, Local: true })),
  ...(table.GlobalSecondaryIndexes || []).map((ix) => ({ ...ix, Local: false })),
];

/** schemaOf is the key schema of an index, or of the table for ''. */
export const schemaOf = (table, index) => (index ? indexes(table).find((ix) => ix.IndexName === index)?.KeySchema : null) || table.KeySchema;

/** keyFrom picks an item's primary key. */
export const keyFrom = (table, item) => Object.fromEntries(table.KeySchema.map((k) => [k.AttributeName, item[k.AttributeName]]));
