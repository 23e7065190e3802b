package compat;

import java.util.LinkedHashMap;
import java.util.Map;
import software.amazon.awssdk.services.dynamodb.DynamoDbClient;

/** The behaviours only this SDK shows, by name. */
final class Cases {
    /** One of them; it works in tables whose names start with the prefix and throws when something is wrong. */
    interface Case {
        void run(String prefix) throws Exception;
    }

    private final Map<String, Case> all = new LinkedHashMap<>();

    Cases(DynamoDbClient client) {
        EnhancedCases enhanced = new EnhancedCases(client);
        all.put("a table made from a bean", enhanced::tableOfBean);
        all.put("beans are put, read, updated and deleted", enhanced::beans);
        all.put("queries and scans of beans", enhanced::queries);
        all.put("batches of beans", enhanced::batches);
        all.put("optimistic locking by a version attribute", enhanced::versions);
        all.put("conditions and their typed exception", enhanced::conditions);
        all.put("documents without a class", enhanced::documents);
        all.put("the asynchronous client", AsyncCases::asynchronous);
        all.put("the asynchronous enhanced client", AsyncCases::enhanced);
    }

    Map<String, Case> all() {
        return all;
    }

    /** Fails the case unless both are equal. */
    static void equal(Object want, Object got) {
        if (!java.util.Objects.equals(want, got)) {
            throw new AssertionError("want " + want + ", got " + got);
        }
    }
}
