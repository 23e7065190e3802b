package replication

import (
	"bytes"
	"encoding/hex"
	"math"
	"testing"

	"github.com/stretchr/testify/require"
	"go.etcd.io/raft/v3/raftpb"
	"google.golang.org/protobuf/proto"
	"pgregory.net/rapid"
)

// drawMessage draws a message as raft sends it to a peer.
func drawMessage(t *rapid.T) *raftpb.Message {
	types := []raftpb.MessageType{
		raftpb.MsgApp, raftpb.MsgAppResp, raftpb.MsgVote, raftpb.MsgVoteResp, raftpb.MsgHeartbeat,
		raftpb.MsgHeartbeatResp, raftpb.MsgTimeoutNow, raftpb.MsgPreVote, raftpb.MsgPreVoteResp,
	}
	number := func(name string) *uint64 {
		if v := rapid.Uint64Range(0, math.MaxUint64/2).Draw(t, name); v > 0 {
			return &v
		}
		return nil
	}
	m := &raftpb.Message{
		Type: rapid.SampledFrom(types).Draw(t, "type").Enum(),
		To:   new(uint64(2)), From: new(uint64(1)),
		Term: number("term"), LogTerm: number("log term"), Index: number("index"),
		Commit: number("commit"), RejectHint: number("hint"),
	}
	if c := rapid.SliceOf(rapid.Byte()).Draw(t, "context"); len(c) > 0 {
		m.Context = c
	}
	if rapid.Bool().Draw(t, "reject") {
		m.Reject = new(true)
	}
	for i := range rapid.IntRange(0, 5).Draw(t, "entries") {
		e := &raftpb.Entry{Index: new(m.GetIndex() + 1 + uint64(i)), Term: new(rapid.Uint64().Draw(t, "entry term"))}
		if k := rapid.SampledFrom([]raftpb.EntryType{raftpb.EntryNormal, raftpb.EntryConfChange, raftpb.EntryConfChangeV2}).Draw(t, "entry type"); k != 0 {
			e.Type = k.Enum()
		}
		if d := rapid.SliceOf(rapid.Byte()).Draw(t, "data"); len(d) > 0 {
			e.Data = d
		}
		m.Entries = append(m.Entries, e)
	}
	return m
}

func TestBatchRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var b []byte
		var want []*raftpb.Message
		for range rapid.IntRange(1, 5).Draw(t, "messages") {
			m := drawMessage(t)
			want = append(want, m)
			before := len(b)
			b = appendMessage(b, Group(len(want)), m)
			require.LessOrEqual(t, len(b)-before, sizeBound(m))
		}
		var got []*raftpb.Message
		err := decodeBatch(b, 1, 2, func(g Group, m *raftpb.Message, _ int) {
			got = append(got, m)
			require.EqualValues(t, len(got), g)
		})
		require.NoError(t, err)
		clear(b) // nothing may refer to it
		require.Len(t, got, len(want))
		for i := range want {
			require.True(t, proto.Equal(want[i], got[i]), "%v became %v", want[i], got[i])
		}
	})
}

// The format of a batch must not change without a new version.
func TestBatchGolden(t *testing.T) {
	b := appendMessage(nil, 3, &raftpb.Message{
		Type: raftpb.MsgApp.Enum(), Term: new(uint64(5)), LogTerm: new(uint64(4)), Index: new(uint64(300)), Commit: new(uint64(299)),
		Entries: []*raftpb.Entry{{Term: new(uint64(5)), Data: []byte("abc")}, {Term: new(uint64(5)), Type: raftpb.EntryConfChangeV2.Enum()}},
	})
	b = appendMessage(b, 0, &raftpb.Message{
		Type: raftpb.MsgAppResp.Enum(), Term: new(uint64(5)), Reject: new(true), RejectHint: new(uint64(7)), Context: []byte{9},
	})
	require.Equal(t, "01"+
		"03"+"03"+"4f"+"05"+"04"+"ac02"+"ab02"+"02"+"05"+"00"+"03"+"616263"+"05"+"02"+"00"+
		"00"+"04"+"b1"+"05"+"07"+"01"+"09", hex.EncodeToString(b))
}

