package replication

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"sync/atomic"
	"testing"
	"testing/iotest"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"go.etcd.io/raft/v3/raftpb"

	"github.com/stator-db/stator/partition/wal/waltest"
)

// inBubble runs a test on virtual time, for at most a minute of it per context.
func inBubble(t *testing.T, f func(t *testing.T, ctx context.Context)) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		f(t, ctx)
	})
}

func TestDiskFullGivesUpLeadership(t *testing.T) {
	inBubble(t, func(t *testing.T, ctx context.Context) {
		c := newCluster(t, 1, Config{}, 3)
		defer c.close()
		c.startAll(7, 1, 2, 3)
		c.mustPut(7, "before")
		l := c.leader(7)
		l.disk.Limit(l.disk.Used())
		_, err := l.rt.Propose(7, []byte("first"))
		require.NoError(t, err)
		c.eventually("another leader", func() bool {
			return l.rt.Leader(7) != 0 && l.rt.Leader(7) != l.id
		})
		c.mustPut(7, "meanwhile")
		require.NotEqual(t, l, c.leader(7))
		require.ErrorIs(t, l.rt.ChangeMembers(ctx, 7, Change{Kind: AddLearner, Node: 9}), ErrDiskFull)
		l.disk.Limit(-1)
		c.converge(7, 1, 2, 3)
		require.NoError(t, c.leader(7).rt.Transfer(ctx, 7, l.id))
		c.converge(7, 1, 2, 3)
	})
}

func TestDiskFullAlone(t *testing.T) {
	inBubble(t, func(t *testing.T, ctx context.Context) {
		c := newCluster(t, 1, Config{}, 1)
		defer c.close()
		c.startAll(7, 1)
		c.mustPut(7, "before")
		l := c.leader(7)
		l.disk.Limit(l.disk.Used())
		short, cancel := context.WithTimeout(ctx, time.Second)
		defer cancel()
		_, err := l.put(short, 7, "waits")
		require.ErrorIs(t, err, context.DeadlineExceeded)
		_, err = l.put(ctx, 7, "refused")
		require.ErrorIs(t, err, ErrDiskFull)
		_, err = l.rt.ReadIndex(ctx, 7)
		require.NoError(t, err)
		l.disk.Limit(-1)
		c.mustPut(7, "after")
		_, waited := c.checker.acks["waits"]
		require.True(t, waited)
	})
}

func TestFailedSyncIsFatal(t *testing.T) {
	inBubble(t, func(t *testing.T, ctx context.Context) {
		c := newCluster(t, 1, Config{}, 3)
		defer c.close()
		c.startAll(7, 1, 2, 3)
		c.mustPut(7, "before")
		l := c.leader(7)
		broken := errors.New("broken disk")
		l.disk.Fail(func(op waltest.Op, _ string) error {
			if op == waltest.OpSync {
				return broken
			}
			return nil
		})
		_, err := l.rt.Propose(7, []byte("whatever"))
		require.NoError(t, err)
		c.eventually("fatal", func() bool {
			l.mu.Lock()
			defer l.mu.Unlock()
			return l.fatal != nil
		})
		require.ErrorIs(t, l.fatal, ErrStopped)
		c.eventually("end of the group", func() bool { return l.rt.Status(7).Err != nil })
		_, err = l.rt.Propose(7, []byte("x"))
		require.ErrorIs(t, err, ErrStopped)
		require.ErrorIs(t, err, broken)
		require.ErrorIs(t, l.rt.WaitApplied(ctx, 7, 1e6), ErrStopped)
		require.ErrorIs(t, l.rt.Receive(2, nil), ErrStopped)
		require.ErrorIs(t, l.rt.Start(8, newMachine(8, c.checker), []Node{l.id}), ErrStopped)
		c.mustPut(7, "by others")
		require.NotEqual(t, l, c.leader(7))
		l.disk.Fail(nil)
		l.crash(nil)
		l.restart()
		c.converge(7, 1, 2, 3)
	})
}

