package server

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/stretchr/testify/require"
)

// deadlineRecorder is a connection that counts how often it gets a read deadline.
type deadlineRecorder struct {
	*httptest.ResponseRecorder
	t     *testing.T
	began time.Time
	reads int
}

func (r *deadlineRecorder) SetReadDeadline(deadline time.Time) error {
	require.False(r.t, deadline.Before(r.began.Add(bodyPause)))
	require.False(r.t, deadline.After(time.Now().Add(bodyPause)))
	r.reads++
	return nil
}

// TestLargeBodies fills the budget: large requests wait for room, whether or not
// they say how large they are, small ones do not, and all room is given back.
func TestLargeBodies(t *testing.T) {
	s := openTest(t, Options{})
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	send := func(ctx context.Context, size int, announced int64) (code, limitedReads int) {
		body := `{"Limit":1` + strings.Repeat(" ", size-len(`{"Limit":1}`)) + "}"
		r := request("ListTables", strings.NewReader(body)).WithContext(ctx)
		r.ContentLength = announced
		w := &deadlineRecorder{ResponseRecorder: httptest.NewRecorder(), t: t, began: time.Now()}
		s.ServeHTTP(w, r)
		return w.Code, w.reads
	}
	const large = 4 << 20
	for _, announced := range []int64{large, -1} {
		require.NoError(t, s.bodies.Acquire(t.Context(), largeBodies))
		for _, small := range []int64{bodyStep, -1} {
			code, reads := send(t.Context(), bodyStep, small)
			require.Equal(t, http.StatusOK, code)
			require.Zero(t, reads)
		}
		code, reads := send(gone, large, announced) // would wait, had the client not gone
		require.Equal(t, http.StatusBadRequest, code)
		require.Zero(t, reads)
		s.bodies.Release(largeBodies)

		code, reads = send(t.Context(), large, announced)
		require.Equal(t, http.StatusOK, code)
		require.Positive(t, reads)
		require.True(t, s.bodies.TryAcquire(largeBodies))
		s.bodies.Release(largeBodies)
	}
}

// TestStalledBody has a client stop in the middle of a large body: it is cut off, and
// what it held is free again.
func TestStalledBody(t *testing.T) {
	s := openTest(t, Options{})
	c := newCall(t.Context(), s)
	r := iotest.TimeoutReader(iotest.OneByteReader(strings.NewReader("[1]")))
	_, err := readAll(nil, r, maxBody, func(size int64) (func(), error) {
		wait, err := c.reserve(http.NewResponseController(httptest.NewRecorder()), size)
		require.False(t, s.bodies.TryAcquire(largeBodies))
		return wait, err
	})
	require.ErrorIs(t, err, iotest.ErrTimeout)
	c.release()
	require.True(t, s.bodies.TryAcquire(largeBodies))
}
