package compat;

import static compat.Cases.equal;

import java.math.BigDecimal;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Consumer;
import java.util.stream.IntStream;
import software.amazon.awssdk.core.SdkBytes;
import software.amazon.awssdk.enhanced.dynamodb.AttributeConverterProvider;
import software.amazon.awssdk.enhanced.dynamodb.AttributeValueType;
import software.amazon.awssdk.enhanced.dynamodb.DynamoDbEnhancedClient;
import software.amazon.awssdk.enhanced.dynamodb.DynamoDbTable;
import software.amazon.awssdk.enhanced.dynamodb.Expression;
import software.amazon.awssdk.enhanced.dynamodb.Key;
import software.amazon.awssdk.enhanced.dynamodb.TableMetadata;
import software.amazon.awssdk.enhanced.dynamodb.TableSchema;
import software.amazon.awssdk.enhanced.dynamodb.document.EnhancedDocument;
import software.amazon.awssdk.enhanced.dynamodb.model.BatchGetItemEnhancedRequest;
import software.amazon.awssdk.enhanced.dynamodb.model.BatchWriteItemEnhancedRequest;
import software.amazon.awssdk.enhanced.dynamodb.model.PutItemEnhancedRequest;
import software.amazon.awssdk.enhanced.dynamodb.model.QueryConditional;
import software.amazon.awssdk.enhanced.dynamodb.model.ReadBatch;
import software.amazon.awssdk.enhanced.dynamodb.model.WriteBatch;
import software.amazon.awssdk.services.dynamodb.DynamoDbClient;
import software.amazon.awssdk.services.dynamodb.model.AttributeValue;
import software.amazon.awssdk.services.dynamodb.model.ConditionalCheckFailedException;
import software.amazon.awssdk.services.dynamodb.model.IndexStatus;
import software.amazon.awssdk.services.dynamodb.model.ProjectionType;
import software.amazon.awssdk.services.dynamodb.model.TableDescription;

/** The DynamoDB enhanced client: beans and documents. */
final class EnhancedCases {
    static final TableSchema<Customer> SCHEMA = TableSchema.fromBean(Customer.class);

    private final DynamoDbClient client;
    private final DynamoDbEnhancedClient enhanced;

    EnhancedCases(DynamoDbClient client) {
        this.client = client;
        this.enhanced = DynamoDbEnhancedClient.builder().dynamoDbClient(client).build();
    }

    private void withTable(String name, Consumer<DynamoDbTable<Customer>> run) {
        DynamoDbTable<Customer> table = enhanced.table(name, SCHEMA);
        table.createTable(r -> r.globalSecondaryIndices(
                        i -> i.indexName("byCity").projection(p -> p.projectionType(ProjectionType.ALL)))
                .localSecondaryIndices(l -> l.indexName("bySince").projection(p -> p.projectionType(ProjectionType.ALL))));
        client.waiter().waitUntilTableExists(r -> r.tableName(name));
        try {
            run.accept(table);
        } finally {
            table.deleteTable();
        }
    }

    void tableOfBean(String prefix) {
        withTable(prefix + "Beans", table -> {
            TableDescription description = table.describeTable().table();
            equal("[KeySchemaElement(AttributeName=account, KeyType=HASH), KeySchemaElement(AttributeName=number, KeyType=RANGE)]",
                    description.keySchema().toString());
            equal("bySince", description.localSecondaryIndexes().get(0).indexName());
            equal("byCity", description.globalSecondaryIndexes().get(0).indexName());
            equal(IndexStatus.ACTIVE, description.globalSecondaryIndexes().get(0).indexStatus());
        });
    }

    void beans(String prefix) {
        withTable(prefix + "Customers", table -> {
            Customer customer = Customer.of("a", 1);
            customer.setCity("Köln");
            customer.setSince(Instant.parse("2026-10-01T12:30:00.123456789Z"));
            customer.setBalance(new BigDecimal("12345678901234567890.123456789012345678"));
            customer.setNotes(List.of("", "two"));
            customer.setScores(Map.of("x", 1, "y", -2));
            customer.setTags(Set.of("red", "blue"));
            customer.setPhoto(SdkBytes.fromByteArray(new byte[] {0, 1, -1}));
            customer.setActive(true);
            table.putItem(customer);
            customer.setVersion(1L); // the client's version extension wrote it
            equal(customer, table.getItem(r -> r.key(key("a", 1)).consistentRead(true)));

            Customer change = Customer.of("a", 1);
            change.setVersion(1L);
            change.setActive(false);
            Customer updated = table.updateItem(r -> r.item(change).ignoreNulls(true));
            customer.setActive(false);
            customer.setVersion(2L);
            equal(customer, updated);

            equal(customer, table.deleteItem(key("a", 1)));
            equal(null, table.getItem(key("a", 1)));
        });
    }