func TestFailedStateMachineStopsItsGroup(t *testing.T) {
	inBubble(t, func(t *testing.T, ctx context.Context) {
		c := newCluster(t, 1, Config{}, 3)
		defer c.close()
		c.startAll(7, 1, 2, 3)
		c.startAll(8, 1, 2, 3)
		c.mustPut(7, "before")
		l := c.leader(7)
		sm := l.machine(7)
		sm.mu.Lock()
		sm.failure = errBroken
		sm.mu.Unlock()
		began := time.Now()
		short, cancel := context.WithTimeout(ctx, 50*time.Millisecond)
		defer cancel()
		l.put(short, 7, "poison")
		c.eventually("end of the group", func() bool { return l.rt.Status(7).Err != nil })
		next := c.leader(7)
		require.NotEqual(t, l, next)
		// It was handed over: nobody had to wait for an election timeout.
		require.Less(t, time.Since(began), 500*time.Millisecond)
		l.mu.Lock()
		require.ErrorIs(t, l.stopped[7], errBroken)
		l.mu.Unlock()
		_, err := l.rt.ReadIndex(ctx, 7)
		require.ErrorIs(t, err, errBroken)
		c.mustPut(7, "after")
		c.converge(8, 1, 2, 3) // others go on
		// It may be tried again.
		l.rt.Stop(7)
		sm.mu.Lock()
		sm.failure = nil
		sm.mu.Unlock()
		require.NoError(t, l.start(7))
		c.converge(7, 1, 2, 3)
	})
}

// stall holds up the disks of a cluster's nodes while it is true.
type stall struct{ on atomic.Bool }

func (s *stall) wait() {
	for s.on.Load() {
		pause(10 * time.Millisecond)
	}
}

func TestBusy(t *testing.T) {
	inBubble(t, func(t *testing.T, ctx context.Context) {
		var s stall
		c := newCluster(t, 1, Config{MaxInFlight: 1000, beforeAppend: s.wait}, 3)
		defer c.close()
		defer s.on.Store(false)
		c.startAll(7, 1, 2, 3)
		l := c.leader(7)
		s.on.Store(true)
		var pending []*proposed
		data := make([]byte, 290)
		for i := range 3 {
			copy(data, fmt.Sprint(i))
			term, err := l.rt.Propose(7, data)
			require.NoError(t, err)
			pending = append(pending, l.machine(7).expect(string(data), term))
		}
		_, err := l.rt.Propose(7, data)
		require.ErrorIs(t, err, ErrBusy)
		require.EqualValues(t, 870, l.rt.Status(7).InFlight)
		_, err = l.rt.Propose(7, make([]byte, MaxProposal+1))
		require.ErrorIs(t, err, ErrTooLarge)
		s.on.Store(false)
		for _, p := range pending {
			require.NotZero(t, <-p.done)
		}
		c.eventually("room", func() bool { return l.rt.Status(7).InFlight == 0 })
		copy(data, "again")
		_, err = l.rt.Propose(7, data)
		require.NoError(t, err)
	})
}

func TestPendingBytesAreBounded(t *testing.T) {
	inBubble(t, func(t *testing.T, ctx context.Context) {
		var s stall
		c := newCluster(t, 1, Config{MaxPending: 100_000}, 2)
		c.config.beforeAppend = s.wait
		slow := c.add(3)
		defer c.close()
		defer s.on.Store(false)
		c.startAll(7, 1, 2, 3)
		for c.leader(7) == slow {
			slow.rt.Transfer(ctx, 7, 1)
		}
		s.on.Store(true)
		for i := range 300 {
			c.mustPut(7, fmt.Sprint(i)+string(make([]byte, 2000)))
			a := slow.rt.appender
			a.mu.Lock()
			pending := a.pending
			a.mu.Unlock()
			require.Less(t, pending, int64(100_000+maxMessageBytes))
		}
		s.on.Store(false)
		c.converge(7, 1, 2, 3)
	})
}

