package main

// inputs are the operations whose requests are decoded, outputs those whose
// responses are generated; the responses of item operations are written by the
// server without structures.
var (
	inputs = []string{
		"BatchExecuteStatement", "BatchGetItem", "BatchWriteItem", "CreateTable", "DeleteItem", "DeleteTable",
		"DescribeEndpoints", "DescribeLimits", "DescribeStream", "DescribeTable", "DescribeTimeToLive",
		"ExecuteStatement", "ExecuteTransaction", "GetItem", "GetRecords", "GetShardIterator", "ListStreams",
		"ListTables", "ListTagsOfResource", "PutItem", "Query", "Scan", "TagResource", "TransactGetItems",
		"TransactWriteItems", "UntagResource", "UpdateItem", "UpdateTable", "UpdateTimeToLive",
	}
	outputs = []string{
		"CreateTable", "DeleteTable", "DescribeEndpoints", "DescribeLimits", "DescribeStream", "DescribeTable",
		"DescribeTimeToLive", "GetRecords", "GetShardIterator", "ListStreams", "ListTables", "ListTagsOfResource",
		"UpdateTable", "UpdateTimeToLive",
	}
)

// differing are shapes that the models define differently; DynamoDB's counts.
// KeySchema occurs in DynamoDB Streams only in responses, where its limit of two
// elements has no effect.
var differing = map[string]bool{"KeySchema": true}

// enumOrder is the order in which the service prints an enum, by shape. Sets
// that are not here are printed in the order of the model.
var enumOrder = map[string][]string{
	"ComparisonOperator": {"IN", "NULL", "BETWEEN", "LT", "NOT_CONTAINS", "EQ", "GT", "NOT_NULL", "NE", "LE",
		"BEGINS_WITH", "GE", "CONTAINS"},
	"ConditionalOperator": {"OR", "AND"},
	"ProjectionType":      {"ALL", "INCLUDE", "KEYS_ONLY"},
	"ReturnValue":         {"ALL_NEW", "UPDATED_OLD", "ALL_OLD", "NONE", "UPDATED_NEW"},
	"ScalarAttributeType": {"B", "N", "S"},
	"Select":              {"SPECIFIC_ATTRIBUTES", "COUNT", "ALL_ATTRIBUTES", "ALL_PROJECTED_ATTRIBUTES"},
	"StreamViewType":      {"OLD_IMAGE", "KEYS_ONLY", "NEW_AND_OLD_IMAGES", "NEW_IMAGE"},
}

// memberOrder is the order in which the members of a structure are checked.
// Members that are not named follow in the order of the model. A bar ends a
// stage: violations found so far are reported without looking at the rest.
// "X[]" stands for what is inside the list or map X, which otherwise follows
// the checks of X itself.
var memberOrder = map[string][]string{
	"PutItemInput": {"TableName", "|", "ReturnConsumedCapacity", "Item", "ConditionalOperator", "Expected", "ReturnValues",
		"ReturnItemCollectionMetrics"},
	"DeleteItemInput": {"TableName", "|", "ReturnConsumedCapacity", "ReturnValues", "ReturnItemCollectionMetrics", "Key",
		"ConditionalOperator", "Expected"},
	// The first bad enum ends the checks. A missing Key, which has its own
	// order below, never gets here.
	"UpdateItemInput": {"TableName", "|", "ReturnValues", "|", "ReturnConsumedCapacity", "|", "ReturnItemCollectionMetrics",
		"|", "ConditionalOperator", "|", "Expected", "|", "AttributeUpdates", "|"},
	"GetItemInput": {"TableName", "|", "ReturnConsumedCapacity", "AttributesToGet", "Key"},
	"QueryInput": {"TableName", "|", "ConditionalOperator", "|", "Select", "IndexName", "ReturnConsumedCapacity", "QueryFilter",
		"AttributesToGet", "Limit", "KeyConditions"},
	"ScanInput": {"TableName", "|", "Select", "IndexName", "TotalSegments", "ReturnConsumedCapacity", "ConditionalOperator",
		"ScanFilter", "Segment", "Limit", "AttributesToGet"},
	"BatchGetItemInput":       {"RequestItems", "ReturnConsumedCapacity"},
	"BatchWriteItemInput":     {"ReturnConsumedCapacity", "RequestItems", "ReturnItemCollectionMetrics"},
	"TransactWriteItemsInput": {"TransactItems", "|", "ClientRequestToken", "|", "ReturnConsumedCapacity", "ReturnItemCollectionMetrics", "TransactItems[]"},
	"TransactGetItemsInput":   {"TransactItems", "|", "ReturnConsumedCapacity", "TransactItems[]"},

	"CreateTableInput": {"TableName", "|", "AttributeDefinitions", "BillingMode", "ProvisionedThroughput", "KeySchema",
		"GlobalSecondaryIndexes", "LocalSecondaryIndexes"},
	"UpdateTableInput":      {"TableName", "|", "AttributeDefinitions", "ProvisionedThroughput", "GlobalSecondaryIndexUpdates"},
	"UpdateTimeToLiveInput": {"TableName", "|"},

	"AttributeDefinition":              {"AttributeType", "AttributeName"},
	"CreateGlobalSecondaryIndexAction": {"Projection", "IndexName", "ProvisionedThroughput", "KeySchema"},
	"GlobalSecondaryIndex":             {"Projection", "IndexName", "ProvisionedThroughput", "KeySchema"},
	"KeySchemaElement":                 {"AttributeName", "KeyType"},
	"LocalSecondaryIndex":              {"Projection", "IndexName", "KeySchema"},
	"ProvisionedThroughput":            {"WriteCapacityUnits", "ReadCapacityUnits"},
	"TimeToLiveSpecification":          {"AttributeName", "Enabled"},
}

