package partition

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/stator-db/stator/partition/placement"
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