func TestLogLost(t *testing.T) {
	inBubble(t, func(t *testing.T, ctx context.Context) {
		c := newCluster(t, 1, Config{LogEntries: 20}, 3)
		defer c.close()
		c.startAll(7, 1, 2, 3)
		for i := range 100 {
			c.mustPut(7, fmt.Sprint(i))
		}
		m := c.nodes[1]
		c.eventually("compaction", func() bool { return m.rt.Status(7).First > 10 })
		m.rt.Stop(7)
		behind := newMachine(7, c.checker)
		require.ErrorIs(t, m.rt.Start(7, behind, nil), ErrLogLost)
		ahead := newMachine(7, c.checker)
		ahead.applied = 1e6
		require.ErrorIs(t, m.rt.Start(7, ahead, nil), ErrLogLost)
		require.ErrorIs(t, m.rt.Start(8, ahead, []Node{1, 2}), ErrLogLost)
		require.ErrorIs(t, m.rt.Start(9, behind, []Node{2, 3}), ErrNotMember)
		require.NoError(t, m.start(7))
		require.ErrorIs(t, m.start(7), ErrRunning)
		c.converge(7, 1, 2, 3)
	})
}

// A crash finds the state machine replaced by a snapshot that the log has not
// heard of.
func TestCrashAfterRestore(t *testing.T) {
	for _, synced := range []bool{false, true} {
		t.Run(fmt.Sprint(synced), func(t *testing.T) {
			inBubble(t, func(t *testing.T, ctx context.Context) {
				var stalled atomic.Bool
				c := newCluster(t, 1, Config{LogEntries: 20}, 3)
				defer c.close()
				defer stalled.Store(false)
				c.startAll(7, 1, 2, 3)
				for i := range 100 {
					c.mustPut(7, fmt.Sprint(i))
				}
				var m *member
				c.config.beforeAppend = func() {
					for stalled.Load() && m.machine(7).Applied() > 0 {
						pause(10 * time.Millisecond)
					}
				}
				m = c.add(4)
				require.NoError(t, m.start(7))
				stalled.Store(true)
				require.NoError(t, c.leader(7).rt.ChangeMembers(ctx, 7, Change{Kind: AddLearner, Node: 4}))
				c.eventually("snapshot", func() bool { return m.machine(7).Applied() > 0 })
				require.Zero(t, m.rt.Status(7).Last)
				if synced {
					stalled.Store(false)
					c.eventually("log", func() bool { return m.rt.Status(7).Last > 0 })
				}
				// Another snapshot breaks off; the first one is still needed.
				torn := snapshotHeader{group: 7, leaderTerm: 1e6, index: 1e6, term: 1e6, conf: &raftpb.ConfState{Voters: []uint64{1, 4}}}
				err := m.rt.ReceiveSnapshot(ctx, 1, io.MultiReader(bytes.NewReader(torn.encode()), iotest.ErrReader(errBroken)))
				require.ErrorIs(t, err, errBroken)
				m.disk.Crash(nil)
				stalled.Store(false)
				m.crash(nil)
				m.restart()
				require.Positive(t, m.rt.Status(7).Last)
				require.Equal(t, []Node{4}, m.rt.Status(7).Learners)
				c.converge(7, 1, 2, 3, 4)
				require.Equal(t, 1, c.checker.restores)
			})
		})
	}
}

func TestLeaderRemovesItself(t *testing.T) {
	inBubble(t, func(t *testing.T, ctx context.Context) {
		c := newCluster(t, 1, Config{}, 3)
		defer c.close()
		c.startAll(7, 1, 2, 3)
		l := c.leader(7)
		require.NoError(t, l.rt.ChangeMembers(ctx, 7, Change{Kind: RemoveMember, Node: l.id}))
		c.eventually("another leader", func() bool {
			for _, m := range c.nodes {
				if _, ok := m.rt.IsLeader(7); ok && m != l {
					return true
				}
			}
			return false
		})
		l.mu.Lock()
		require.Equal(t, []Group{7}, l.removed)
		l.mu.Unlock()
		require.Equal(t, []Group{7}, l.rt.Groups())
		require.NoError(t, l.rt.Remove(7))
		require.Empty(t, l.rt.Groups())
		require.Zero(t, l.rt.Leader(7))
		_, err := l.rt.Propose(7, []byte("x"))
		require.ErrorIs(t, err, ErrUnknownGroup)
		// It can come back, as a new replica.
		l.mu.Lock()
		delete(l.machines, 7)
		l.mu.Unlock()
		require.NoError(t, l.start(7))
		next := c.leader(7)
		require.NoError(t, next.rt.ChangeMembers(ctx, 7, Change{Kind: AddLearner, Node: l.id}))
		c.converge(7, 1, 2, 3)
		require.NoError(t, next.rt.ChangeMembers(ctx, 7, Change{Kind: Promote, Node: l.id}))
		require.Len(t, next.rt.Status(7).Voters, 3)
	})
}