// variant is a second set of checks for a request that lacks a member.
type variant struct {
	missing string
	order   []string
	checks  map[string]string
}

// variants, by structure: UpdateItem without Key is checked as before the
// request validator was replaced, all members in one joined message.
var variants = map[string]variant{
	"UpdateItemInput": {
		missing: "Key",
		order: []string{"ReturnConsumedCapacity", "TableName", "ReturnItemCollectionMetrics", "ReturnValues", "Key",
			"ConditionalOperator", "Expected"},
		checks: map[string]string{
			"TableName":           "vs.tableNameOld($v, $p)",
			"ReturnValues":        "vs.enum($v, returnValueSet, $p)",
			"ConditionalOperator": "vs.enum($v, conditionalOperatorSet, $p)",
		},
	},
}

// checks replace what the model says about a member; $v is the member and $p
// its path. They stand for required, limits, pattern and enum alike. An empty
// string means that the server words all faults of the member itself.
var checks = map[string]string{
	"PutItemInput.TableName":    "vs.tableName($v, $p)",
	"GetItemInput.TableName":    "vs.tableName($v, $p)",
	"UpdateItemInput.TableName": "vs.tableName($v, $p)",
	"DeleteItemInput.TableName": "vs.tableName($v, $p)",
	"QueryInput.TableName":      "vs.tableName($v, $p)",
	"ScanInput.TableName":       "vs.tableName($v, $p)",

	"ConditionCheck.TableName": "vs.tableNameOld($v, $p)",
	"Delete.TableName":         "vs.tableNameOld($v, $p)",
	"Get.TableName":            "vs.tableNameOld($v, $p)",
	"Put.TableName":            "vs.tableNameOld($v, $p)",
	"Update.TableName":         "vs.tableNameOld($v, $p)",

	"CreateTableInput.TableName":        "vs.newTableName($v, $p)",
	"DeleteTableInput.TableName":        "vs.controlTableName($v, $p)",
	"DescribeTableInput.TableName":      "vs.controlTableName($v, $p)",
	"DescribeTimeToLiveInput.TableName": "vs.controlTableName($v, $p)",
	"UpdateTableInput.TableName":        "vs.controlTableName($v, $p)",
	"UpdateTimeToLiveInput.TableName":   "vs.controlTableName($v, $p)",

	"PutItemInput.ReturnValues":           "vs.enumNew($v, returnValueSet, newReturnValues)",
	"UpdateItemInput.ReturnValues":        "vs.enumNew($v, returnValueSet, newReturnValues)",
	"DeleteItemInput.ReturnValues":        "vs.enumNew($v, returnValueSet, newReturnValues)",
	"PutItemInput.ConditionalOperator":    "vs.enumNew($v, conditionalOperatorSet, newConditionalOperators)",
	"UpdateItemInput.ConditionalOperator": "vs.enumNew($v, conditionalOperatorSet, newConditionalOperators)",
	"DeleteItemInput.ConditionalOperator": "vs.enumNew($v, conditionalOperatorSet, newConditionalOperators)",
	"QueryInput.ConditionalOperator":      "vs.enumBare($v, conditionalOperatorSet, bareConditionalOperator)",

	"QueryInput.Limit":                           "vs.valueNew($v, 1, unbounded, $p)",
	"BatchGetItemInput.RequestItems":             "vs.batchGetTables($v, $p)",
	"BatchWriteItemInput.RequestItems":           "vs.batchWriteTables($v, $p)",
	"KeysAndAttributes.Keys":                     "vs.required($v != nil, $p)\nsizeNew(vs, $v, 1, maxBatchGetKeys, $p)",
	"TransactWriteItemsInput.TransactItems":      "vs.required($v != nil, $p)\nsizeNew(vs, $v, 1, 100, $p)",
	"TransactWriteItemsInput.ClientRequestToken": "vs.lengthNew($v, 1, 36, $p)",
	"TransactGetItemsInput.TransactItems":        "vs.required($v != nil, $p)\nsizeNew(vs, $v, 1, 100, $p)",
	"CreateTableInput.TableClass":                "vs.enumBare($v, tableClassSet, bareTableClass)",
	"UpdateTableInput.TableClass":                "vs.enumBare($v, tableClassSet, bareTableClass)",

	// Tags: the server has a sentence of its own for every fault but a missing list.
	"TagResourceInput.ResourceArn":        "vs.length($v, 0, 1283, $p)",
	"UntagResourceInput.ResourceArn":      "vs.length($v, 0, 1283, $p)",
	"ListTagsOfResourceInput.ResourceArn": "vs.length($v, 0, 1283, $p)",
	"Tag.Key":                             "",
	"Tag.Value":                           "",
	"UntagResourceInput.TagKeys":          "vs.required($v != nil, $p)",
}