    void queries(String prefix) {
        withTable(prefix + "Queries", table -> {
            for (int i = 0; i < 20; i++) {
                Customer customer = Customer.of("p", i);
                customer.setCity(i % 2 == 0 ? "Bonn" : "Ulm");
                customer.setSince(Instant.ofEpochSecond(2_000_000_000L - i));
                table.putItem(customer);
            }
            equal(IntStream.range(5, 10).boxed().toList(),
                    numbers(table.query(r -> r.queryConditional(QueryConditional.sortBetween(
                            k -> k.partitionValue("p").sortValue(5), k -> k.partitionValue("p").sortValue(9)))
                            .limit(2)).items()));
            equal(List.of(3, 2, 1, 0),
                    numbers(table.query(r -> r.queryConditional(QueryConditional.sortLessThan(
                            k -> k.partitionValue("p").sortValue(4))).scanIndexForward(false)).items()));
            List<Integer> bonn = table.index("byCity")
                    .query(r -> r.queryConditional(QueryConditional.keyEqualTo(k -> k.partitionValue("Bonn"))).limit(3))
                    .stream().flatMap(page -> page.items().stream()).map(Customer::getNumber).toList();
            equal(List.of(18, 16, 14, 12, 10, 8, 6, 4, 2, 0), bonn);
            List<Integer> latest = table.index("bySince")
                    .query(r -> r.queryConditional(QueryConditional.keyEqualTo(k -> k.partitionValue("p")))
                            .scanIndexForward(false).consistentRead(true).limit(10))
                    .stream().limit(1).flatMap(page -> page.items().stream()).map(Customer::getNumber).toList();
            equal(IntStream.range(0, 10).boxed().toList(), latest);
            Expression ulm = Expression.builder().expression("city = :c")
                    .putExpressionValue(":c", AttributeValue.fromS("Ulm")).build();
            equal(10L, table.scan(r -> r.filterExpression(ulm).limit(7)).items().stream().count());
        });
    }

    void batches(String prefix) {
        withTable(prefix + "Batches", versioned -> {
            // The version extension adds conditions, which batches do not take.
            DynamoDbEnhancedClient plain =
                    DynamoDbEnhancedClient.builder().dynamoDbClient(client).extensions(List.of()).build();
            DynamoDbTable<Customer> table = plain.table(versioned.tableName(), SCHEMA);
            WriteBatch.Builder<Customer> writes = WriteBatch.builder(Customer.class).mappedTableResource(table);
            ReadBatch.Builder<Customer> reads = ReadBatch.builder(Customer.class).mappedTableResource(table);
            for (int i = 0; i < 25; i++) {
                writes.addPutItem(Customer.of("p", i));
                reads.addGetItem(key("p", i));
            }
            equal(List.of(), plain.batchWriteItem(BatchWriteItemEnhancedRequest.builder()
                    .writeBatches(writes.build()).build()).unprocessedPutItemsForTable(table));
            equal(25L, plain.batchGetItem(BatchGetItemEnhancedRequest.builder()
                    .readBatches(reads.build()).build()).resultsForTable(table).stream().count());
        });
    }

    void versions(String prefix) {
        withTable(prefix + "Versions", table -> {
            table.putItem(Customer.of("a", 1));
            Customer mine = table.getItem(key("a", 1));
            Customer theirs = table.getItem(key("a", 1));
            theirs.setActive(true);
            table.updateItem(theirs);
            mine.setActive(false);
            try {
                table.updateItem(mine);
            } catch (ConditionalCheckFailedException e) {
                equal("The conditional request failed", e.awsErrorDetails().errorMessage());
                return;
            }
            throw new AssertionError("an old version was written");
        });
    }

    void conditions(String prefix) {
        withTable(prefix + "Conditions", table -> {
            PutItemEnhancedRequest<Customer> once = PutItemEnhancedRequest.builder(Customer.class)
                    .item(Customer.of("a", 1))
                    .conditionExpression(Expression.builder().expression("attribute_not_exists(account)").build())
                    .returnValuesOnConditionCheckFailure("ALL_OLD")
                    .build();
            table.putItem(once);
            try {
                table.putItem(once);
            } catch (ConditionalCheckFailedException e) {
                equal(400, e.statusCode());
                equal(AttributeValue.fromN("1"), e.item().get("number"));
                return;
            }
            throw new AssertionError("the condition did not fail");
        });
    }

    void documents(String prefix) {
        String name = prefix + "Documents";
        DynamoDbTable<EnhancedDocument> table = enhanced.table(name, TableSchema.documentSchemaBuilder()
                .addIndexPartitionKey(TableMetadata.primaryIndexName(), "id", AttributeValueType.S)
                .attributeConverterProviders(AttributeConverterProvider.defaultProvider())
                .build());
        table.createTable();
        client.waiter().waitUntilTableExists(r -> r.tableName(name));
        try {
            String json = "{\"id\":\"a\",\"n\":1.5,\"list\":[1,\"x\",null,true],\"map\":{\"deep\":{\"er\":\"ü\"}}}";
            table.putItem(EnhancedDocument.fromJson(json));
            EnhancedDocument got = table.getItem(Key.builder().partitionValue("a").build());
            equal("1.5", got.getNumber("n").toString());
            equal(com.google.gson.JsonParser.parseString(json), com.google.gson.JsonParser.parseString(got.toJson()));
        } finally {
            table.deleteTable();
        }
    }

    static Key key(String account, int number) {
        return Key.builder().partitionValue(account).sortValue(number).build();
    }

    private static List<Integer> numbers(Iterable<Customer> customers) {
        return java.util.stream.StreamSupport.stream(customers.spliterator(), false).map(Customer::getNumber).toList();
    }
}
