package transport

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

func TestRuleMatches(t *testing.T) {
	for _, c := range []struct {
		rule     Rule
		from, to string
		want     bool
	}{
		{Rule{}, "a", "b", true},
		{Rule{From: "a"}, "a", "b", true},
		{Rule{From: "a"}, "b", "a", false},
		{Rule{From: "a", To: "b"}, "a", "b", true},
		{Rule{From: "node-*", To: "node-[12]"}, "node-9", "node-2", true},
		{Rule{From: "node-*", To: "node-[12]"}, "node-9", "node-3", false},
		{Rule{To: "10.0.0.1:*"}, "a", "10.0.0.1:7000", true},
	} {
		require.Equal(t, c.want, c.rule.matches(c.from, c.to), "%+v %s %s", c.rule, c.from, c.to)
	}
}

func TestFaultsJSON(t *testing.T) {
	f := NewFaults(1)
	b, err := json.Marshal(f)
	require.NoError(t, err)
	require.Equal(t, "[]", string(b))
	const text = `[{"from":"a","to":"b*","drop":0.25},{"delayMs":1.5,"jitterMs":2},{"block":true}]`
	require.NoError(t, json.Unmarshal([]byte(text), f))
	require.Equal(t, []Rule{{From: "a", To: "b*", Drop: 0.25}, {DelayMS: 1.5, JitterMS: 2}, {Block: true}}, f.Rules())
	b, err = json.Marshal(f)
	require.NoError(t, err)
	require.Equal(t, text, string(b))

	for _, bad := range []string{`{}`, `[{"drop":2}]`, `[{"drop":-1}]`, `[{"delayMs":-1}]`, `[{"jitterMs":1e99}]`, `[{"from":"["}]`} {
		require.Error(t, json.Unmarshal([]byte(bad), f), bad)
		require.Len(t, f.Rules(), 3, "rules stay as they were")
	}
}

// fates draws for one direction, with others in between.
func fates(f *Faults, noise int) []fate {
	var all []fate
	for i := range 200 {
		for n := range noise {
			f.draw("x", fmt.Sprint(n))
		}
		if i == 100 {
			// The other direction has its own chance.
			f.draw("b", "a")
		}
		all = append(all, f.draw("a", "b"))
	}
	return all
}

func TestFaultsDeterministic(t *testing.T) {
	rules := []Rule{{Drop: 0.3}, {From: "a", DelayMS: 5, JitterMS: 10}}
	one, two, other := NewFaults(7), NewFaults(7), NewFaults(8)
	for _, f := range []*Faults{one, two, other} {
		require.NoError(t, f.Set(rules))
	}
	first := fates(one, 0)
	require.Equal(t, first, fates(two, 3))
	require.NotEqual(t, first, fates(other, 0))
	require.NoError(t, one.Set(rules))
	require.Equal(t, first, fates(one, 1), "Set starts anew")
	require.NoError(t, other.SetSeeded(7, rules))
	require.Equal(t, first, fates(other, 0))
	require.EqualValues(t, 7, other.Seed())

	lost := 0
	for _, ft := range first {
		if ft.lost {
			lost++
		}
		require.GreaterOrEqual(t, ft.delay, 5*time.Millisecond)
		require.Less(t, ft.delay, 15*time.Millisecond)
	}
	require.InDelta(t, 60, lost, 25)
	require.Equal(t, fate{}, (*Faults)(nil).draw("a", "b"))
}

func TestDelays(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b, faults := memoryPair(t)
		_, err := a.Call(t.Context(), 2, methodEcho, nil)
		require.NoError(t, err)
		require.NoError(t, faults.Set([]Rule{{From: "node-a", DelayMS: 30}, {From: "node-b", DelayMS: 20}}))

		began := time.Now()
		got, err := a.Call(t.Context(), 2, methodEcho, []byte("slow"))
		require.NoError(t, err)
		require.Equal(t, "slow", string(got))
		require.Equal(t, 50*time.Millisecond, time.Since(began))

		arrived := make(chan time.Duration, 1)
		b.HandleMessages(func(uint64, []byte) { arrived <- time.Since(began) })
		require.True(t, a.Send(2, []byte("connects")))
		<-arrived
		began = time.Now()
		require.True(t, a.Send(2, []byte("late")))
		require.Equal(t, 30*time.Millisecond, <-arrived)

		// Withdrawn while still on its way to the network.
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
		defer cancel()
		_, err = a.Call(ctx, 2, methodEcho, nil)
		requireOutcome(t, err, ErrNotSent, context.DeadlineExceeded)

		// Pings measure it.
		time.Sleep(40 * time.Second) //nolint:forbidigo // of the bubble's clock
		require.InDelta(t, 50*time.Millisecond, a.RoundTrip(2), float64(time.Millisecond))
		require.Zero(t, a.RoundTrip(9))
		closeAll(t, a, b)
	})
}

func TestLosses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b, faults := memoryPair(t)
		handled := 0
		b.HandleCalls(func(context.Context, uint64, uint8, []byte) ([]byte, error) { handled++; return nil, nil })
		_, err := a.Call(t.Context(), 2, methodEcho, nil)
		require.NoError(t, err)
		try := func(rule Rule) {
			t.Helper()
			require.NoError(t, faults.Set([]Rule{rule}))
			ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
			defer cancel()
			_, err := a.Call(ctx, 2, methodEcho, nil)
			// Whether request or response was lost, nobody can know.
			requireOutcome(t, err, ErrUnknown, context.DeadlineExceeded)
			require.NoError(t, faults.Set(nil))
		}
		try(Rule{From: "node-a", Drop: 1})
		require.Equal(t, 1, handled)
		try(Rule{From: "node-b", Drop: 1})
		require.Equal(t, 2, handled)

		b.HandleMessages(func(uint64, []byte) { t.Error("arrived") })
		require.NoError(t, faults.Set([]Rule{{From: "node-a", Block: true}}))
		require.True(t, a.Send(2, []byte("lost")), "what the network loses the sender has sent")
		_, err = a.Stream(t.Context(), 2, 1)
		require.ErrorIs(t, err, io.ErrUnexpectedEOF)
		synctest.Wait()
		closeAll(t, a, b)
	})
}

// A stream stalls while it is blocked and goes on after.
func TestBlockedStream(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b, faults := memoryPair(t)
		b.HandleStream(1, func(_ context.Context, _ uint64, conn io.ReadWriter) error {
			_, err := io.Copy(io.Discard, conn)
			return err
		})
		s, err := a.Stream(t.Context(), 2, 1)
		require.NoError(t, err)
		require.NoError(t, faults.Set([]Rule{{From: "node-a", Block: true}}))
		time.AfterFunc(2*time.Second, func() { _ = faults.Set(nil) })
		began := time.Now()
		_, err = s.Write([]byte("x"))
		require.NoError(t, err)
		require.Equal(t, 2*time.Second, time.Since(began))
		require.NoError(t, s.CloseWrite())
		_, err = io.ReadAll(s)
		require.NoError(t, err)
		require.NoError(t, s.Close())
		closeAll(t, a, b)
	})
}
