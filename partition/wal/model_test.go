package wal_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"go.etcd.io/raft/v3"
	"go.etcd.io/raft/v3/raftpb"
	"google.golang.org/protobuf/proto"
	"pgregory.net/rapid"

	"github.com/stator-db/stator/partition/wal"
	"github.com/stator-db/stator/partition/wal/waltest"
)

// model is what one group should hold, in the plainest form.
type model struct {
	first, prevTerm uint64
	entries         []*raftpb.Entry
	term, vote      uint64
	commit          uint64
	// savedCommit and savedFirst are at least what a crash leaves.
	savedCommit, savedFirst uint64
	conf                    *raftpb.ConfState
	confIndex               uint64
}

func newModel() *model { return &model{first: 1, savedFirst: 1, conf: &raftpb.ConfState{}} }

func (m *model) last() uint64 { return m.first + uint64(len(m.entries)) - 1 }

func (m *model) clone() *model {
	c := *m
	c.entries = slices.Clone(m.entries)
	return &c
}

func (m *model) compact(upTo uint64) {
	m.prevTerm = m.entries[upTo-m.first].GetTerm()
	m.entries = m.entries[upTo+1-m.first:]
	m.first = upTo + 1
}

func (m *model) apply(w wal.Write) {
	if s := w.Snapshot; s != nil {
		m.first, m.prevTerm, m.entries = s.GetIndex()+1, s.GetTerm(), nil
		m.savedFirst = m.first
		m.conf, m.confIndex = s.GetConfState(), s.GetIndex()
		m.commit = max(m.commit, s.GetIndex())
	}
	if len(w.Entries) > 0 {
		m.entries = append(m.entries[:w.Entries[0].GetIndex()-m.first:w.Entries[0].GetIndex()-m.first], w.Entries...)
	}
	if h := w.HardState; h != nil {
		m.term, m.vote, m.commit = h.GetTerm(), h.GetVote(), h.GetCommit()
	}
	if w.ConfState != nil {
		m.conf, m.confIndex = w.ConfState, w.ConfIndex
	}
}

// machine drives a log and its models, group by group.
type machine struct {
	disk    *waltest.Disk
	options wal.Options
	log     *wal.Log
	groups  map[uint64]*model
}

func (m *machine) open(t require.TestingT) {
	log, err := wal.Open("wal", m.options)
	require.NoError(t, err)
	m.log = log
}

// synced notes that everything known is on disk.
func (m *machine) synced() {
	for _, g := range m.groups {
		g.savedCommit, g.savedFirst = g.commit, g.first
	}
}

// drawWrite makes a write that raft could make, given what the group holds.
func drawWrite(t *rapid.T, id uint64, m *model) wal.Write {
	w := wal.Write{Group: id}
	m = m.clone()
	term := m.term + uint64(rapid.IntRange(0, 1).Draw(t, "newer term"))
	if rapid.IntRange(0, 9).Draw(t, "snapshot") == 0 {
		index := m.last() + uint64(rapid.IntRange(0, 20).Draw(t, "ahead"))
		w.Snapshot = &raftpb.SnapshotMetadata{Index: &index, Term: new(max(term, 1)), ConfState: drawConf(t)}
		m.apply(w)
	}
	if n := rapid.IntRange(0, 6).Draw(t, "entries"); n > 0 {
		first := rapid.Uint64Range(max(m.first, m.last()+1-min(m.last(), 3)), m.last()+1).Draw(t, "first")
		for i := range n {
			data := rapid.SliceOfN(rapid.Byte(), 0, 60).Draw(t, "data")
			e := &raftpb.Entry{Term: new(max(term, 1)), Index: new(first + uint64(i))}
			if len(data) > 0 {
				e.Data = data
			}
			if rapid.IntRange(0, 9).Draw(t, "kind") == 0 {
				e.Type = raftpb.EntryConfChangeV2.Enum()
			}
			w.Entries = append(w.Entries, e)
		}
		m.apply(wal.Write{Entries: w.Entries})
	}
	if rapid.Bool().Draw(t, "state") || len(w.Entries) > 0 || w.Snapshot != nil {
		commit := rapid.Uint64Range(min(m.commit, m.last()), m.last()).Draw(t, "commit")
		w.HardState = hard(max(term, 1), rapid.Uint64Range(0, 3).Draw(t, "vote"), commit)
	}
	if rapid.IntRange(0, 9).Draw(t, "conf") == 0 {
		w.ConfState, w.ConfIndex = drawConf(t), m.commit
	}
	return w
}

func drawConf(t *rapid.T) *raftpb.ConfState {
	nodes := rapid.SliceOfN(rapid.Uint64Range(1, 9), 0, 3)
	c := &raftpb.ConfState{Voters: nodes.Draw(t, "voters"), Learners: nodes.Draw(t, "learners"), VotersOutgoing: nodes.Draw(t, "outgoing")}
	if rapid.Bool().Draw(t, "auto leave") {
		c.AutoLeave = new(true)
	}
	return c
}

func (m *machine) group(t *rapid.T) (uint64, *model) {
	id := rapid.Uint64Range(0, 3).Draw(t, "group")
	g := m.groups[id]
	if g == nil {
		g = newModel()
	}
	return id, g
}

