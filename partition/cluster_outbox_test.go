package partition

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/stator-db/stator/storage"
	"github.com/stator-db/stator/storage/item"
)

// TestRepeatedDeliveriesInOneBatch has two leaders of a shard deliver the same
// index changes: however the destination's log is cut into batches, each change
// takes effect once, and none undoes a later one.
func TestRepeatedDeliveriesInOneBatch(t *testing.T) {
	db := openTest(t, Options{Shards: 2, SweepInterval: time.Hour})
	table := createTest(t, db, accountsTable())
	ix := table.Index("byBranch")
	r := db.replicas[1]
	first, second := object("pk", "k", "branch", "b", "v", 1), object("pk", "k", "branch", "b", "v", 22)
	entryKey, _ := appendEntryKey(nil, table, ix, first)
	entry := func(seq uint64, it item.Item, oldSize int) outboxEntry {
		var o outgoing
		o.add(1, table.ID, ix.ID, change{key: entryKey, record: appendRecord(nil, seq, it), oldSize: int64(oldSize)})
		return outboxEntry{dest: 1, seq: seq, changes: o.entries[0].changes}
	}
	one, two := entry(1<<16, first, -1), entry(2<<16, second, first.Size())
	deliver := func(entries ...outboxEntry) *proposal {
		return &proposal{command: &receiveCommand{source: 0, entries: entries}}
	}
	require.NoError(t, r.apply([]*proposal{deliver(one), deliver(one, two), deliver(one)}))
	require.Equal(t, counts{1, int64(second.Size())}, r.stats.counts[statsID{table.ID, ix.ID}])
	require.Equal(t, uint64(2<<16), r.received[0])
	require.NoError(t, r.shard.View(func(s *storage.Snapshot) error {
		found, err := s.Get(entryKey, func(value []byte) error {
			_, it, err := parseRecord(value)
			require.Equal(t, 22, cellValue(it))
			return err
		})
		require.True(t, found)
		return err
	}))
}

// TestEndedPropagatorHoldsNobody: a node that is being closed may come to lead a
// shard once more. What is written then waits for nothing, for nobody carries it.
func TestEndedPropagatorHoldsNobody(t *testing.T) {
	db := openTest(t, Options{Shards: 2, SweepInterval: time.Hour})
	g := newPropagator(0, db)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	g.run(ctx)
	require.NoError(t, g.resume(db.replicas[0].shard))
	g.enqueue([]outboxEntry{{dest: 1, seq: 1 << outboxPartBits, waiting: new(sync.WaitGroup)}})
	require.Empty(t, g.mu.queue)
}
