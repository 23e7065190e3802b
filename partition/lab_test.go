package partition

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// TestLabSlowsDisk: a write waits for the disks of a majority.
func TestLabSlowsDisk(t *testing.T) {
	t.Parallel()
	c := newFaultyCluster(t, 1, 1)
	table := createTest(t, c.leader(), plainTable("Cells"))
	leader := c.nodes[c.leaderOf(0)]
	put(t, leader, table, object("pk", "k", "v", 1))
	for _, db := range c.nodes {
		db.Lab().Disk.SetSyncDelay(time.Hour)
	}
	write := func() error {
		_, err := leader.Write(t.Context(), &Write{Table: table, Kind: Put, Item: object("pk", "k", "v", 2)})
		return err
	}
	require.Error(t, write())
	for _, db := range c.nodes {
		require.Equal(t, time.Hour, db.Lab().Disk.SyncDelay())
		db.Lab().Disk.SetSyncDelay(0)
	}
	c.eventually("writes go on", func() bool { return write() == nil })
}

// TestLabMovesClock: the clock of one node jumps both ways, and a single node has
// no lab.
func TestLabMovesClock(t *testing.T) {
	t.Parallel()
	c := newFaultyCluster(t, 1, 1)
	db := c.nodes["n1"]
	for _, offset := range []time.Duration{time.Hour, -time.Hour, 0} {
		db.Lab().SetClockOffset(offset)
		require.Equal(t, offset, db.Lab().ClockOffset())
		require.WithinDuration(t, time.Now().Add(offset), db.Now(), 20*time.Minute)
		require.WithinDuration(t, time.Now(), c.nodes["n2"].Now(), 20*time.Minute)
	}
	require.Nil(t, openTest(t, Options{InMemory: true}).Lab())
}
