package compat;

import static compat.Cases.equal;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.IntStream;
import software.amazon.awssdk.enhanced.dynamodb.DynamoDbAsyncTable;
import software.amazon.awssdk.enhanced.dynamodb.DynamoDbEnhancedAsyncClient;
import software.amazon.awssdk.enhanced.dynamodb.model.QueryConditional;
import software.amazon.awssdk.services.dynamodb.DynamoDbAsyncClient;
import software.amazon.awssdk.services.dynamodb.model.AttributeValue;
import software.amazon.awssdk.services.dynamodb.model.BillingMode;
import software.amazon.awssdk.services.dynamodb.model.KeyType;
import software.amazon.awssdk.services.dynamodb.model.ProjectionType;
import software.amazon.awssdk.services.dynamodb.model.ResourceNotFoundException;
import software.amazon.awssdk.services.dynamodb.model.ScalarAttributeType;

/** The asynchronous clients, which have an HTTP implementation of their own. */
final class AsyncCases {
    private AsyncCases() {}

    static void asynchronous(String prefix) {
        String name = prefix + "Async";
        try (DynamoDbAsyncClient client = DynamoDbAsyncClient.create()) {
            client.createTable(r -> r.tableName(name)
                    .attributeDefinitions(a -> a.attributeName("id").attributeType(ScalarAttributeType.S))
                    .keySchema(k -> k.attributeName("id").keyType(KeyType.HASH))
                    .billingMode(BillingMode.PAY_PER_REQUEST)).join();
            client.waiter().waitUntilTableExists(r -> r.tableName(name)).join();
            try {
                CompletableFuture.allOf(IntStream.range(0, 40)
                        .mapToObj(i -> client.putItem(r -> r.tableName(name)
                                .item(Map.of("id", AttributeValue.fromS("item " + i)))))
                        .toArray(CompletableFuture[]::new)).join();
                AtomicInteger count = new AtomicInteger();
                client.scanPaginator(r -> r.tableName(name).limit(7))
                        .subscribe(page -> count.addAndGet(page.count())).join();
                equal(40, count.get());
                try {
                    client.describeTable(r -> r.tableName(name + "Missing")).join();
                    throw new AssertionError("the missing table was found");
                } catch (CompletionException e) {
                    equal(ResourceNotFoundException.class, e.getCause().getClass());
                }
            } finally {
                client.deleteTable(r -> r.tableName(name)).join();
            }
        }
    }

    static void enhanced(String prefix) {
        try (DynamoDbAsyncClient client = DynamoDbAsyncClient.create()) {
            DynamoDbAsyncTable<Customer> table = DynamoDbEnhancedAsyncClient.builder().dynamoDbClient(client).build()
                    .table(prefix + "AsyncBeans", EnhancedCases.SCHEMA);
            table.createTable(r -> r.globalSecondaryIndices(
                            i -> i.indexName("byCity").projection(p -> p.projectionType(ProjectionType.ALL)))
                    .localSecondaryIndices(
                            l -> l.indexName("bySince").projection(p -> p.projectionType(ProjectionType.ALL)))).join();
            client.waiter().waitUntilTableExists(r -> r.tableName(table.tableName())).join();
            try {
                for (int i = 0; i < 5; i++) {
                    table.putItem(Customer.of("p", i)).join();
                }
                List<Integer> numbers = new ArrayList<>();
                table.query(QueryConditional.sortGreaterThan(k -> k.partitionValue("p").sortValue(1))).items()
                        .subscribe(customer -> numbers.add(customer.getNumber())).join();
                equal(List.of(2, 3, 4), numbers);
            } finally {
                table.deleteTable().join();
            }
        }
    }
}
