package server

import (
	"encoding/json"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/stator-db/stator/partition"
)

// openNode opens a cluster of one node, which is one as soon as it is open.
func openNode(t *testing.T, o partition.ClusterOptions) *Server {
	t.Helper()
	o.Name, o.Addr, o.Shards, o.Replicas = "n1", "127.0.0.1:0", 2, 1
	s, err := Open(Options{DataDir: t.TempDir(), SharedDB: true, Cluster: &o})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.Close()) })
	return s
}

func TestLab(t *testing.T) {
	t.Parallel()
	s := openNode(t, partition.ClusterOptions{Lab: true})
	lab := s.db.Lab()
	const quiet = `{"node":"n1","links":{"seed":0,"rules":[]},"disk":{"syncDelayMs":0},"clock":{"offsetMs":0},"reads":{"strong":"confirmed"}}`
	requireAnswer := func(want, method, path, body string) {
		t.Helper()
		code, got := admin(s, method, "/_stator/lab"+path, body)
		require.Equal(t, http.StatusOK, code, got)
		require.JSONEq(t, want, got)
	}
	requireAnswer(quiet, http.MethodGet, "", "")

	links := `{"seed":7,"rules":[{"from":"n1","to":"n[23]","drop":0.5,"delayMs":2,"jitterMs":3},{"block":true,"to":"n9"}]}`
	requireAnswer(links, http.MethodPost, "/links", links)
	requireAnswer(links, http.MethodGet, "/links", "")
	requireAnswer(`{"seed":7,"rules":[{"drop":1}]}`, http.MethodPost, "/links", `{"rules":[{"drop":1}]}`)
	require.Len(t, lab.Links.Rules(), 1)
	requireAnswer(`{"seed":7,"rules":[]}`, http.MethodDelete, "/links", "")
	requireAnswer(links, http.MethodPost, "/links", links)

	admin(s, http.MethodPost, "/_stator/lab/disk", `{"syncDelayMs":50}`)
	require.Equal(t, 50*time.Millisecond, lab.Disk.SyncDelay())
	admin(s, http.MethodPost, "/_stator/lab/clock", `{"offsetMs":-300000}`)
	require.Equal(t, -5*time.Minute, s.db.ClockOffset())
	requireAnswer(`{"node":"n1","links":`+links+`,"disk":{"syncDelayMs":50},"clock":{"offsetMs":-300000},"reads":{"strong":"local"}}`,
		http.MethodPost, "/reads", `{"strong":"local"}`)
	require.True(t, lab.LocalReads())

	for path, body := range map[string]string{
		"/links": `{"seed":1}`, "/links?": `{"rules":[{"drop":2}]}`, "/links?x": `{"rules":[{"lose":1}]}`,
		"/disk": `{"syncDelayMs":-1}`, "/disk?": `{}`, "/clock": `{"offsetMs":1e30}`, "/clock?": `{}`,
		"/reads": `{"strong":"often"}`, "/reads?": `{}`,
	} {
		code, answer := admin(s, http.MethodPost, "/_stator/lab"+path, body)
		require.Equal(t, http.StatusBadRequest, code, path)
		require.Contains(t, answer, `"error"`)
	}
	var status labStatus
	_, body := admin(s, http.MethodGet, "/_stator/lab", "")
	require.NoError(t, json.Unmarshal([]byte(body), &status))
	require.Len(t, status.Links.Rules, 2, "bad requests change nothing")
	requireAnswer(`{"node":"n1","links":{"seed":7,"rules":[]},"disk":{"syncDelayMs":0},"clock":{"offsetMs":0},"reads":{"strong":"confirmed"}}`,
		http.MethodDelete, "", "")
}

func TestNoLab(t *testing.T) {
	t.Parallel()
	for _, s := range []*Server{openTest(t, Options{InMemory: true}), openNode(t, partition.ClusterOptions{})} {
		for path, method := range map[string]string{"": http.MethodGet, "/links": http.MethodPost, "/reads": http.MethodPost} {
			code, body := admin(s, method, "/_stator/lab"+path, `{"strong":"local"}`)
			require.Equal(t, http.StatusNotFound, code)
			require.Contains(t, body, "--lab")
		}
	}
}
