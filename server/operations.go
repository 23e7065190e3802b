package server

import "log/slog"

// Target prefixes of the two services on this port (header X-Amz-Target).
const (
	targetPrefix        = "DynamoDB_20120810."
	streamsTargetPrefix = "DynamoDBStreams_20120810."
)

// An operation is one row of the API. serve appends the response to c.out or
// returns an error for toAPIError; nil means not built, which clients see as
// UnknownOperationException.
type operation struct {
	name  string
	serve func(c *call) error
}

// notBuilt answers an operation of the API that this server does not have. Unlike the
// service's answer to a name that means nothing, it says so; the log does once for each.
func (c *call) notBuilt(op *operation) error {
	if _, logged := c.s.notBuilt.LoadOrStore(op.name, true); !logged {
		c.s.log.LogAttrs(c.ctx, slog.LevelWarn, "operation not supported", slog.String("operation", op.name))
	}
	return &apiError{Type: errUnknownOperation.Type, Message: op.name + " is not supported by this server"}
}

// operations are those of the API model 2012-08-10, by name.
var operations = []operation{
	{"BatchExecuteStatement", serveBatchExecuteStatement},
	{"BatchGetItem", serveBatchGetItem},
	{"BatchWriteItem", serveBatchWriteItem},
	{"CancelBulkOperation", nil},
	{"CreateBackup", nil},
	{"CreateGlobalTable", nil},
	{"CreateTable", serveCreateTable},
	{"DeleteBackup", nil},
	{"DeleteItem", serveDeleteItem},
	{"DeleteResourcePolicy", nil},
	{"DeleteTable", serveDeleteTable},
	{"DescribeBackup", nil},
	{"DescribeBulkOperation", nil},
	{"DescribeContinuousBackups", nil},
	{"DescribeContributorInsights", nil},
	{"DescribeEndpoints", serveDescribeEndpoints},
	{"DescribeExport", nil},
	{"DescribeGlobalTable", nil},
	{"DescribeGlobalTableSettings", nil},
	{"DescribeImport", nil},
	{"DescribeKinesisStreamingDestination", nil},
	{"DescribeLimits", serveDescribeLimits},
	{"DescribeTable", serveDescribeTable},
	{"DescribeTableReplicaAutoScaling", nil},
	{"DescribeTimeToLive", serveDescribeTimeToLive},
	{"DisableKinesisStreamingDestination", nil},
	{"EnableKinesisStreamingDestination", nil},
	{"ExecuteStatement", serveExecuteStatement},
	{"ExecuteTransaction", serveExecuteTransaction},
	{"ExportTableToPointInTime", nil},
	{"GetItem", serveGetItem},
	{"GetResourcePolicy", nil},
	{"ImportTable", nil},
	{"ListBackups", nil},
	{"ListBulkOperations", nil},
	{"ListContributorInsights", nil},
	{"ListExports", nil},
	{"ListGlobalTables", nil},
	{"ListImports", nil},
	{"ListTables", serveListTables},
	{"ListTagsOfResource", serveListTagsOfResource},
	{"PutItem", servePutItem},
	{"PutResourcePolicy", nil},
	{"Query", serveQuery},
	{"RestoreTableFromBackup", nil},
	{"RestoreTableToPointInTime", nil},
	{"Scan", serveScan},
	{"SearchVectors", nil},
	{"StartBulkPutItems", nil},
	{"TagResource", serveTagResource},
	{"TransactGetItems", serveTransactGetItems},
	{"TransactWriteItems", serveTransactWriteItems},
	{"UntagResource", serveUntagResource},
	{"UpdateContinuousBackups", nil},
	{"UpdateContributorInsights", nil},
	{"UpdateGlobalTable", nil},
	{"UpdateGlobalTableSettings", nil},
	{"UpdateItem", serveUpdateItem},
	{"UpdateKinesisStreamingDestination", nil},
	{"UpdateTable", serveUpdateTable},
	{"UpdateTableReplicaAutoScaling", nil},
	{"UpdateTimeToLive", serveUpdateTimeToLive},
}

// streamsOperations are those of the Streams API model.
var streamsOperations = []operation{
	{"DescribeStream", serveDescribeStream},
	{"GetRecords", serveGetRecords},
	{"GetShardIterator", serveGetShardIterator},
	{"ListStreams", serveListStreams},
}

// targets finds an operation by the whole X-Amz-Target header, so that the
// lookup takes no allocation.
var targets = targetsOf(operations, streamsOperations)

func targetsOf(main, streams []operation) map[string]*operation {
	m := make(map[string]*operation, len(main)+len(streams))
	add := func(prefix string, list []operation) {
		for i := range list {
			m[prefix+list[i].name] = &list[i]
		}
	}
	add(targetPrefix, main)
	add(streamsTargetPrefix, streams)
	return m
}
