// The driver for the AWS SDK for JavaScript v3: requests on standard input, answers on standard output.
// The protocol is described in ../doc.go.
import { createInterface } from "node:readline";
import * as sdk from "@aws-sdk/client-dynamodb";
import * as streamsSDK from "@aws-sdk/client-dynamodb-streams";
import { cases } from "./cases.js";

const client = new sdk.DynamoDBClient({});
const streams = new streamsSDK.DynamoDBStreamsClient({});

const verbs = {
  async call({ operation, input = {} }) {
    const command = `${operation}Command`;
    const { $metadata, ...output } = await (command in sdk
      ? client.send(new sdk[command](decode(input)))
      : streams.send(new streamsSDK[command](decode(input))));
    return { output };
  },

  async pages({ operation, input }) {
    const pages = [];
    for await (const { $metadata, ...page } of sdk[`paginate${operation}`]({ client }, decode(input))) {
      pages.push(page);
    }
    return { pages };
  },

  async wait({ waiter, input }) {
    await sdk[`waitUntil${waiter}`]({ client, maxWaitTime: 60, minDelay: 1, maxDelay: 1 }, input);
    return { output: {} };
  },

  async cases() {
    return { cases: Object.keys(cases) };
  },

  async case({ name, prefix }) {
    await cases[name](client, prefix);
    return { output: {} };
  },
};

// decode turns the base64 text of binary attribute values into the bytes the SDK takes.
function decode(value, member) {
  if (member === "B" && typeof value === "string") return Buffer.from(value, "base64");
  if (member === "BS" && Array.isArray(value)) return value.map((v) => Buffer.from(v, "base64"));
  if (Array.isArray(value)) return value.map((v) => decode(v));
  if (value !== null && typeof value === "object") {
    return Object.fromEntries(Object.entries(value).map(([k, v]) => [k, decode(v, k)]));
  }
  return value;
}

// encode turns bytes into base64 text and dates into seconds, as the API's JSON has them. It looks at the holder,
// because Buffer and Date have JSON forms of their own, which is what JSON.stringify passes as the value.
function encode(key, value) {
  const original = this[key];
  if (original instanceof Uint8Array) return Buffer.from(original).toString("base64");
  if (original instanceof Date) return original.getTime() / 1000;
  return value;
}

for await (const line of createInterface({ input: process.stdin })) {
  const request = JSON.parse(line);
  let answer;
  try {
    answer = await verbs[request.do](request);
  } catch (e) {
    // The cases check their errors themselves, so an error of the service that leaves one is a failure too.
    const answered = e instanceof sdk.DynamoDBServiceException || e instanceof streamsSDK.DynamoDBStreamsServiceException;
    if (answered && request.do !== "case") {
      answer = { error: { type: e.name, message: e.message, item: e.Item, reasons: e.CancellationReasons } };
    } else {
      answer = { failure: e.stack ?? String(e) };
    }
  }
  process.stdout.write(`${JSON.stringify(answer, encode)}\n`);
}
