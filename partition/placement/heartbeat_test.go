package placement

import (
	"fmt"
	"io"
	"log"
	"testing"

	"github.com/stretchr/testify/require"
	"go.etcd.io/raft/v3"
	pb "go.etcd.io/raft/v3/raftpb"
)

// BenchmarkCatalogHeartbeat is one round of heartbeats of a group like the
// catalog's, which has every node as a member: what its leader computes,
// without the network. It does so every 200 ms.
func BenchmarkCatalogHeartbeat(b *testing.B) {
	for _, n := range []int{3, 100, 1000} {
		b.Run(fmt.Sprintf("%d members", n), func(b *testing.B) {
			leader, storage := electedLeader(b, n)
			messages := 0
			for b.Loop() {
				messages += heartbeat(b, leader, storage)
			}
			b.ReportMetric(float64(messages)/float64(b.N), "messages/op")
		})
	}
}

// electedLeader returns the leader of a group of three voters and learners.
func electedLeader(b *testing.B, members int) (*raft.RawNode, *raft.MemoryStorage) {
	conf := &pb.ConfState{Voters: []uint64{1, 2, 3}}
	for id := 4; id <= members; id++ {
		conf.Learners = append(conf.Learners, uint64(id))
	}
	storage := raft.NewMemoryStorage()
	require.NoError(b, storage.ApplySnapshot(&pb.Snapshot{Metadata: &pb.SnapshotMetadata{
		ConfState: conf, Index: new(uint64(1)), Term: new(uint64(1)),
	}}))
	node, err := raft.NewRawNode(&raft.Config{
		ID: 1, Storage: storage, Applied: 1, ElectionTick: 10, HeartbeatTick: 1,
		MaxSizePerMsg: 1 << 20, MaxInflightMsgs: 256,
		Logger: &raft.DefaultLogger{Logger: log.New(io.Discard, "", 0)},
	})
	require.NoError(b, err)
	require.NoError(b, node.Campaign())
	for node.Status().RaftState != raft.StateLeader || node.HasReady() {
		answer(b, node, storage)
	}
	return node, storage
}

// heartbeat lets the leader's time to the next heartbeat pass and has all
// members answer. It returns how many messages went out.
func heartbeat(b *testing.B, leader *raft.RawNode, storage *raft.MemoryStorage) int {
	leader.Tick()
	sent := 0
	for leader.HasReady() {
		sent += answer(b, leader, storage)
	}
	return sent
}

// answer does what the leader asks for, and gives it the answers of members
// that agree to everything.
func answer(b *testing.B, leader *raft.RawNode, storage *raft.MemoryStorage) int {
	ready := leader.Ready()
	require.NoError(b, storage.Append(ready.Entries))
	leader.Advance(ready)
	for _, m := range ready.Messages {
		reply := &pb.Message{From: m.To, To: m.From, Term: m.Term}
		switch m.GetType() {
		case pb.MsgVote:
			reply.Type = pb.MsgVoteResp.Enum()
		case pb.MsgHeartbeat:
			reply.Type = pb.MsgHeartbeatResp.Enum()
		case pb.MsgApp:
			reply.Type = pb.MsgAppResp.Enum()
			reply.Index = new(m.GetIndex() + uint64(len(m.Entries)))
		default:
			require.Fail(b, "unexpected", "%v", m)
		}
		require.NoError(b, leader.Step(reply))
	}
	return len(ready.Messages)
}
