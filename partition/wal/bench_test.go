package wal_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"
	"go.etcd.io/raft/v3/raftpb"

	"github.com/stator-db/stator/partition/wal"
)

// BenchmarkAppend makes batches durable in which each group has four entries of
// 300 bytes and a new commit index.
func BenchmarkAppend(b *testing.B) {
	const perGroup = 4
	data := make([]byte, 300)
	for _, groups := range []uint64{1, 16, 64} {
		b.Run(fmt.Sprint("groups=", groups), func(b *testing.B) {
			l := mustOpen(b, b.TempDir(), wal.Options{})
			ws := make([]wal.Write, groups)
			b.ReportAllocs()
			b.SetBytes(int64(groups) * perGroup * int64(len(data)))
			for index := uint64(1); b.Loop(); index += perGroup {
				b.StopTimer()
				for g := range ws {
					es := make([]*raftpb.Entry, perGroup)
					for i := range es {
						es[i] = &raftpb.Entry{Term: new(uint64(1)), Index: new(index + uint64(i)), Data: data}
					}
					ws[g] = wal.Write{Group: uint64(g), Entries: es, HardState: hard(1, 1, index-1)}
				}
				b.StartTimer()
				require.NoError(b, l.Append(ws))
			}
			b.ReportMetric(float64(groups)*perGroup*float64(b.N)/b.Elapsed().Seconds(), "entries/s")
		})
	}
}

// BenchmarkEntries reads a megabyte of 300-byte entries, as for a follower.
func BenchmarkEntries(b *testing.B) {
	for _, cached := range []bool{true, false} {
		b.Run(fmt.Sprint("cached=", cached), func(b *testing.B) {
			o := wal.Options{}
			if !cached {
				o.CacheBytes = -1
			}
			l := mustOpen(b, b.TempDir(), o)
			data := make([]byte, 300)
			for batch := range uint64(100) {
				var ws []wal.Write
				for g := range uint64(4) {
					var es []*raftpb.Entry
					for i := range uint64(50) {
						es = append(es, &raftpb.Entry{Term: new(uint64(1)), Index: new(batch*50 + i + 1), Data: data})
					}
					ws = append(ws, wal.Write{Group: g, Entries: es})
				}
				require.NoError(b, l.Append(ws))
			}
			b.ReportAllocs()
			for b.Loop() {
				es, err := l.Group(2).Entries(1, 5001, 1<<20)
				require.NoError(b, err)
				require.Greater(b, len(es), 3000)
			}
		})
	}
}
