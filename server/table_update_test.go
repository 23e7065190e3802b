package server

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/stator-db/stator/partition"
	"github.com/stator-db/stator/server/internal/api"
	"github.com/stator-db/stator/storage/item"
)

// TestUpdateTableConflicts applies changes to tables that another change keeps busy,
// which a quick machine hardly ever shows.
func TestUpdateTableConflicts(t *testing.T) {
	const inUse = "com.amazonaws.dynamodb.v20120810#ResourceInUseException: Attempt to change a resource which is still in use: "
	const oneOnline = "com.amazonaws.dynamodb.v20120810#LimitExceededException: Subscriber limit exceeded: Only 1 online index can be created or deleted simultaneously per table"
	allocating := partition.Index{Status: partition.IndexCreating}
	backfilling := partition.Index{Status: partition.IndexCreating, Backfilling: true}
	deleting := partition.Index{Status: partition.IndexDeleting}
	active := partition.Index{Status: partition.IndexActive}

	capacity := `{"ProvisionedThroughput":{"ReadCapacityUnits":9,"WriteCapacityUnits":9}}`
	update := `{"GlobalSecondaryIndexUpdates":[{"Update":{"IndexName":"busy","ProvisionedThroughput":{"ReadCapacityUnits":9,"WriteCapacityUnits":9}}}]}`
	remove := `{"GlobalSecondaryIndexUpdates":[{"Delete":{"IndexName":"busy"}}]}`
	removeOther := `{"GlobalSecondaryIndexUpdates":[{"Delete":{"IndexName":"other"}}]}`
	create := `{"AttributeDefinitions":[{"AttributeName":"a","AttributeType":"S"}],"GlobalSecondaryIndexUpdates":[{"Create":{"IndexName":"new",
		"KeySchema":[{"AttributeName":"a","KeyType":"HASH"}],"Projection":{"ProjectionType":"ALL"},"ProvisionedThroughput":{"ReadCapacityUnits":9,"WriteCapacityUnits":9}}}]}`
	protect := `{"DeletionProtectionEnabled":true}`

	s := openTest(t, Options{})
	for _, tt := range []struct {
		name    string
		status  partition.TableStatus
		busy    partition.Index
		request string
		want    string // "" means that the change is made
	}{
		{"table is created", partition.TableCreating, active, capacity, inUse + "Table is being created: tbl"},
		{"table is deleted", partition.TableDeleting, active, protect, inUse + "Table is being deleted: tbl"},
		{"capacity while allocating", partition.TableUpdating, allocating, capacity, inUse + "Can't change table IOPS when an index is being created. Table: tbl Indexes: [busy]"},
		{"capacity while deleting", partition.TableUpdating, deleting, capacity, inUse + "Can't change table IOPS when an index is being deleted. Table: tbl Indexes: [busy]"},
		{"capacity while backfilling", partition.TableActive, backfilling, capacity, ""},
		{"protection while allocating", partition.TableUpdating, allocating, protect, ""},
		{"create while allocating", partition.TableUpdating, allocating, create, oneOnline},
		{"create while backfilling", partition.TableActive, backfilling, create, oneOnline},
		{"create while deleting", partition.TableUpdating, deleting, create, oneOnline},
		{"create", partition.TableActive, active, create, ""},
		{"delete while allocating", partition.TableUpdating, allocating, remove, inUse + "Index creation is in resource allocation phase. Retry deletion during backfilling phase or when the index is active. Table: tbl Index: busy"},
		{"delete while backfilling", partition.TableActive, backfilling, remove, ""},
		{"delete while deleting", partition.TableUpdating, deleting, remove, inUse + "Index is being deleted. Table: tbl Index: busy"},
		{"delete another while backfilling", partition.TableActive, backfilling, removeOther, oneOnline},
		{"update while allocating", partition.TableUpdating, allocating, update, inUse + "Index is being created but is not backfilling yet. Table: tbl Index: busy"},
		{"update while deleting", partition.TableUpdating, deleting, update, inUse + "Index is being deleted. Table: tbl Index: busy"},
		{"update while backfilling", partition.TableActive, backfilling, update, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			busy, other := tt.busy, active
			busy.Name, other.Name = "busy", "other"
			table := &partition.Table{
				Name: "tbl", Status: tt.status, Billing: partition.Provisioned, Global: []*partition.Index{&busy, &other},
				Attributes: []partition.KeyAttribute{{Name: "pk", Type: item.S}},
			}
			c := &call{s: s, op: &operation{name: "UpdateTable"}, body: []byte(tt.request)}
			var in api.UpdateTableInput
			require.NoError(t, c.unmarshal(&in))
			require.NoError(t, checkUpdateRequest(&in))
			u := tableUpdate{call: c, in: &in}
			err := u.apply(table)
			if tt.want == "" {
				require.NoError(t, err)
				return
			}
			require.EqualError(t, err, tt.want)
		})
	}
}

func TestDeleteTableConflicts(t *testing.T) {
	const inUse = "com.amazonaws.dynamodb.v20120810#ResourceInUseException: Attempt to change a resource which is still in use: "
	indexes := inUse + "Cannot delete table while indexes are being created, updated, or deleted."
	for _, tt := range []struct {
		status partition.TableStatus
		index  partition.IndexStatus
		want   string
	}{
		{partition.TableCreating, partition.IndexActive, inUse + "Table is being created: tbl"},
		{partition.TableDeleting, partition.IndexActive, inUse + "Table is being deleted: tbl"},
		{partition.TableUpdating, partition.IndexCreating, indexes},
		{partition.TableActive, partition.IndexCreating, indexes},
		{partition.TableUpdating, partition.IndexDeleting, indexes},
	} {
		err := checkDeletable(&partition.Table{Name: "tbl", Status: tt.status, DeletionProtection: true, Global: []*partition.Index{{Status: tt.index}}})
		require.EqualError(t, err, tt.want)
	}
	require.NoError(t, checkDeletable(&partition.Table{Status: partition.TableActive, Global: []*partition.Index{{Status: partition.IndexActive}}}))
}

// TestTransientStatuses sees an index in its first phase, as clients of DynamoDB
// Local with -delayTransientStatuses do.
func TestTransientStatuses(t *testing.T) {
	s, err := Open(Options{InMemory: true, Shards: 1, DelayTransientStatuses: true})
	require.NoError(t, err)
	client := &testClient{t, s}
	client.must("CreateTable", `{"TableName":"tbl","BillingMode":"PAY_PER_REQUEST","KeySchema":[{"AttributeName":"pk","KeyType":"HASH"}],
		"AttributeDefinitions":[{"AttributeName":"pk","AttributeType":"S"}]}`)
	client.must("UpdateTable", `{"TableName":"tbl","AttributeDefinitions":[{"AttributeName":"a","AttributeType":"S"}],"GlobalSecondaryIndexUpdates":[
		{"Create":{"IndexName":"gsi","KeySchema":[{"AttributeName":"a","KeyType":"HASH"}],"Projection":{"ProjectionType":"ALL"}}}]}`)
	require.Equal(t, "TableStatus: \"UPDATING\"\n", tableAnswer(t, client, "DescribeTable", `{"TableName":"tbl"}`, []string{"TableStatus"}))
	require.Contains(t, tableAnswer(t, client, "DescribeTable", `{"TableName":"tbl"}`, []string{"GlobalSecondaryIndexes"}), `"IndexStatus":"CREATING","Backfilling":false`)
	require.NoError(t, s.Close())
}
