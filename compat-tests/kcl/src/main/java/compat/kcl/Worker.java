package compat.kcl;

import com.amazonaws.services.dynamodbv2.streamsadapter.AmazonDynamoDBStreamsAdapterClient;
import com.amazonaws.services.dynamodbv2.streamsadapter.StreamsSchedulerFactory;
import com.amazonaws.services.dynamodbv2.streamsadapter.polling.DynamoDBStreamsPollingConfig;
import java.util.concurrent.TimeUnit;
import software.amazon.awssdk.regions.Region;
import software.amazon.awssdk.services.cloudwatch.CloudWatchAsyncClient;
import software.amazon.awssdk.services.dynamodb.DynamoDbAsyncClient;
import software.amazon.awssdk.services.dynamodb.streams.DynamoDbStreamsClient;
import software.amazon.kinesis.common.ConfigsBuilder;
import software.amazon.kinesis.common.InitialPositionInStream;
import software.amazon.kinesis.common.InitialPositionInStreamExtended;
import software.amazon.kinesis.coordinator.Scheduler;
import software.amazon.kinesis.metrics.NullMetricsFactory;

/**
 * A Kinesis Client Library worker that follows one DynamoDB stream and says on standard output what it sees,
 * one event a line with tabs between the fields (see {@link Follower}). It ends when standard input does.
 *
 * <p>Its leases and checkpoints lie in tables of the server it follows. The AWS settings come from the
 * environment.
 */
public final class Worker {
    private Worker() {}

    /** Arguments: the stream's ARN and the name of the application, which the lease tables are named after. */
    public static void main(String[] args) throws Exception {
        String stream = args[0];
        String application = args[1];
        Region region = Region.of(System.getenv("AWS_REGION"));
        var client = new AmazonDynamoDBStreamsAdapterClient(DynamoDbStreamsClient.create(), region);
        var start = InitialPositionInStreamExtended.newInitialPosition(InitialPositionInStream.TRIM_HORIZON);
        // The worker keeps its name, so that after a restart it goes on with the leases it has.
        var configs = new ConfigsBuilder(
                StreamsSchedulerFactory.createSingleStreamTracker(stream, start),
                application,
                client,
                DynamoDbAsyncClient.create(),
                CloudWatchAsyncClient.create(),
                "worker",
                Follower::new);
        var leases = configs.leaseManagementConfig()
                .failoverTimeMillis(3000)
                .leaseAssignmentIntervalMillis(500L)
                .shardSyncIntervalMillis(500);
        // Leases are only given to workers that have reported how they are.
        leases.workerUtilizationAwareAssignmentConfig().workerMetricsReporterFreqInMillis(500);
        Scheduler scheduler = StreamsSchedulerFactory.createScheduler(
                configs.checkpointConfig(),
                configs.coordinatorConfig()
                        .parentShardPollIntervalMillis(200)
                        .shardConsumerDispatchPollIntervalMillis(200)
                        .schedulerInitializationBackoffTimeMillis(200)
                        .skipShardSyncAtWorkerInitializationIfLeasesExist(true),
                leases,
                configs.lifecycleConfig(),
                configs.metricsConfig().metricsFactory(new NullMetricsFactory()),
                configs.processorConfig(),
                configs.retrievalConfig()
                        .retrievalSpecificConfig(
                                new DynamoDBStreamsPollingConfig(stream, client).idleTimeBetweenReadsInMillis(200)),
                client);
        createLeases(scheduler);
        stopWithInput(scheduler);
        scheduler.run();
        System.exit(0); // threads of the SDK's clients are left
    }

    /** Does what the scheduler does without leases, but only after up to 30 seconds in which others might. */
    private static void createLeases(Scheduler scheduler) throws Exception {
        scheduler.leaseCoordinator().initialize();
        if (scheduler.leaseRefresher().isLeaseTableEmpty()) {
            for (var config : scheduler.currentStreamConfigMap().values()) {
                Exception failure = scheduler.shardSyncTaskManagerProvider().apply(config).callShardSyncTask().getException();
                if (failure != null) {
                    throw failure;
                }
            }
        }
    }

    private static void stopWithInput(Scheduler scheduler) {
        Thread input = new Thread(() -> {
            try {
                while (System.in.read() >= 0) {}
                scheduler.startGracefulShutdown().get(1, TimeUnit.MINUTES);
            } catch (Exception e) {
                e.printStackTrace();
                System.exit(1);
            }
        });
        input.setDaemon(true);
        input.start();
    }
}
