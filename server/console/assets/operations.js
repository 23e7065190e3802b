// Rates and latencies from the server's counters: the difference of two reports.

/** percentile finds the latency, in microseconds, that a share of the requests stays below. */
export function percentile(buckets, share) {
  const total = buckets.reduce((n, [, c]) => n + c, 0);
  if (!total) return null;
  let left = total * share;
  for (const [floor, c] of buckets) {
    if (left <= c) return floor + Math.max(1, floor / 8) * (left / c);
    left -= c;
  }
  return buckets.at(-1)[0];
}

/** difference is what happened between two reports of one operation. */
function difference(after, before) {
  const was = new Map(before?.latency);
  return {
    operation: after.operation,
    requests: after.requests - (before?.requests ?? 0),
    errors: after.errors - (before?.errors ?? 0),
    latency: after.latency.map(([floor, c]) => [floor, c - (was.get(floor) ?? 0)]).filter(([, c]) => c > 0),
  };
}

/** since compares two answers of /_stator/operations. A server that began anew starts from zero. */
export function since(after, before) {
  const seconds = (Date.parse(after.time) - Date.parse(before.time)) / 1000;
  const was = new Map(before.operations.map((o) => [o.operation, o]));
  const restarted = before.operations.some((o) => (after.operations.find((a) => a.operation === o.operation)?.requests ?? 0) < o.requests);
  const operations = after.operations.map((o) => difference(o, restarted ? undefined : was.get(o.operation))).filter((o) => o.requests > 0);
  return { seconds, operations };
}

/** together merges the latencies of several operations. */
export function together(operations) {
  const sums = new Map();
  for (const o of operations) for (const [floor, c] of o.latency) sums.set(floor, (sums.get(floor) ?? 0) + c);
  return [...sums].sort((a, b) => a[0] - b[0]);
}
