package api

import (
	"testing"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/stretchr/testify/require"

	"github.com/stator-db/stator/storage/item"
)

func TestOutputs(t *testing.T) {
	created := time.Date(2026, 10, 9, 5, 53, 25, 330_999_999, time.UTC)
	for name, c := range map[string]struct {
		out  any
		want string
	}{
		"nothing": {CreateTableOutput{}, `{}`},
		"zero values are written, absent ones are not": {
			DescribeTableOutput{Table: &TableDescription{
				TableName:              "tbl",
				TableStatus:            "ACTIVE",
				CreationDateTime:       Timestamp(created),
				ItemCount:              Some[int64](0),
				KeySchema:              []KeySchemaElement{{AttributeName: Some("a"), KeyType: Some("HASH")}},
				ProvisionedThroughput:  &ProvisionedThroughputDescription{NumberOfDecreasesToday: Some[int64](0), ReadCapacityUnits: Some[int64](5)},
				StreamSpecification:    &StreamSpecification{StreamEnabled: Some(true), StreamViewType: Some("KEYS_ONLY")},
				GlobalSecondaryIndexes: []GlobalSecondaryIndexDescription{},
			}},
			`{"Table":{"TableName":"tbl","KeySchema":[{"AttributeName":"a","KeyType":"HASH"}],"TableStatus":"ACTIVE",` +
				`"CreationDateTime":1791525205.33,"ProvisionedThroughput":{"NumberOfDecreasesToday":0,"ReadCapacityUnits":5},` +
				`"ItemCount":0,"GlobalSecondaryIndexes":[],"StreamSpecification":{"StreamEnabled":true,"StreamViewType":"KEYS_ONLY"}}}`,
		},
		"empty lists are written": {ListTablesOutput{TableNames: []string{}}, `{"TableNames":[]}`},
		"stream records": {
			GetRecordsOutput{Records: []Record{{
				EventID: "1", EventName: "INSERT", AwsRegion: "us-east-1",
				Dynamodb: &StreamRecord{
					ApproximateCreationDateTime: Timestamp(created.Truncate(time.Second)),
					Keys:                        NewAttributeMap(newItem(map[string]item.Value{"a": item.String("é\"")})),
					SizeBytes:                   Some[int64](3),
				},
			}}},
			`{"Records":[{"eventID":"1","eventName":"INSERT","awsRegion":"us-east-1",` +
				`"dynamodb":{"ApproximateCreationDateTime":1791525205,"Keys":{"a":{"S":"é\""}},"SizeBytes":3}}]}`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := json.Marshal(c.out)
			require.NoError(t, err)
			require.Equal(t, c.want, string(got))
		})
	}
}

func TestOr(t *testing.T) {
	require.Equal(t, "NONE", Optional[string]{}.Or("NONE"))
	require.Equal(t, "", Some("").Or("NONE"))
}
