package transport

import (
	"bytes"
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"
)

// testStreamBothWays sends much in both directions at once.
func testStreamBothWays(t *testing.T, a, b *Transport) {
	t.Helper()
	data := make([]byte, 3<<20+17)
	for i := range data {
		data[i] = byte(rand.Uint32())
	}
	b.HandleStream(5, func(_ context.Context, from uint64, conn io.ReadWriter) error {
		if from != a.ID() {
			return errors.New("who is it?")
		}
		_, err := io.Copy(conn, conn)
		return err
	})
	s, err := a.Stream(t.Context(), b.ID(), 5)
	require.NoError(t, err)
	go func() {
		_, _ = s.Write(data)
		_ = s.CloseWrite()
	}()
	got, err := io.ReadAll(s)
	require.NoError(t, err)
	require.True(t, bytes.Equal(data, got))
	require.NoError(t, s.CloseWrite())
	require.NoError(t, s.Close())
	_, err = s.Write([]byte("x"))
	require.ErrorIs(t, err, io.ErrClosedPipe)
}

func TestStream(t *testing.T) {
	a, b := pair(t)
	testStreamBothWays(t, a, b)
	_, err := a.Stream(t.Context(), 2, 6)
	require.ErrorContains(t, err, "no handler for streams of kind 6")
	_, err = a.Stream(t.Context(), 9, 6)
	require.ErrorIs(t, err, ErrUnknownPeer)
}

// The opener learns a handler's error, in Read, and in Write even though nobody
// reads the other side any more.
func TestStreamHandlerFails(t *testing.T) {
	a, b := pair(t)
	b.HandleStream(5, func(context.Context, uint64, io.ReadWriter) error { return codedError{} })
	s, err := a.Stream(t.Context(), 2, 5)
	require.NoError(t, err)
	_, err = io.ReadAll(s)
	require.Equal(t, &RemoteError{Code: 42, Message: "coded"}, err)
	require.NoError(t, s.Close())

	s, err = a.Stream(t.Context(), 2, 5)
	require.NoError(t, err)
	for err == nil {
		_, err = s.Write(make([]byte, 100<<10))
	}
	require.Equal(t, &RemoteError{Code: 42, Message: "coded"}, err)
	require.NoError(t, s.Close())
}

// However a stream ends but by CloseWrite, its handler does not take it for
// whole.
func TestTornStream(t *testing.T) {
	for name, tear := range map[string]func(a *Transport, cancel context.CancelFunc, s Stream){
		"close":     func(_ *Transport, _ context.CancelFunc, s Stream) { _ = s.Close() },
		"cancel":    func(_ *Transport, cancel context.CancelFunc, _ Stream) { cancel() },
		"transport": func(a *Transport, _ context.CancelFunc, _ Stream) { _ = a.Close() },
		"broken":    func(_ *Transport, _ context.CancelFunc, s Stream) { _ = s.(*stream).conn.Close() },
	} {
		t.Run(name, func(t *testing.T) {
			a, b := pair(t)
			result := make(chan error, 1)
			b.HandleStream(5, func(_ context.Context, _ uint64, conn io.ReadWriter) error {
				_, err := io.ReadAll(conn)
				result <- err
				return err
			})
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			s, err := a.Stream(ctx, 2, 5)
			require.NoError(t, err)
			_, err = s.Write([]byte("half"))
			require.NoError(t, err)
			tear(a, cancel, s)
			require.Error(t, <-result)
			_, err = s.Read(make([]byte, 1))
			require.Error(t, err)
			require.NotErrorIs(t, err, io.EOF)
			require.NoError(t, s.Close())
		})
	}
}

// A handler whose node closes is told so.
func TestStreamEndsWithTransport(t *testing.T) {
	a, b := pair(t)
	entered := make(chan struct{})
	b.HandleStream(5, func(ctx context.Context, _ uint64, _ io.ReadWriter) error {
		close(entered)
		<-ctx.Done()
		return ctx.Err()
	})
	s, err := a.Stream(t.Context(), 2, 5)
	require.NoError(t, err)
	<-entered
	closeAll(t, b)
	_, err = io.ReadAll(s)
	require.Error(t, err)
	require.NoError(t, s.Close())
}
