package server

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/stator-db/stator/partition"
)

func TestReadUnits(t *testing.T) {
	for _, test := range []struct {
		size             int
		eventual, strong string
	}{
		{0, "0.5", "1.0"},
		{1, "0.5", "1.0"},
		{4096, "0.5", "1.0"},
		{4097, "1.0", "2.0"},
		{8192, "1.0", "2.0"},
		{12 << 10, "1.5", "3.0"},
		{409600, "50.0", "100.0"},
		{1<<20 + 400<<10, "178.0", "356.0"}, // a page and the item that crossed its end
	} {
		require.Equal(t, test.eventual, string(readUnits(test.size, partition.Eventual).appendJSON(nil)), "%d bytes, eventual", test.size)
		require.Equal(t, test.strong, string(readUnits(test.size, partition.Strong).appendJSON(nil)), "%d bytes, strong", test.size)
	}
}

func TestWriteUnits(t *testing.T) {
	for _, test := range []struct {
		before, after int
		want          string
	}{
		{-1, -1, "1.0"}, // a delete of nothing
		{-1, 0, "1.0"},
		{-1, 1024, "1.0"},
		{-1, 1025, "2.0"},
		{1025, -1, "2.0"},
		{5000, 10, "5.0"},
		{10, 5000, "5.0"},
		{-1, 409600, "400.0"},
	} {
		require.Equal(t, test.want, string(writeUnits(test.before, test.after).appendJSON(nil)), "%d to %d bytes", test.before, test.after)
	}
}

func TestIndexWriteUnits(t *testing.T) {
	for name, test := range map[string]struct {
		write partition.IndexWrite
		want  string
	}{
		"stays out":             {partition.IndexWrite{OldSize: -1, NewSize: -1}, "0.0"},
		"enters":                {partition.IndexWrite{OldSize: -1, NewSize: 2000}, "2.0"},
		"leaves":                {partition.IndexWrite{OldSize: 2000, NewSize: -1}, "2.0"},
		"untouched":             {partition.IndexWrite{OldSize: 2000, NewSize: 2000, SameKey: true, Unchanged: true}, "0.0"},
		"changes in place":      {partition.IndexWrite{OldSize: 2000, NewSize: 4000, SameKey: true}, "4.0"},
		"shrinks in place":      {partition.IndexWrite{OldSize: 4000, NewSize: 20, SameKey: true}, "4.0"},
		"moves to another key":  {partition.IndexWrite{OldSize: 2000, NewSize: 4000}, "6.0"},
		"moves, both are small": {partition.IndexWrite{OldSize: 1, NewSize: 1}, "2.0"},
	} {
		require.Equal(t, test.want, string(indexWriteUnits(test.write).appendJSON(nil)), name)
	}
}

func TestConsumptionSumsArms(t *testing.T) {
	local := &partition.Index{Name: "loc", Local: true}
	global := &partition.Index{Name: "glo"}
	var c consumption
	c.write(&partition.WriteResult{OldSize: -1, NewSize: 1500, Indexes: []partition.IndexWrite{
		{Index: local, OldSize: -1, NewSize: 100},
		{Index: global, OldSize: 100, NewSize: 100, SameKey: true, Unchanged: true},
	}})
	c.write(&partition.WriteResult{OldSize: -1, NewSize: 10, Indexes: []partition.IndexWrite{
		{Index: local, OldSize: -1, NewSize: 100},
		{Index: global, OldSize: 100, NewSize: 100},
	}})
	require.JSONEq(t, `{"TableName":"t\"","CapacityUnits":7}`, string(c.appendJSON(nil, `t"`, capacityTotal)))
	require.JSONEq(t, `{"TableName":"t","CapacityUnits":7,"Table":{"CapacityUnits":3},
		"LocalSecondaryIndexes":{"loc":{"CapacityUnits":2}},"GlobalSecondaryIndexes":{"glo":{"CapacityUnits":2}}}`,
		string(c.appendJSON(nil, "t", capacityIndexes)))
	require.Empty(t, c.appendMember(nil, "t", "NONE"))
	require.Empty(t, c.appendMember(nil, "t", ""))
}
