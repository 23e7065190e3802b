package server

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// deadlineRecorder is a connection that remembers its read deadline.
type deadlineRecorder struct {
	*httptest.ResponseRecorder
	deadline time.Time
}

func (r *deadlineRecorder) SetReadDeadline(t time.Time) error {
	r.deadline = t
	return nil
}

// TestLargeBodies fills the budget: large requests wait for room, whether or not
// they say how large they are, small ones do not, and all room is given back.
func TestLargeBodies(t *testing.T) {
	s := openTest(t, Options{})
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	send := func(ctx context.Context, size int, announced int64) (code int, patience time.Duration) {
		body := `{"Limit":1` + strings.Repeat(" ", size-len(`{"Limit":1}`)) + "}"
		r := request("ListTables", strings.NewReader(body)).WithContext(ctx)
		r.ContentLength = announced
		w := &deadlineRecorder{ResponseRecorder: httptest.NewRecorder()}
		start := time.Now()
		s.ServeHTTP(w, r)
		if w.deadline.IsZero() {
			return w.Code, 0
		}
		return w.Code, w.deadline.Sub(start).Round(time.Second)
	}
	const large = 4 << 20
	for _, announced := range []int64{large, -1} {
		require.NoError(t, s.bodies.Acquire(t.Context(), largeBodies))
		code, _ := send(t.Context(), bodyStep, bodyStep)
		require.Equal(t, http.StatusOK, code)
		code, _ = send(t.Context(), bodyStep, -1)
		require.Equal(t, http.StatusOK, code)
		code, patience := send(gone, large, announced) // would wait, had the client not gone
		require.Equal(t, http.StatusBadRequest, code)
		require.Zero(t, patience)
		s.bodies.Release(largeBodies)

		code, patience = send(t.Context(), large, announced)
		require.Equal(t, http.StatusOK, code)
		if announced < 0 {
			require.Equal(t, 74*time.Second, patience, "the time for the largest body")
		} else {
			require.Equal(t, 26*time.Second, patience)
		}
		require.True(t, s.bodies.TryAcquire(largeBodies))
		s.bodies.Release(largeBodies)
	}
}
