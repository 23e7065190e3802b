package compat;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonPrimitive;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Base64;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import software.amazon.awssdk.core.SdkBytes;
import software.amazon.awssdk.core.SdkField;
import software.amazon.awssdk.core.SdkPojo;
import software.amazon.awssdk.core.protocol.MarshallingType;
import software.amazon.awssdk.core.traits.ListTrait;
import software.amazon.awssdk.core.traits.MapTrait;
import software.amazon.awssdk.core.util.SdkAutoConstructList;
import software.amazon.awssdk.core.util.SdkAutoConstructMap;
import software.amazon.awssdk.utils.builder.Buildable;

/** Turns the API's JSON into the SDK's requests and its responses into JSON, by the fields each class describes. */
final class Wire {
    private Wire() {}

    /** Fills a builder and builds it. Members the class does not have are mistakes of the scenario. */
    static SdkPojo decode(SdkPojo builder, JsonObject json) {
        for (String member : json.keySet()) {
            SdkField<?> field = builder.sdkFields().stream()
                    .filter(f -> f.locationName().equals(member))
                    .findFirst()
                    .orElseThrow(() -> new IllegalArgumentException(builder.getClass() + " has no member " + member));
            field.set(builder, decode(field, json.get(member)));
        }
        return (SdkPojo) ((Buildable) builder).build();
    }

    private static Object decode(SdkField<?> field, JsonElement json) {
        MarshallingType<?> type = field.marshallingType();
        if (type == MarshallingType.SDK_POJO) {
            return decode(field.constructor().get(), json.getAsJsonObject());
        }
        if (type == MarshallingType.LIST) {
            SdkField<?> element = field.getTrait(ListTrait.class).memberFieldInfo();
            List<Object> list = new ArrayList<>();
            json.getAsJsonArray().forEach(e -> list.add(decode(element, e)));
            return list;
        }
        if (type == MarshallingType.MAP) {
            SdkField<?> value = field.getTrait(MapTrait.class).valueFieldInfo();
            Map<String, Object> map = new LinkedHashMap<>();
            json.getAsJsonObject().entrySet().forEach(e -> map.put(e.getKey(), decode(value, e.getValue())));
            return map;
        }
        if (type == MarshallingType.STRING) {
            return json.getAsString();
        }
        if (type == MarshallingType.BOOLEAN) {
            return json.getAsBoolean();
        }
        if (type == MarshallingType.INTEGER) {
            return json.getAsInt();
        }
        if (type == MarshallingType.LONG) {
            return json.getAsLong();
        }
        if (type == MarshallingType.SDK_BYTES) {
            return SdkBytes.fromByteArray(Base64.getDecoder().decode(json.getAsString()));
        }
        throw new IllegalArgumentException("no value of type " + type + " for " + field.memberName());
    }

    /** The members the service sent. */
    static JsonObject encode(SdkPojo pojo) {
        JsonObject json = new JsonObject();
        for (SdkField<?> field : pojo.sdkFields()) {
            Object value = field.getValueOrDefault(pojo);
            // The SDK gives absent collections a value of these two types.
            if (value != null && !(value instanceof SdkAutoConstructList) && !(value instanceof SdkAutoConstructMap)) {
                json.add(field.locationName(), encode(value));
            }
        }
        return json;
    }

    private static JsonElement encode(Object value) {
        if (value instanceof SdkPojo pojo) {
            return encode(pojo);
        }
        if (value instanceof List<?> list) {
            JsonArray array = new JsonArray();
            list.forEach(e -> array.add(encode(e)));
            return array;
        }
        if (value instanceof Map<?, ?> map) {
            JsonObject object = new JsonObject();
            map.forEach((k, v) -> object.add((String) k, encode(v)));
            return object;
        }
        if (value instanceof SdkBytes bytes) {
            return new JsonPrimitive(Base64.getEncoder().encodeToString(bytes.asByteArray()));
        }
        if (value instanceof Instant instant) {
            return new JsonPrimitive(instant.toEpochMilli() / 1000.0);
        }
        if (value instanceof Number number) {
            return new JsonPrimitive(number);
        }
        if (value instanceof Boolean bool) {
            return new JsonPrimitive(bool);
        }
        return new JsonPrimitive(value.toString());
    }
}
