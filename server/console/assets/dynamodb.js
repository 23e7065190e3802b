// The DynamoDB protocol, as any client speaks it.
import { currentNamespace } from './settings.js';

/** An error answer: name is the exception's. */
export class ApiError extends Error {
  constructor(name, message, status, body) {
    super(message || name);
    this.name = name;
    this.status = status;
    this.item = body?.Item;
    this.reasons = body?.CancellationReasons;
  }
}

const streams = new Set(['DescribeStream', 'GetRecords', 'GetShardIterator', 'ListStreams']);
const reads = /^(Describe|List|Get|Query|Scan|BatchGet)/;
const attempts = 4;

/** call makes one request. Throttled ones, and reads that met a server error, are tried again. */
export async function call(operation, input = {}, { signal } = {}) {
  for (let attempt = 1; ; attempt++) {
    try {
      return await request(operation, input, signal);
    } catch (e) {
      if (attempt === attempts || !transient(e, operation)) throw e;
      await pause(50 * 2 ** attempt * (1 + Math.random()), signal);
    }
  }
}

function transient(e, operation) {
  if (!(e instanceof ApiError)) return false;
  if (/Throttl|ThroughputExceeded|RequestLimit/.test(e.name)) return true;
  return e.status >= 500 && reads.test(operation);
}

async function request(operation, input, signal) {
  const date = new Date().toISOString().replace(/[-:]|\.\d+/g, '');
  const { accessKey, region } = currentNamespace();
  let response;
  try {
    response = await fetch('/', {
      method: 'POST',
      body: JSON.stringify(input),
      signal,
      cache: 'no-store',
      headers: {
        'Content-Type': 'application/x-amz-json-1.0',
        'X-Amz-Target': `${streams.has(operation) ? 'DynamoDBStreams' : 'DynamoDB'}_20120810.${operation}`,
        'X-Amz-Date': date,
        Authorization: `AWS4-HMAC-SHA256 Credential=${accessKey}/${date.slice(0, 8)}/${region}/dynamodb/aws4_request, SignedHeaders=host, Signature=0`,
      },
    });
  } catch (e) {
    if (signal?.aborted) throw signal.reason;
    throw new ApiError('Unreachable', 'The server cannot be reached. It may be restarting.', 0);
  }
  const text = await response.text();
  let body;
  try {
    body = text === '' && response.ok ? {} : JSON.parse(text); // TagResource answers with nothing
  } catch {
    throw new ApiError('BadAnswer', `The server answered ${response.status} with something that is not JSON.`, response.status);
  }
  if (!response.ok) {
    throw new ApiError(String(body.__type || 'Error').replace(/^.*#/, ''), body.message || body.Message, response.status, body);
  }
  return body;
}

/** look reads an endpoint beside the API; null if the server does not have it. */
export async function look(path, { signal } = {}) {
  const response = await fetch(path, { signal, cache: 'no-store' });
  if (response.status === 404) return null;
  if (!response.ok) throw new ApiError('Error', `${path} answered ${response.status}`, response.status);
  return response.json();
}

/** pause waits, unless it is aborted. */
export function pause(ms, signal) {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(signal.reason);
    const stop = () => { clearTimeout(timer); reject(signal.reason); };
    const timer = setTimeout(() => { signal?.removeEventListener('abort', stop); resolve(); }, ms);
    signal?.addEventListener('abort', stop, { once: true });
  });
}

/** inParallel runs work on each of a list, at most n at a time. */
export async function inParallel(n, list, work) {
  const queue = list[Symbol.iterator]();
  const worker = async () => {
    for (const element of queue) await work(element);
  };
  await Promise.all(Array.from({ length: n }, worker));
}