func TestBatchRefused(t *testing.T) {
	good := appendMessage(nil, 3, &raftpb.Message{Type: raftpb.MsgHeartbeat.Enum(), Term: new(uint64(5))})
	for name, b := range map[string][]byte{
		"empty":            nil,
		"other version":    {2},
		"half a message":   good[:len(good)-1],
		"proposal":         {1, 0, byte(raftpb.MsgProp), 0},
		"snapshot":         {1, 0, byte(raftpb.MsgSnap), 0},
		"local message":    {1, 0, byte(raftpb.MsgStorageAppend), 0},
		"too many entries": {1, 0, byte(raftpb.MsgApp), hasEntries, 200, 1},
		"kind of entry":    {1, 0, byte(raftpb.MsgApp), hasEntries, 1, 1, 7, 0},
		"long context":     {1, 0, byte(raftpb.MsgHeartbeat), hasContext, 9, 1},
	} {
		t.Run(name, func(t *testing.T) {
			require.ErrorIs(t, decodeBatch(b, 1, 2, func(Group, *raftpb.Message, int) {}), ErrMalformed)
		})
	}
}

func FuzzBatch(f *testing.F) {
	f.Add(appendMessage(nil, 3, &raftpb.Message{
		Type: raftpb.MsgApp.Enum(), Term: new(uint64(5)), Index: new(uint64(300)),
		Entries: []*raftpb.Entry{{Term: new(uint64(5)), Data: []byte("abc")}},
	}))
	f.Fuzz(func(t *testing.T, b []byte) {
		var again []byte
		err := decodeBatch(b, 1, 2, func(g Group, m *raftpb.Message, _ int) { again = appendMessage(again, g, m) })
		if err != nil {
			require.ErrorIs(t, err, ErrMalformed)
			return
		}
		var third []byte
		if len(again) > 0 {
			require.NoError(t, decodeBatch(again, 1, 2, func(g Group, m *raftpb.Message, _ int) { third = appendMessage(third, g, m) }))
		}
		require.Equal(t, again, third)
	})
}

func TestSnapshotHeader(t *testing.T) {
	h := &snapshotHeader{group: 300, leaderTerm: 7, index: 1000, term: 6, conf: &raftpb.ConfState{
		Voters: []uint64{1, 2, 300}, Learners: []uint64{4}, VotersOutgoing: []uint64{1}, LearnersNext: []uint64{5}, AutoLeave: new(true),
	}}
	b := h.encode()
	require.Equal(t, "5354534e01"+"16000000"+"ac02"+"07"+"e807"+"06"+"030102ac02"+"0104"+"0101"+"0105"+"01"+"daa7e1fd", hex.EncodeToString(b))
	got, err := readSnapshotHeader(bytes.NewReader(append(b, "rest"...)))
	require.NoError(t, err)
	require.True(t, proto.Equal(h.conf, got.conf))
	got.conf = h.conf
	require.Equal(t, h, got)
	for i := range b {
		_, err := readSnapshotHeader(bytes.NewReader(b[:i]))
		require.Error(t, err)
		flipped := bytes.Clone(b)
		flipped[i] ^= 1
		_, err = readSnapshotHeader(bytes.NewReader(flipped))
		require.Error(t, err, "byte %d", i)
	}
}

func FuzzSnapshotHeader(f *testing.F) {
	f.Add((&snapshotHeader{group: 3, leaderTerm: 7, index: 10, term: 6, conf: &raftpb.ConfState{Voters: []uint64{1}}}).encode())
	f.Fuzz(func(t *testing.T, b []byte) {
		h, err := readSnapshotHeader(bytes.NewReader(b))
		if err == nil {
			require.NotEmpty(t, h.conf.GetVoters())
		}
	})
}
