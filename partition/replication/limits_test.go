package replication

import (
	"testing"

	"github.com/stretchr/testify/require"
	"go.etcd.io/raft/v3/raftpb"
)

func TestInboxIsBounded(t *testing.T) {
	var in inbox
	for range 3 {
		in.receive(&raftpb.Message{}, maxInboxBytes/2)
	}
	require.Len(t, in.remote, 2)
	in = inbox{}
	for range maxInboxMessages + 5 {
		in.receive(&raftpb.Message{}, 1)
	}
	require.Len(t, in.remote, maxInboxMessages)
	for range 3 {
		in.unreachable(1)
		in.unreachable(2)
	}
	require.Equal(t, []Node{1, 2}, in.lost)
}

func TestFlow(t *testing.T) {
	f := flow{max: 100}
	require.True(t, f.reserve(500), "one always has room")
	require.False(t, f.reserve(1))
	f.accept(500, 3)
	require.False(t, f.reserve(1))
	f.applied(450, 2) // of another term
	require.False(t, f.reserve(1))
	f.applied(450, 3)
	require.True(t, f.reserve(50))
	require.False(t, f.reserve(1))
	f.cancel(50)
	require.EqualValues(t, 50, f.inFlight())
	require.True(t, f.reserve(10))
	f.lost() // what waits is still waiting
	require.EqualValues(t, 10, f.inFlight())
	f.accept(10, 4)
	f.applied(20, 4)
	require.Zero(t, f.inFlight())
}

func TestTrimmer(t *testing.T) {
	c := &Config{LogBytes: 800, LogEntries: 1 << 40}
	var m trimmer
	m.start(100)
	index := uint64(100)
	apply := func(n int) (due bool) {
		for range n {
			index++
			due = m.note(index, 100, c) || due
		}
		return due
	}
	require.False(t, apply(15))
	_, ok := m.target(index, c)
	require.False(t, ok)
	require.True(t, apply(1))
	cut, ok := m.target(index, c)
	require.True(t, ok)
	require.Equal(t, mark{index: 108, bytes: 800}, cut)
	// A follower that lags, or a snapshot on its way, is waited for.
	cut, ok = m.target(104, c)
	require.True(t, ok)
	require.EqualValues(t, 104, cut.index)
	m.pin(102)
	cut, _ = m.target(104, c)
	require.EqualValues(t, 102, cut.index)
	m.unpin(102)
	_, ok = m.target(100, c)
	require.False(t, ok)
	// But not for ever.
	apply(16)
	cut, ok = m.target(100, c)
	require.True(t, ok)
	require.EqualValues(t, 124, cut.index)
	m.done(cut)
	_, ok = m.target(index, c)
	require.False(t, ok)
	// The number of entries counts as well.
	c = &Config{LogBytes: 1 << 40, LogEntries: 4}
	m.start(index)
	require.False(t, apply(7))
	require.True(t, apply(1))
	cut, ok = m.target(index, c)
	require.True(t, ok)
	require.Equal(t, index-4, cut.index)
}