// A replica that was removed remembers its vote, and votes for nobody until it
// has got something: what it confirmed before is gone.
func TestRemovedReplicaRemembersItsVote(t *testing.T) {
	inBubble(t, func(t *testing.T, ctx context.Context) {
		c := newCluster(t, 1, Config{}, 3)
		defer c.close()
		c.startAll(7, 1, 2, 3)
		l := c.leader(7)
		left, other := c.nodes[l.id%3+1], c.nodes[(l.id+1)%3+1]
		require.NoError(t, l.rt.Transfer(ctx, 7, other.id)) // so that there is a term above 2
		l = c.leader(7)
		term := left.rt.Status(7).Term
		require.NoError(t, l.rt.ChangeMembers(ctx, 7, Change{Kind: RemoveMember, Node: left.id}))
		require.NoError(t, left.rt.Remove(7))
		left.mu.Lock()
		delete(left.machines, 7)
		left.mu.Unlock()
		left.crash(nil)
		left.open()
		require.Empty(t, left.rt.Groups())
		require.NoError(t, left.start(7, 1, 2, 3), "it does not begin with the first members again")
		s := left.rt.Status(7)
		require.Equal(t, term, s.Term)
		require.Empty(t, s.Voters)

		last := s.Last + 1000
		vote := func() uint64 {
			g, err := left.rt.group(7)
			require.NoError(t, err)
			require.NoError(t, g.call(ctx, func() {
				g.deliver(&raftpb.Message{
					Type: raftpb.MsgVote.Enum(), From: (*uint64)(&l.id), To: (*uint64)(&left.id),
					Term: new(term + 10), LogTerm: new(term), Index: &last,
				})
			}))
			synctest.Wait()
			return left.rt.Status(7).Term
		}
		require.Equal(t, term, vote(), "it did not even listen")
		require.NoError(t, l.rt.ChangeMembers(ctx, 7, Change{Kind: AddLearner, Node: left.id}))
		c.converge(7, left.id)
	})
}

func TestMemberChangesAreChecked(t *testing.T) {
	inBubble(t, func(t *testing.T, ctx context.Context) {
		c := newCluster(t, 1, Config{}, 1)
		defer c.close()
		c.startAll(7, 1)
		l := c.leader(7)
		change := func(k ChangeKind, n Node) error { return l.rt.ChangeMembers(ctx, 7, Change{Kind: k, Node: n}) }
		require.ErrorIs(t, change(RemoveMember, 1), ErrLastVoter)
		require.NoError(t, change(RemoveMember, 5))
		require.NoError(t, change(Promote, 1))
		require.ErrorIs(t, change(Promote, 5), ErrNotMember)
		require.Error(t, change(0, 5))
		require.NoError(t, change(AddLearner, 5))
		require.NoError(t, change(AddLearner, 5))
		require.ErrorIs(t, change(Promote, 5), ErrNotCaughtUp) // it does not exist
		require.ErrorIs(t, l.rt.Transfer(ctx, 7, 5), ErrNotMember)
		require.NoError(t, l.rt.Transfer(ctx, 7, 1))
		require.NoError(t, change(RemoveMember, 5))
		c.mustPut(7, "still works")
		require.ErrorIs(t, change(Demote, 1), ErrLastVoter)
		require.ErrorIs(t, change(Demote, 5), ErrNotMember)
		at := l.rt.Status(7).ConfIndex
		require.ErrorIs(t, l.rt.ChangeMembers(ctx, 7, Change{Kind: AddLearner, Node: 5, At: at - 1}), ErrMembersChanged)
		require.NoError(t, l.rt.ChangeMembers(ctx, 7, Change{Kind: AddLearner, Node: 5, At: at}))
	})
}

