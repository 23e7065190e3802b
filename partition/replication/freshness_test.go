package replication

import (
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

func TestNews(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var n news
		heard := func(commit, applied uint64) { n.heard(word{1, commit, time.Now()}, applied, 1) }
		require.Negative(t, n.staleness(9, 1), "nothing was heard")
		heard(10, 9)
		require.Negative(t, n.staleness(9, 1), "nothing has come true")
		pause(time.Second)
		require.Equal(t, time.Second, n.staleness(10, 1))
		require.Equal(t, time.Second, n.staleness(11, 1))

		// Under load there is always something left to apply: at each second, what
		// was committed a second ago is there.
		for i := uint64(11); i < 20; i++ {
			heard(10*i, 10*i-1)
			pause(time.Second)
			require.Equal(t, time.Second, n.staleness(10*i, 1))
			pause(time.Second)
			heard(10*i+8, 10*i)
			pause(time.Second)
			require.Equal(t, 3*time.Second, n.staleness(10*i, 1))
		}
		heard(200, 198)
		pause(time.Second)
		require.Equal(t, 2*time.Second, n.staleness(198, 1))
		require.Equal(t, time.Second, n.staleness(200, 1))

		// A new leader does not know what was committed before.
		n.heard(word{2, 150, time.Now()}, 200, 1)
		require.Equal(t, time.Second, n.staleness(200, 1))
		require.Zero(t, n.staleness(201, 2))
	})
}

// TestFreshness: followers keep up with an idle leader, grow old when they are cut
// off, and what they say of their age is true.
func TestFreshness(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCluster(t, 1, Config{}, 3)
		defer c.close()
		c.startAll(1, 1, 2, 3)
		c.mustPut(1, "a")
		leader := c.leader(1).id
		follower := leader%3 + 1
		pause(5 * time.Second)
		f := c.node(leader).runtime().Freshness(1)
		require.Equal(t, Freshness{Role: Leader, Applied: f.Applied}, f)
		for range 100 {
			pause(17 * time.Millisecond)
			f := c.node(follower).runtime().Freshness(1)
			require.Equal(t, Follower, f.Role)
			require.True(t, f.Staleness >= 0 && f.Staleness < 300*time.Millisecond, "%v", f.Staleness)
		}
		for _, other := range slices.DeleteFunc(c.ids(), func(id Node) bool { return id == follower }) {
			c.net.cutOff(other, follower)
		}
		pause(time.Minute)
		old := c.node(follower).runtime().Freshness(1)
		require.Greater(t, old.Staleness, 59*time.Second)
		require.Equal(t, Freshness{}, c.node(leader).runtime().Freshness(2))
		c.net.heal()
		pause(5 * time.Second)
		require.Less(t, c.node(follower).runtime().Freshness(1).Staleness, time.Second)
	})
}

// TestFreshnessHolds: with a bad network and changing leaders, what was acknowledged
// before the time that a member claims to be of is there.
func TestFreshnessHolds(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	t.Log("seed", seed)
	synctest.Test(t, func(t *testing.T) {
		const onTheWay = 150 * time.Millisecond
		c := newCluster(t, seed, Config{}, 3)
		defer c.close()
		c.startAll(1, 1, 2, 3)
		type acknowledgement struct {
			index uint64
			at    time.Time
		}
		var acknowledged []acknowledgement
		claims := 0
		for round := range 60 {
			c.net.heal()
			c.net.faults(0.2, onTheWay)
			victim := Node(round%3 + 1)
			for _, other := range c.ids() {
				if other != victim && round%2 == 0 {
					c.net.cutOff(victim, other)
					c.net.cutOff(other, victim)
				}
			}
			index := c.mustPut(1, fmt.Sprint("round ", round))
			acknowledged = append(acknowledged, acknowledgement{index, time.Now()})
			for _, id := range c.ids() {
				f := c.node(id).runtime().Freshness(1)
				if f.Role == Leader || f.Staleness < 0 { // a leader may not know that it is none
					continue
				}
				claims++
				of := time.Now().Add(-f.Staleness - onTheWay)
				for _, a := range acknowledged {
					require.True(t, a.index <= f.Applied || !a.at.Before(of), "node %d at %d, %v old, lacks %d of %v ago",
						id, f.Applied, f.Staleness, a.index, time.Since(a.at))
				}
			}
		}
		require.Positive(t, claims)
	})
}
