package partition

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/stator-db/stator/partition/placement"
	"github.com/stator-db/stator/partition/replication"
)

// TestWhoIsSilentIsGivenNothing: from the first unanswered look on, but what it has may
// be taken away.
func TestWhoIsSilentIsGivenNothing(t *testing.T) {
	o := &overseer{silent: map[uint64]time.Duration{1: 0, 2: managePause}}
	var steps, want []placement.Step
	for _, action := range []placement.Action{placement.AddLearner, placement.Promote, placement.Remove, placement.TransferLeader} {
		for node := uint64(1); node <= 3; node++ {
			step := placement.Step{Action: action, Node: node}
			steps = append(steps, step)
			if node != 2 || action == placement.Remove {
				want = append(want, step)
			}
		}
	}
	require.Equal(t, want, o.feasible(steps))
}

// TestFailedTransferIsNotRepeatedAtOnce: a shard is not given again, for a while, to
// the node that did not manage to lead it; all else goes on.
func TestFailedTransferIsNotRepeatedAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := newOverseer(nil)
		transfer := placement.Step{Shard: 1, Action: placement.TransferLeader, Node: 2, Reason: placement.Balance}
		drain := placement.Step{Shard: 1, Action: placement.TransferLeader, Node: 2, Reason: placement.Drain}
		others := []placement.Step{
			{Shard: 1, Action: placement.TransferLeader, Node: 3}, {Shard: 2, Action: placement.TransferLeader, Node: 2}, {Shard: 1, Action: placement.Promote, Node: 2},
		}
		feasible := func(s placement.Step) []placement.Step {
			return o.feasible(append([]placement.Step{s}, others...))
		}
		o.failed.note(transfer, replication.ErrTransfer)
		o.failed.note(others[2], replication.ErrTransfer) // another kind of step
		require.Equal(t, others, feasible(drain))
		<-time.After(transferPause)
		require.Equal(t, append([]placement.Step{drain}, others...), feasible(drain))
		o.failed.note(transfer, replication.ErrTransfer)
		o.failed.note(drain, nil)
		require.Equal(t, append([]placement.Step{transfer}, others...), feasible(transfer))
		require.Empty(t, o.failed.at)
	})
}
