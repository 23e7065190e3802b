package compat.kcl;

import com.amazonaws.services.dynamodbv2.streamsadapter.adapter.DynamoDBStreamsClientRecord;
import com.amazonaws.services.dynamodbv2.streamsadapter.model.DynamoDBStreamsProcessRecordsInput;
import com.amazonaws.services.dynamodbv2.streamsadapter.processor.DynamoDBStreamsShardRecordProcessor;
import java.util.Map;
import software.amazon.awssdk.services.dynamodb.model.AttributeValue;
import software.amazon.kinesis.exceptions.InvalidStateException;
import software.amazon.kinesis.exceptions.KinesisClientLibRetryableException;
import software.amazon.kinesis.exceptions.ShutdownException;
import software.amazon.kinesis.lifecycle.events.InitializationInput;
import software.amazon.kinesis.lifecycle.events.LeaseLostInput;
import software.amazon.kinesis.lifecycle.events.ShardEndedInput;
import software.amazon.kinesis.lifecycle.events.ShutdownRequestedInput;
import software.amazon.kinesis.processor.RecordProcessorCheckpointer;

/**
 * Prints the records of one shard and checkpoints each of them:
 *
 * <pre>
 * start       shard  checkpoint
 * record      shard  sequence number  event name  id  old version or -  new version or -
 * checkpoint  shard  sequence number
 * end         shard
 * </pre>
 */
final class Follower implements DynamoDBStreamsShardRecordProcessor {
    private String shard;

    @Override
    public void initialize(InitializationInput input) {
        shard = input.shardId();
        say("start", shard, input.extendedSequenceNumber().sequenceNumber());
    }

    @Override
    public void processRecords(DynamoDBStreamsProcessRecordsInput input) {
        for (var clientRecord : input.records()) {
            var record = ((DynamoDBStreamsClientRecord) clientRecord).getRecord();
            var change = record.dynamodb();
            say("record", shard, change.sequenceNumber(), record.eventNameAsString(), change.keys().get("id").s(),
                    version(change.oldImage()), version(change.newImage()));
            if (!checkpoint(() -> input.checkpointer().checkpoint(change.sequenceNumber()))) {
                return; // whoever has the shard next begins with this record
            }
            say("checkpoint", shard, change.sequenceNumber());
        }
    }

    @Override
    public void shardEnded(ShardEndedInput input) {
        RecordProcessorCheckpointer checkpointer = input.checkpointer();
        if (checkpoint(checkpointer::checkpoint)) {
            say("end", shard);
        }
    }

    @Override
    public void leaseLost(LeaseLostInput input) {}

    @Override
    public void shutdownRequested(ShutdownRequestedInput input) {}

    private interface Checkpoint {
        void store() throws InvalidStateException, ShutdownException;
    }

    /** Stores a checkpoint, however long the server is away; false when another has the shard now. */
    private static boolean checkpoint(Checkpoint checkpoint) {
        while (true) {
            try {
                checkpoint.store();
                return true;
            } catch (KinesisClientLibRetryableException e) {
                Thread.onSpinWait(); // the SDK has paused between its attempts
            } catch (ShutdownException | InvalidStateException e) {
                return false;
            }
        }
    }

    private static String version(Map<String, AttributeValue> image) {
        return image == null || image.isEmpty() ? "-" : image.get("version").n();
    }

    private static void say(String... fields) {
        System.out.println(String.join("\t", fields));
    }
}
