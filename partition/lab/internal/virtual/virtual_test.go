package virtual

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const ms = time.Millisecond

// journal notes what happens, with the time.
type journal struct {
	w     *World
	lines []string
}

func (j *journal) note(text string) { j.lines = append(j.lines, fmt.Sprintf("%v %s", j.w.Now(), text)) }

func TestEventsHappenInOrder(t *testing.T) {
	j := &journal{w: New(1)}
	h := j.w.NewHost()
	j.w.After(h, 2*ms, func() { j.note("second") })
	j.w.After(h, ms, func() {
		j.note("first")
		j.w.After(h, ms, func() { j.note("third, for it was made later") })
	})
	j.w.After(h, 3*ms, func() { j.note("canceled") }).Cancel()
	j.w.After(h, 9*ms, func() { j.note("too late") })
	j.w.Run(5 * ms)
	require.Equal(t, []string{"1ms first", "2ms second", "2ms third, for it was made later"}, j.lines)
	require.Equal(t, 5*ms, j.w.Now())
}

func TestProcessesTakeTurns(t *testing.T) {
	history := func(seed uint64) string {
		j := &journal{w: New(seed)}
		h := j.w.NewHost()
		chance := j.w.Rand("pauses")
		for p := range 5 {
			j.w.Go(h, func() {
				for range 20 {
					j.w.Sleep(time.Duration(chance.IntN(3)) * ms)
					j.note(fmt.Sprint(p))
				}
			})
		}
		j.w.Run(time.Second)
		require.Len(t, j.lines, 100)
		return strings.Join(j.lines, "\n")
	}
	require.Equal(t, history(1), history(1))
	require.NotEqual(t, history(1), history(2))
}

func TestTogetherWaitsForAll(t *testing.T) {
	j := &journal{w: New(1)}
	j.w.Go(j.w.NewHost(), func() {
		j.w.Together(3, func(i int) { j.w.Sleep(time.Duration(3-i) * ms); j.note(fmt.Sprint(i)) })
		j.note("all")
		j.w.Together(0, nil)
		j.note("none")
	})
	j.w.Run(time.Second)
	require.Equal(t, []string{"1ms 2", "2ms 1", "3ms 0", "3ms all", "3ms none"}, j.lines)
}

func TestParkIsWokenOrTimesOut(t *testing.T) {
	j := &journal{w: New(1)}
	h := j.w.NewHost()
	j.w.Go(h, func() {
		j.note(fmt.Sprint(j.w.Park(5*ms, func(wake func()) { j.w.After(h, ms, wake); j.w.After(h, 2*ms, wake) })))
		j.note(fmt.Sprint(j.w.Park(5*ms, func(wake func()) { j.w.After(h, 9*ms, wake) })))
		j.note(fmt.Sprint(j.w.Park(5*ms, func(wake func()) { wake() })))
	})
	j.w.Run(time.Second)
	require.Equal(t, []string{"1ms true", "6ms false", "6ms true"}, j.lines)
}

func TestPausedHostCatchesUp(t *testing.T) {
	j := &journal{w: New(1)}
	h, other := j.w.NewHost(), j.w.NewHost()
	j.w.Go(h, func() {
		for i := range 3 {
			j.w.Sleep(ms)
			j.note(fmt.Sprint(i))
		}
	})
	j.w.After(h, 3*ms, func() { j.note("event") })
	j.w.After(other, ms+ms/2, h.Pause)
	j.w.After(other, 10*ms, h.Resume)
	j.w.Run(time.Second)
	require.Equal(t, []string{"1ms 0", "10ms 1", "10ms event", "11ms 2"}, j.lines)
}

func TestDeadHostDoesNothing(t *testing.T) {
	j := &journal{w: New(1)}
	h, other := j.w.NewHost(), j.w.NewHost()
	for i := range 3 {
		j.w.Go(h, func() {
			defer j.note(fmt.Sprint("deferred ", i))
			j.w.Together(2, func(int) { j.w.Sleep(time.Duration(1+i) * 2 * ms) })
			j.note(fmt.Sprint("done ", i))
		})
	}
	j.w.After(h, 4*ms, func() { j.note("event") })
	j.w.After(other, 3*ms, h.Kill)
	j.w.Run(time.Second)
	require.Equal(t, []string{"2ms done 0", "2ms deferred 0", "3ms deferred 1", "3ms deferred 2"}, j.lines)
	require.False(t, h.Alive())
}

// A process that kills another host waits for its processes to end, and nothing else
// happens meanwhile.
func TestProcessKillsHost(t *testing.T) {
	j := &journal{w: New(1)}
	h, other := j.w.NewHost(), j.w.NewHost()
	j.w.Go(h, func() {
		defer j.note("ended")
		j.w.Sleep(time.Hour)
	})
	j.w.After(other, ms+ms/2, func() { j.note("event") })
	j.w.Go(other, func() {
		j.w.Sleep(ms)
		h.Kill()
		j.note("killed")
		j.w.Sleep(ms)
		j.note("later")
	})
	j.w.Run(time.Second)
	require.Equal(t, []string{"1ms ended", "1ms killed", "1.5ms event", "2ms later"}, j.lines)
}

func TestCloseEndsProcesses(t *testing.T) {
	j := &journal{w: New(1)}
	j.w.Go(j.w.NewHost(), func() {
		defer j.note("ended")
		j.w.Sleep(time.Hour)
	})
	j.w.Run(time.Second)
	j.w.Close()
	require.Equal(t, []string{"1s ended"}, j.lines)
}
