// The behaviours only the JavaScript SDK shows: the document client and the typed errors.
import assert from "node:assert/strict";
import * as sdk from "@aws-sdk/client-dynamodb";
import * as doc from "@aws-sdk/lib-dynamodb";

// withTable creates a table with the key pk (S) and sk (N), runs the case in it and deletes it.
async function withTable(client, TableName, run) {
  await client.send(
    new sdk.CreateTableCommand({
      TableName,
      AttributeDefinitions: [
        { AttributeName: "pk", AttributeType: "S" },
        { AttributeName: "sk", AttributeType: "N" },
      ],
      KeySchema: [
        { AttributeName: "pk", KeyType: "HASH" },
        { AttributeName: "sk", KeyType: "RANGE" },
      ],
      BillingMode: "PAY_PER_REQUEST",
    }),
  );
  await sdk.waitUntilTableExists({ client, maxWaitTime: 60, minDelay: 1, maxDelay: 1 }, { TableName });
  try {
    await run(TableName);
  } finally {
    await client.send(new sdk.DeleteTableCommand({ TableName }));
  }
}

export const cases = {
  async "native values through the document client"(client, prefix) {
    const documents = doc.DynamoDBDocumentClient.from(client, { marshallOptions: { removeUndefinedValues: true } });
    await withTable(client, `${prefix}Documents`, async (TableName) => {
      const item = {
        pk: "a",
        sk: 1.5,
        text: "",
        flag: false,
        nothing: null,
        list: [1, "two", [3, { four: 4 }]],
        map: { nested: { deep: true } },
        bytes: new Uint8Array([0, 127, 255]),
        strings: new Set(["x", "y"]),
        numbers: new Set([1, 2.5]),
        binaries: new Set([new Uint8Array([1]), new Uint8Array([2])]),
      };
      await documents.send(new doc.PutCommand({ TableName, Item: { ...item, skipped: undefined } }));
      const { Item } = await documents.send(new doc.GetCommand({ TableName, Key: { pk: "a", sk: 1.5 } }));
      const sorted = (set) => [...set].sort();
      assert.deepEqual({ ...Item, strings: 0, numbers: 0, binaries: 0 }, { ...item, strings: 0, numbers: 0, binaries: 0 });
      assert.deepEqual(sorted(Item.strings), ["x", "y"]);
      assert.deepEqual(sorted(Item.numbers), [1, 2.5]);
      assert.deepEqual(sorted([...Item.binaries].map((b) => b[0])), [1, 2]);
    });
  },

  async "numbers beyond doubles"(client, prefix) {
    const documents = doc.DynamoDBDocumentClient.from(client, { unmarshallOptions: { wrapNumbers: true } });
    await withTable(client, `${prefix}Wrapped`, async (TableName) => {
      const digits = "1234567890123456789012345678.9012345678";
      await documents.send(
        new doc.PutCommand({
          TableName,
          Item: { pk: "a", sk: 1, big: 9007199254740993n, exact: doc.NumberValue.from(digits) },
        }),
      );
      const { Item } = await documents.send(new doc.GetCommand({ TableName, Key: { pk: "a", sk: 1 } }));
      assert.equal(Item.big.value, "9007199254740993");
      assert.equal(Item.exact.value, digits);
    });
  },

  async "updates and paginated queries through the document client"(client, prefix) {
    const documents = doc.DynamoDBDocumentClient.from(client);
    await withTable(client, `${prefix}Paged`, async (TableName) => {
      const puts = Array.from({ length: 25 }, (_, sk) => ({ PutRequest: { Item: { pk: "p", sk, even: sk % 2 === 0 } } }));
      const written = await documents.send(new doc.BatchWriteCommand({ RequestItems: { [TableName]: puts } }));
      assert.deepEqual(written.UnprocessedItems, {});
      const { Attributes } = await documents.send(
        new doc.UpdateCommand({
          TableName,
          Key: { pk: "p", sk: 3 },
          UpdateExpression: "SET #c = if_not_exists(#c, :zero) + :one, tags = :tags",
          ExpressionAttributeNames: { "#c": "count" },
          ExpressionAttributeValues: { ":zero": 0, ":one": 1, ":tags": ["a", "b"] },
          ReturnValues: "UPDATED_NEW",
        }),
      );
      assert.deepEqual(Attributes, { count: 1, tags: ["a", "b"] });
      const seen = [];
      let pages = 0;
      const query = {
        TableName,
        KeyConditionExpression: "pk = :p AND sk < :twenty",
        FilterExpression: "even = :yes",
        ExpressionAttributeValues: { ":p": "p", ":twenty": 20, ":yes": true },
      };
      for await (const page of doc.paginateQuery({ client: documents, pageSize: 8 }, query)) {
        seen.push(...page.Items.map((item) => item.sk));
        pages++;
      }
      assert.deepEqual(seen, [0, 2, 4, 6, 8, 10, 12, 14, 16, 18]);
      assert.equal(pages, 3);
      const keys = [3, 4, 99].map((sk) => ({ pk: "p", sk }));
      const { Responses } = await documents.send(new doc.BatchGetCommand({ RequestItems: { [TableName]: { Keys: keys } } }));
      assert.deepEqual(Responses[TableName].map((item) => item.sk).sort(), [3, 4]);
    });
  },

  async "parallel scan segments cover the table"(client, prefix) {
    const documents = doc.DynamoDBDocumentClient.from(client);
    await withTable(client, `${prefix}Segments`, async (TableName) => {
      for (let start = 0; start < 100; start += 25) {
        const puts = Array.from({ length: 25 }, (_, i) => ({ PutRequest: { Item: { pk: `p${start + i}`, sk: 0 } } }));
        await documents.send(new doc.BatchWriteCommand({ RequestItems: { [TableName]: puts } }));
      }
      const segments = await Promise.all(
        [0, 1, 2, 3].map(async (Segment) => {
          const found = [];
          const scan = { TableName, Segment, TotalSegments: 4 };
          for await (const page of doc.paginateScan({ client: documents, pageSize: 10 }, scan)) {
            found.push(...page.Items.map((item) => item.pk));
          }
          return found;
        }),
      );
      const all = segments.flat();
      assert.equal(all.length, 100);
      assert.equal(new Set(all).size, 100);
    });
  },

  async "typed errors"(client, prefix) {
    await withTable(client, `${prefix}Typed`, async (TableName) => {
      const put = new sdk.PutItemCommand({
        TableName,
        Item: { pk: { S: "a" }, sk: { N: "1" } },
        ConditionExpression: "attribute_exists(pk)",
      });
      await assert.rejects(client.send(put), (e) => {
        assert.ok(e instanceof sdk.ConditionalCheckFailedException);
        assert.equal(e.$fault, "client");
        assert.equal(e.$metadata.httpStatusCode, 400);
        assert.equal(e.$metadata.attempts, 1);
        assert.match(e.$metadata.requestId, /^[0-9A-Z]{52}$/);
        return true;
      });
      await assert.rejects(client.send(new sdk.DescribeTableCommand({ TableName: `${prefix}Untyped` })), sdk.ResourceNotFoundException);
    });
  },

  async "the client with a method for each operation"(_, prefix) {
    const dynamodb = new sdk.DynamoDB({});
    try {
      await withTable(dynamodb, `${prefix}Methods`, async (TableName) => {
        await dynamodb.putItem({ TableName, Item: { pk: { S: "a" }, sk: { N: "1" } } });
        assert.equal((await dynamodb.scan({ TableName, Select: "COUNT" })).Count, 1);
      });
    } finally {
      dynamodb.destroy();
    }
  },
};