func (m *machine) append(t *rapid.T) {
	next := map[uint64]*model{}
	var ws []wal.Write
	forced := false
	for range rapid.IntRange(1, 3).Draw(t, "writes") {
		id, g := m.group(t)
		if next[id] == nil {
			next[id] = g.clone()
		}
		w := drawWrite(t, id, next[id])
		forced = forced || w.Snapshot != nil || len(w.Entries) > 0 || w.ConfState != nil || m.groups[id] == nil ||
			w.HardState != nil && (w.HardState.GetTerm() != g.term || w.HardState.GetVote() != g.vote)
		next[id].apply(w)
		ws = append(ws, w)
	}
	require.NoError(t, m.log.Append(ws))
	for id, g := range next {
		m.groups[id] = g
	}
	if forced {
		m.synced()
	}
}

func (m *machine) compact(t *rapid.T) {
	id, g := m.group(t)
	upTo := rapid.Uint64Range(g.first-1, g.last()).Draw(t, "up to")
	require.NoError(t, m.log.Compact(id, upTo))
	if upTo >= g.first {
		g.compact(upTo)
	}
	require.ErrorIs(t, m.log.Compact(id, g.last()+1), raft.ErrUnavailable)
}

func (m *machine) remove(t *rapid.T) {
	id, g := m.group(t)
	require.NoError(t, m.log.Remove(id))
	if m.groups[id] == g {
		delete(m.groups, id)
		m.synced()
	}
}

func (m *machine) reopen(t *rapid.T) {
	require.NoError(t, m.log.Close())
	m.synced()
	m.open(t)
}

// crash loses what was not synced: commit indexes and compactions may be behind.
func (m *machine) crash(t *rapid.T) {
	var random *rand.Rand
	if seed := rapid.Uint64().Draw(t, "seed"); seed%4 != 0 {
		random = rand.New(rand.NewPCG(seed, 0))
	}
	m.disk.Crash(random)
	m.log.Close()
	m.open(t)
	for id, g := range m.groups {
		s := m.log.Group(id)
		h, _, err := s.InitialState()
		require.NoError(t, err)
		require.GreaterOrEqual(t, h.GetCommit(), min(g.savedCommit, g.commit))
		first, err := s.FirstIndex()
		require.NoError(t, err)
		require.GreaterOrEqual(t, first, g.savedFirst)
		require.LessOrEqual(t, first, g.first)
		if first < g.first {
			// The compaction is lost. It is done again, so that the models agree.
			require.NoError(t, m.log.Compact(id, g.first-1))
		}
		if h.GetCommit() != g.commit {
			require.NoError(t, m.log.Append([]wal.Write{{Group: id, HardState: hard(g.term, g.vote, g.commit)}}))
		}
	}
}

// check compares everything.
func (m *machine) check(t *rapid.T) {
	var ids []uint64
	for id, g := range m.groups {
		ids = append(ids, id)
		require.True(t, m.log.Known(id))
		s := m.log.Group(id)
		h, c, err := s.InitialState()
		require.NoError(t, err)
		require.Equal(t, []uint64{g.term, g.vote, g.commit}, []uint64{h.GetTerm(), h.GetVote(), h.GetCommit()})
		require.Equal(t, g.confIndex, s.ConfIndex())
		require.True(t, proto.Equal(g.conf, c), "%v and %v", g.conf, c)
		first, _ := s.FirstIndex()
		last, _ := s.LastIndex()
		require.Equal(t, []uint64{g.first, g.last()}, []uint64{first, last})
		term, err := s.Term(first - 1)
		require.NoError(t, err)
		require.Equal(t, g.prevTerm, term)
		for i, e := range g.entries {
			term, err := s.Term(first + uint64(i))
			require.NoError(t, err)
			require.Equal(t, e.GetTerm(), term)
		}
		m.checkEntries(t, s, g)
	}
	slices.Sort(ids)
	require.Equal(t, ids, m.log.Groups())
	counted, found := m.log.Live()
	require.Equal(t, found, counted)
}

func (m *machine) checkEntries(t *rapid.T, s *wal.Group, g *model) {
	_, err := s.Entries(g.first-1, g.last()+1, 100)
	require.ErrorIs(t, err, raft.ErrCompacted)
	_, err = s.Entries(g.first, g.last()+2, 100)
	require.ErrorIs(t, err, raft.ErrUnavailable)
	if len(g.entries) == 0 {
		return
	}
	from := rapid.IntRange(0, len(g.entries)-1).Draw(t, "from")
	for _, size := range []uint64{0, 100, 1 << 40} {
		got, err := s.Entries(g.first+uint64(from), g.last()+1, size)
		require.NoError(t, err)
		require.NotEmpty(t, got)
		total := 0
		for i, e := range got {
			require.True(t, proto.Equal(g.entries[from+i], e), "%v and %v", g.entries[from+i], e)
			total += proto.Size(e)
		}
		require.True(t, len(got) == 1 || uint64(total) <= size, fmt.Sprintf("%d bytes of %d", total, size))
		if size == 1<<40 {
			require.Len(t, got, len(g.entries)-from)
		}
	}
}

// TestModel does what raft could do, closes and crashes the log, and compares it
// with plain slices.
func TestModel(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		m := &machine{disk: waltest.NewDisk(), groups: map[uint64]*model{}}
		m.options = wal.Options{
			FS:          m.disk,
			SegmentSize: rapid.SampledFrom([]int64{1, 300, 2000, 1 << 20}).Draw(t, "segment size"),
			CacheBytes:  rapid.SampledFrom([]int64{-1, 1000, 1 << 20}).Draw(t, "cache"),
		}
		m.open(t)
		t.Repeat(map[string]func(*rapid.T){
			"":        m.check,
			"append":  m.append,
			"Append":  m.append,
			"compact": m.compact,
			"remove":  m.remove,
			"reopen":  m.reopen,
			"crash":   m.crash,
		})
		require.NoError(t, m.log.Close())
	})
}