// bounds are limits of a length or a value; nil is no limit.
type bounds struct{ min, max *int }

func between(low, high int) bounds { return bounds{&low, &high} }
func notEmpty() bounds             { one := 1; return bounds{min: &one} }

// limits replace those of the model, by shape or by "Structure.Member".
var limits = map[string]bounds{
	"AttributeNameList": between(1, 255),
	// The model's KeySchema has had no maximum since global secondary indexes
	// take up to eight attributes.
	"CreateTableInput.KeySchema":    between(1, 2),
	"LocalSecondaryIndex.KeySchema": between(1, 2),

	// The models of DynamoDB Streams leave out the maxima of the API Reference.
	"DescribeStreamInput.Limit": between(1, 100),
	"GetRecordsInput.Limit":     between(1, 1000),
	"ListStreamsInput.Limit":    between(1, 100),

	"CreateVectorIndexAction.Dimensions":      notEmpty(),
	"CreateVectorIndexAction.IndexName":       between(3, 255),
	"CreateVectorIndexAction.SearchSchema":    notEmpty(),
	"DeleteVectorIndexAction.IndexName":       between(3, 255),
	"VectorAttributeDefinition.AttributeName": between(1, 255),
	"VectorIndex.Dimensions":                  notEmpty(),
	"VectorIndex.IndexName":                   between(3, 255),
	"VectorIndex.SearchSchema":                notEmpty(),
}

// names are members with the pattern of names that the model does not carry.
var names = map[string]bool{
	"CreateVectorIndexAction.IndexName": true,
	"DeleteVectorIndexAction.IndexName": true,
	"VectorIndex.IndexName":             true,
}

// patternFirst are members whose pattern is reported before their length; for
// table and index names it is the other way round.
var patternFirst = map[string]bool{
	"ListTablesInput.ExclusiveStartTableName": true,
}

// required are members without which the service refuses a request although
// the model, which has later uses in mind, does not say so.
var required = map[string]bool{
	"CreateTableInput.AttributeDefinitions": true,
	"CreateTableInput.KeySchema":            true,
}

// echoed are structures that messages print and the limits do not lead to.
var echoed = []string{"WriteRequest"}

// internalFields are fields which the service prints and the model lacks; they
// are always null.
var internalFields = map[string][]string{
	"PutRequest": {"workloadProfileName"},
}
