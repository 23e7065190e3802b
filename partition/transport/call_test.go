package transport

import (
	"bytes"
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestCall(t *testing.T) {
	a, _ := pair(t)
	ctx := t.Context()
	for _, size := range []int{0, 1, 300, 100 << 10, MaxFrame} {
		request := bytes.Repeat([]byte{7}, size)
		response, err := a.Call(ctx, 2, methodEcho, request)
		require.NoError(t, err)
		require.True(t, bytes.Equal(request, response), size)
	}
	response, err := a.Call(ctx, 2, methodFrom, nil)
	require.NoError(t, err)
	require.Equal(t, []byte{1}, response)

	_, err = a.Call(ctx, 2, methodError, nil)
	require.Equal(t, &RemoteError{Message: "no luck"}, err)
	_, err = a.Call(ctx, 2, methodCoded, nil)
	require.Equal(t, &RemoteError{Code: 42, Message: "coded"}, err)
	_, err = a.Call(ctx, 2, methodPanic, nil)
	require.Equal(t, &RemoteError{Message: "internal error"}, err)
}

func TestConcurrentCalls(t *testing.T) {
	a, _ := pair(t)
	var wg sync.WaitGroup
	for c := range 64 {
		wg.Go(func() {
			for i := range 200 {
				want := fmt.Appendf(nil, "caller %d call %d", c, i)
				got, err := a.Call(t.Context(), 2, methodEcho, want)
				if err != nil || !bytes.Equal(got, want) {
					t.Errorf("caller %d call %d: %q, %v", c, i, got, err)
					return
				}
			}
		})
	}
	wg.Wait()
	require.Equal(t, uint64(64*200), a.Stats()[0].CallsSent)
	require.Zero(t, a.Stats()[0].CallsInFlight)
}

func TestDeadlineTravels(t *testing.T) {
	a, b := pair(t)
	left := make(chan time.Duration, 1)
	b.HandleCalls(func(ctx context.Context, _ uint64, _ uint8, _ []byte) ([]byte, error) {
		deadline, ok := ctx.Deadline()
		if !ok {
			left <- 0
			return nil, nil
		}
		left <- time.Until(deadline)
		<-ctx.Done()
		left <- 0
		return nil, ctx.Err()
	})
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	_, err := a.Call(ctx, 2, methodEcho, nil)
	require.Error(t, err)
	l := <-left
	require.Greater(t, l, time.Duration(0))
	require.LessOrEqual(t, l, 201*time.Millisecond)
	<-left

	_, err = a.Call(t.Context(), 2, methodEcho, nil)
	require.NoError(t, err)
	require.Zero(t, <-left)
}
