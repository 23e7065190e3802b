// Following a stream: all its shards, from now or from the beginning.
import { call, pause } from './dynamodb.js';

/** tail calls seen with records as they come, until it is aborted. */
export async function tail(arn, from, signal, seen) {
  const iterators = new Map(); // by shard; null when a shard was read to its end
  const known = async () => {
    for (let last; ;) {
      const { StreamDescription: d } = await call('DescribeStream', { StreamArn: arn, ExclusiveStartShardId: last }, { signal });
      for (const { ShardId } of d.Shards) {
        if (iterators.has(ShardId)) continue;
        const type = iterators.size === 0 || from === 'TRIM_HORIZON' || first ? from : 'TRIM_HORIZON';
        const { ShardIterator } = await call('GetShardIterator', { StreamArn: arn, ShardId, ShardIteratorType: type }, { signal });
        iterators.set(ShardId, ShardIterator);
      }
      last = d.LastEvaluatedShardId;
      if (!last) return d.StreamStatus;
    }
  };
  let first = true;
  await known();
  first = false;
  for (let round = 1; ; round++) {
    let records = 0;
    for (const [shard, iterator] of iterators) {
      if (!iterator) continue;
      const answer = await call('GetRecords', { ShardIterator: iterator, Limit: 200 }, { signal });
      iterators.set(shard, answer.NextShardIterator ?? null);
      records += answer.Records.length;
      if (answer.Records.length) seen(answer.Records);
    }
    if (round % 20 === 0) await known(); // shards that came later
    await pause(records ? 100 : 700, signal);
  }
}