func TestChangePending(t *testing.T) {
	inBubble(t, func(t *testing.T, ctx context.Context) {
		var s stall
		c := newCluster(t, 1, Config{beforeAppend: s.wait}, 3)
		defer c.close()
		defer s.on.Store(false)
		c.startAll(7, 1, 2, 3)
		l := c.leader(7)
		s.on.Store(true)
		first := make(chan error)
		go func() { first <- l.rt.ChangeMembers(ctx, 7, Change{Kind: AddLearner, Node: 4}) }()
		synctest.Wait()
		require.ErrorIs(t, l.rt.ChangeMembers(ctx, 7, Change{Kind: AddLearner, Node: 5}), ErrChangePending)
		s.on.Store(false)
		require.NoError(t, <-first)
		require.Equal(t, []Node{4}, l.rt.Status(7).Learners)
	})
}

// A leader without a majority answers neither proposals nor reads, and says so.
func TestMinorityLeader(t *testing.T) {
	for _, lease := range []bool{false, true} {
		t.Run(fmt.Sprintf("lease=%v", lease), func(t *testing.T) {
			inBubble(t, func(t *testing.T, ctx context.Context) {
				c := newCluster(t, 1, Config{LeaseReads: lease}, 3)
				defer c.close()
				c.startAll(7, 1, 2, 3)
				l := c.leader(7)
				_, err := l.rt.ReadIndex(ctx, 7)
				require.NoError(t, err)
				for id := range c.nodes {
					if id != l.id {
						c.net.cutOff(l.id, id)
						c.net.cutOff(id, l.id)
					}
				}
				_, err = l.rt.ReadIndex(ctx, 7)
				if lease {
					require.NoError(t, err)
					pause(750 * time.Millisecond)
					_, err = l.rt.ReadIndex(ctx, 7)
				}
				var not *NotLeader
				require.ErrorAs(t, err, &not)
				require.Zero(t, not.Leader)
				_, err = l.rt.Propose(7, []byte("x"))
				require.ErrorAs(t, err, &not)
				c.net.heal()
				c.converge(7, 1, 2, 3)
			})
		})
	}
}

// Reads share rounds, and need none as long as the lease holds.
func TestReadsShareRounds(t *testing.T) {
	batches := func(t *testing.T, lease bool) int {
		var n int
		inBubble(t, func(t *testing.T, ctx context.Context) {
			c := newCluster(t, 1, Config{LeaseReads: lease}, 3)
			defer c.close()
			c.startAll(7, 1, 2, 3)
			l := c.leader(7)
			_, err := l.rt.ReadIndex(ctx, 7)
			require.NoError(t, err)
			c.net.mu.Lock()
			before := c.net.batches
			c.net.mu.Unlock()
			errs := make(chan error)
			for range 10 {
				for range 100 {
					go func() {
						_, err := l.rt.ReadIndex(ctx, 7)
						errs <- err
					}()
				}
				for range 100 {
					require.NoError(t, <-errs)
				}
			}
			c.net.mu.Lock()
			n = c.net.batches - before
			c.net.mu.Unlock()
		})
		return n
	}
	require.Less(t, batches(t, false), 100)
	require.Less(t, batches(t, true), 5)
}

func TestCloseEndsEverything(t *testing.T) {
	inBubble(t, func(t *testing.T, ctx context.Context) {
		c := newCluster(t, 1, Config{}, 3)
		c.startAll(7, 1, 2, 3)
		c.startAll(8, 1, 2, 3)
		l := c.leader(7)
		rt := l.rt
		waiting := make(chan error)
		go func() { waiting <- rt.WaitApplied(ctx, 7, 1e6) }()
		synctest.Wait()
		c.close()
		require.ErrorIs(t, <-waiting, ErrStopped)
		require.NoError(t, rt.Close())
		_, err := rt.Propose(7, []byte("x"))
		require.ErrorIs(t, err, ErrStopped)
		_, err = rt.ReadIndex(ctx, 7)
		require.ErrorIs(t, err, ErrStopped)
		require.ErrorIs(t, rt.Start(9, newMachine(9, c.checker), []Node{1}), ErrStopped)
	})
}

func TestConfigIsChecked(t *testing.T) {
	_, err := Open(Config{ElectionTicks: 3, MaxPending: -1})
	require.ErrorContains(t, err, "node 0 is not a valid id")
	require.ErrorContains(t, err, "no directory")
	require.ErrorContains(t, err, "no transport")
	require.ErrorContains(t, err, "election timeout of 3 ticks")
	require.ErrorContains(t, err, "limits in bytes")
}
