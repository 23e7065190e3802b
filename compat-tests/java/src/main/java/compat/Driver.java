package compat;

import com.google.gson.Gson;
import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonNull;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.lang.reflect.InvocationTargetException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Set;
import software.amazon.awssdk.core.SdkPojo;
import software.amazon.awssdk.services.dynamodb.DynamoDbClient;
import software.amazon.awssdk.services.dynamodb.model.ConditionalCheckFailedException;
import software.amazon.awssdk.services.dynamodb.model.DescribeTableRequest;
import software.amazon.awssdk.services.dynamodb.model.DynamoDbException;
import software.amazon.awssdk.services.dynamodb.model.TransactionCanceledException;
import software.amazon.awssdk.services.dynamodb.streams.DynamoDbStreamsClient;
import software.amazon.awssdk.services.dynamodb.waiters.DynamoDbWaiter;
import software.amazon.awssdk.retries.api.BackoffStrategy;

/**
 * The driver for the AWS SDK for Java v2: requests on standard input, answers on standard output. The protocol is
 * described in compat-tests/doc.go.
 */
public final class Driver {
    private static final String MODEL = "software.amazon.awssdk.services.dynamodb.model.";
    /** The operations that have a client of their own. */
    private static final Set<String> STREAMS_OPERATIONS =
            Set.of("ListStreams", "DescribeStream", "GetShardIterator", "GetRecords");

    private final DynamoDbClient client = DynamoDbClient.create();
    private final DynamoDbStreamsClient streams = DynamoDbStreamsClient.create();
    private final Cases cases = new Cases(client);

    public static void main(String[] args) throws Exception {
        // What a library prints must not get between the answers.
        PrintStream answers = new PrintStream(System.out, true, StandardCharsets.UTF_8);
        System.setOut(System.err);
        Gson gson = new Gson();
        Driver driver = new Driver();
        BufferedReader requests = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        for (String line = requests.readLine(); line != null; line = requests.readLine()) {
            answers.println(gson.toJson(driver.answer(JsonParser.parseString(line).getAsJsonObject())));
        }
        // Pooled threads of the HTTP clients must not keep the process alive.
        System.exit(0);
    }

    private JsonObject answer(JsonObject request) {
        JsonObject answer = new JsonObject();
        String verb = request.get("do").getAsString();
        JsonObject input = request.has("input") ? request.getAsJsonObject("input") : new JsonObject();
        try {
            switch (verb) {
                case "call" -> answer.add("output", call(request.get("operation").getAsString(), input));
                case "pages" -> answer.add("pages", pages(request.get("operation").getAsString(), input));
                case "wait" -> {
                    await(request.get("waiter").getAsString(), input);
                    answer.add("output", new JsonObject());
                }
                case "cases" -> {
                    JsonArray names = new JsonArray();
                    cases.all().keySet().forEach(names::add);
                    answer.add("cases", names);
                }
                case "case" -> {
                    cases.all().get(request.get("name").getAsString()).run(request.get("prefix").getAsString());
                    answer.add("output", new JsonObject());
                }
                default -> throw new IllegalArgumentException("unknown request " + verb);
            }
        } catch (Throwable thrown) {
            Throwable cause = thrown instanceof InvocationTargetException i ? i.getCause() : thrown;
            // The cases check their errors themselves, so an error of the service that leaves one is a failure too.
            if (cause instanceof DynamoDbException e && e.awsErrorDetails() != null && !verb.equals("case")) {
                answer.add("error", error(e));
            } else {
                StringWriter trace = new StringWriter();
                cause.printStackTrace(new PrintWriter(trace));
                answer.addProperty("failure", trace.toString());
            }
        }
        return answer;
    }

    private JsonElement call(String operation, JsonObject input) throws Exception {
        SdkPojo request = request(operation, input);
        Object output;
        if (STREAMS_OPERATIONS.contains(operation)) {
            output = DynamoDbStreamsClient.class.getMethod(methodName(operation), request.getClass()).invoke(streams, request);
        } else {
            output = DynamoDbClient.class.getMethod(methodName(operation), request.getClass()).invoke(client, request);
        }
        return Wire.encode((SdkPojo) output);
    }

    private JsonArray pages(String operation, JsonObject input) throws Exception {
        SdkPojo request = request(operation, input);
        Iterable<?> iterable = (Iterable<?>) DynamoDbClient.class
                .getMethod(methodName(operation) + "Paginator", request.getClass())
                .invoke(client, request);
        JsonArray pages = new JsonArray();
        for (Object page : iterable) {
            pages.add(Wire.encode((SdkPojo) page));
        }
        return pages;
    }

    private void await(String waiter, JsonObject input) {
        DescribeTableRequest request =
                DescribeTableRequest.builder().tableName(input.get("TableName").getAsString()).build();
        try (DynamoDbWaiter waiters = DynamoDbWaiter.builder()
                .client(client)
                .overrideConfiguration(c -> c.maxAttempts(60)
                        .backoffStrategyV2(BackoffStrategy.fixedDelayWithoutJitter(Duration.ofSeconds(1))))
                .build()) {
            switch (waiter) {
                case "TableExists" -> waiters.waitUntilTableExists(request);
                case "TableNotExists" -> waiters.waitUntilTableNotExists(request);
                default -> throw new IllegalArgumentException("no waiter " + waiter);
            }
        }
    }

    private static SdkPojo request(String operation, JsonObject input) throws Exception {
        Class<?> type = Class.forName(MODEL + operation + "Request");
        return Wire.decode((SdkPojo) type.getMethod("builder").invoke(null), input);
    }

    private static String methodName(String operation) {
        return Character.toLowerCase(operation.charAt(0)) + operation.substring(1);
    }

    private static JsonObject error(DynamoDbException e) {
        JsonObject error = new JsonObject();
        error.addProperty("type", e.awsErrorDetails().errorCode());
        error.addProperty("message", e.awsErrorDetails().errorMessage());
        JsonElement item = JsonNull.INSTANCE;
        JsonElement reasons = JsonNull.INSTANCE;
        if (e instanceof ConditionalCheckFailedException failed && failed.hasItem()) {
            item = Wire.encode(failed).getAsJsonObject().get("Item");
        }
        if (e instanceof TransactionCanceledException canceled && canceled.hasCancellationReasons()) {
            reasons = Wire.encode(canceled).getAsJsonObject().get("CancellationReasons");
        }
        error.add("item", item);
        error.add("reasons", reasons);
        return error;
    }
}
