package server

import (
	"bytes"
	"maps"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/prometheus/client_golang/prometheus/testutil/promlint"
	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
	"github.com/stretchr/testify/require"

	"github.com/stator-db/stator/partition"
)

// scrape reads /metrics as Prometheus does, and as its linter does.
func scrape(t *testing.T, s *Server) map[string]*dto.MetricFamily {
	w := httptest.NewRecorder()
	s.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/metrics", nil))
	require.Equal(t, http.StatusOK, w.Code)
	require.Contains(t, w.Header().Get("Content-Type"), "text/plain")
	parser := expfmt.NewTextParser(model.UTF8Validation)
	families, err := parser.TextToMetricFamilies(bytes.NewReader(w.Body.Bytes()))
	require.NoError(t, err)
	problems, err := promlint.New(bytes.NewReader(w.Body.Bytes())).Lint()
	require.NoError(t, err)
	require.Empty(t, problems)
	return families
}

// metric is the one of a family that has the labels, given in pairs.
func metric(t *testing.T, families map[string]*dto.MetricFamily, name string, labels ...string) *dto.Metric {
	want := make(map[string]string)
	for i := 0; i < len(labels); i += 2 {
		want[labels[i]] = labels[i+1]
	}
	for _, m := range families["stator_"+name].GetMetric() {
		have := make(map[string]string)
		for _, l := range m.Label {
			have[l.GetName()] = l.GetValue()
		}
		if maps.Equal(want, have) {
			return m
		}
	}
	t.Fatalf("no metric %s %v", name, labels)
	return nil
}

// TestMetrics counts a script of requests.
func TestMetrics(t *testing.T) {
	t.Parallel()
	s := openTest(t, Options{SharedDB: true, Version: "v1"})
	ask := func(code int, operation, body string) {
		t.Helper()
		require.Equal(t, code, answerTo(s, operation, body, nil).Code)
	}
	ask(200, "CreateTable", createUsers)
	before := scrape(t, s)
	for range 3 {
		ask(200, "PutItem", `{"TableName":"users","Item":{"pk":{"S":"a"}}}`)
	}
	ask(400, "PutItem", `{"TableName":"users","Item":{"pk":{"N":"1"}}}`)
	for range 5 {
		ask(200, "GetItem", `{"TableName":"users","Key":{"pk":{"S":"a"}}}`)
	}
	for range 2 {
		ask(200, "GetItem", `{"TableName":"users","Key":{"pk":{"S":"a"}},"ConsistentRead":true}`)
	}
	ask(200, "Scan", `{"TableName":"users"}`)
	ask(400, "Scan", `{"TableName":"nowhere"}`)
	after := scrape(t, s)

	for _, want := range []struct {
		operation, level string
		requests, errors uint64
	}{{"PutItem", "none", 4, 1}, {"GetItem", "eventual", 5, 0}, {"GetItem", "strong", 2, 0}, {"Scan", "eventual", 1, 0}, {"Scan", "none", 1, 1}} {
		h := metric(t, after, "operation_duration_seconds", "operation", want.operation, "consistency", want.level).Histogram
		require.Equal(t, want.requests, h.GetSampleCount(), want)
		require.GreaterOrEqual(t, h.GetSampleSum(), 0.0)
		last := h.Bucket[len(h.Bucket)-1]
		require.EqualValues(t, want.requests, last.GetCumulativeCount(), "infinity")
		require.EqualValues(t, want.errors, metric(t, after, "operation_errors_total", "operation", want.operation, "consistency", want.level).Counter.GetValue(), want)
	}
	grown := func(name string, labels ...string) float64 {
		labels = append(labels, "shard", "0")
		return metric(t, after, name, labels...).Counter.GetValue() - metric(t, before, name, labels...).Counter.GetValue()
	}
	require.EqualValues(t, 6, grown("shard_reads_total", "consistency", "eventual"))
	require.EqualValues(t, 2, grown("shard_reads_total", "consistency", "strong"))
	require.EqualValues(t, 3, grown("shard_proposals_total"))
	require.EqualValues(t, 1, metric(t, after, "shard_leader", "shard", "0").Gauge.GetValue())
	require.EqualValues(t, 0, metric(t, after, "shard_lag_entries", "shard", "0").Gauge.GetValue())
	require.Equal(t, metric(t, after, "shard_applied_index", "shard", "0").Gauge, metric(t, after, "shard_commit_index", "shard", "0").Gauge)
	require.Contains(t, after, "stator_build_info")
	require.Contains(t, after, "go_goroutines")
	require.NotContains(t, after, "stator_forwarded_total", "a single node forwards nothing")
}

func TestMetricsOfNode(t *testing.T) {
	t.Parallel()
	s := openNode(t, partition.ClusterOptions{})
	require.Equal(t, http.StatusOK, answerTo(s, "CreateTable", createUsers, nil).Code)
	families := scrape(t, s)
	for _, shard := range []string{"-1", "0", "1"} {
		require.EqualValues(t, 1, metric(t, families, "shard_leader", "shard", shard).Gauge.GetValue())
		require.EqualValues(t, 1, metric(t, families, "shard_role", "shard", shard, "role", "leader", "leader", "n1").Gauge.GetValue())
		require.Positive(t, metric(t, families, "shard_term", "shard", shard).Gauge.GetValue())
		require.Positive(t, metric(t, families, "shard_applied_index", "shard", shard).Gauge.GetValue())
		require.Positive(t, metric(t, families, "shard_proposals_total", "shard", shard).Counter.GetValue())
		require.Zero(t, metric(t, families, "shard_staleness_seconds", "shard", shard).Gauge.GetValue())
	}
	require.Zero(t, metric(t, families, "forwarded_total").Counter.GetValue())
	require.Zero(t, metric(t, families, "snapshots_total", "direction", "sent").Counter.GetValue())
	require.Zero(t, metric(t, families, "membership_events_total", "event", "failed").Counter.GetValue())
}
