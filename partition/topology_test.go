package partition

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// TestTopologyGolden holds the records of the cluster to their format.
func TestTopologyGolden(t *testing.T) {
	for _, c := range []struct {
		key  []byte
		v    any
		want string
	}{
		{nodeKey(7), nodeRecord{ID: 7, Name: "n1", Addr: "a:1", HTTP: "a:2", Zone: "z", Version: "v", PID: 3, State: NodeDraining},
			"\x01" + `{"id":"7","name":"n1","addr":"a:1","http":"a:2","zone":"z","version":"v","pid":3,"state":"draining"}`},
		{shardKey(2), shardRecord{Shard: 2, Hosts: []uint64{1, 2}, First: []uint64{1, 2}}, "\x01" + `{"shard":2,"hosts":[1,2],"first":[1,2]}`},
		{ordersKey(2), ordersRecord{Shard: 2, Orders: []order{{From: 1, To: 1<<64 - 1}}}, "\x01" + `{"shard":2,"orders":[{"from":"1","to":"18446744073709551615"}]}`},
	} {
		m, err := topologyRecord(c.key, c.v)
		require.NoError(t, err)
		require.Equal(t, c.want, string(m.value))
		require.True(t, isTopology(m.key))
		back, err := decodeTopology(m.key, m.value)
		require.NoError(t, err)
		switch want := c.v.(type) {
		case nodeRecord:
			require.Equal(t, &want, back.node)
		case shardRecord:
			require.Equal(t, &want, back.shard)
		case ordersRecord:
			require.Equal(t, &want, back.orders)
		}
	}
	_, err := decodeTopology(ordersKey(1), []byte("\x02{}"))
	require.ErrorIs(t, err, ErrCorruptRecord)
}
