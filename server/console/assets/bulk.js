// Many items at once, with a bounded number in hand.
import { ApiError, call, pause } from './dynamodb.js';

/** pages yields the answers of a Query or Scan one by one. */
export async function* pages([operation, input], signal) {
  for (let from; ;) {
    const answer = await call(operation, { ...input, ExclusiveStartKey: from }, { signal });
    yield answer;
    from = answer.LastEvaluatedKey;
    if (!from) return;
  }
}

/** The most that BatchWriteItem takes: requests, and bytes with some room to spare. */
const batchItems = 25;
const batchBytes = 8 << 20;

/** writeBatch writes up to 25 requests and goes on until none is left unprocessed. */
export async function writeBatch(table, requests, signal) {
  for (let left = requests, wait = 50; left.length; wait = Math.min(wait * 2, 2000)) {
    const answer = await call('BatchWriteItem', { RequestItems: { [table]: left } }, { signal });
    left = Object.values(answer.UnprocessedItems || {})[0] || [];
    if (left.length) await pause(wait, signal);
  }
}

/** batches groups an async iterable of requests. */
export async function* batches(requests) {
  let batch = [], bytes = 0;
  for await (const request of requests) {
    const size = JSON.stringify(request).length;
    if (batch.length === batchItems || (batch.length && bytes + size > batchBytes)) {
      yield batch;
      batch = [];
      bytes = 0;
    }
    batch.push(request);
    bytes += size;
  }
  if (batch.length) yield batch;
}

/** isRefusal tells a request that is wrong from a server that is not there. */
export const isRefusal = (e) => e instanceof ApiError && e.status === 400;
