package server

import (
	"runtime"
	"strconv"
	"time"

	"github.com/gin-gonic/gin"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/stator-db/stator/partition"
)

// metricsRoute serves GET /metrics in Prometheus' text form. Nothing is counted for
// it alone: each scrape reads the counters that the database and the console have.
func (s *Server) metricsRoute(engine *gin.Engine) {
	registry := prometheus.NewRegistry()
	registry.MustRegister(
		collectors.NewGoCollector(),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
		&metrics{s},
	)
	logger := promLogger{s}
	handler := promhttp.HandlerFor(registry, promhttp.HandlerOpts{ErrorLog: logger, ErrorHandling: promhttp.ContinueOnError})
	engine.GET("/metrics", gin.WrapH(handler))
}

// promLogger takes what goes wrong with a scrape.
type promLogger struct{ s *Server }

func (l promLogger) Println(v ...any) { l.s.log.Error("serving metrics", "error", v) }

// metrics collects the server's metrics.
type metrics struct{ s *Server }

func described(name, help string, labels ...string) *prometheus.Desc {
	return prometheus.NewDesc("stator_"+name, help, labels, nil)
}

var (
	descBuild = described("build_info", "Always 1; tells the versions.", "version", "go_version")

	descLatency = described("operation_duration_seconds",
		"Time from the whole request read to the response made, by operation and the consistency of its reads (none: it reads nothing, or decides a write).",
		"operation", "consistency")
	descErrors = described("operation_errors_total", "Requests that were answered with an exception.", "operation", "consistency")

	descLeader    = described("shard_leader", "1 on the node that leads the shard, else 0. Shard -1 is the catalog.", "shard")
	descRole      = described("shard_role", "Always 1; tells the role of the replica and the leader's node.", "shard", "role", "leader")
	descTerm      = described("shard_term", "Raft term.", "shard")
	descApplied   = described("shard_applied_index", "Last entry of the shard's log that the replica has applied.", "shard")
	descCommit    = described("shard_commit_index", "Last entry of the shard's log known here to be committed.", "shard")
	descLag       = described("shard_lag_entries", "Entries known here to be committed and not yet applied.", "shard")
	descStaleness = described("shard_staleness_seconds", "How long ago the replica last knew that it lacked nothing; 0 on the leader, absent while unknown.", "shard")
	descProposals = described("shard_proposals_total", "Commands that this node, leading, was asked to put into the shard's log.", "shard")
	descReads     = described("shard_reads_total", "Looks at the replica on this node.", "shard", "consistency")
	descBytes     = described("shard_storage_bytes", "Bytes of Badger's files, as of its last look, about once a minute.", "shard", "part")

	descForwarded = described("forwarded_total", "Commands and reads sent to other nodes.")
	descSnapshots = described("snapshots_total", "Snapshots of shards that other nodes took over (sent) or this one did (received).", "direction")
	descMembers   = described("membership_events_total", "Changes of membership that this node heard of.", "event")
)

// Describe implements prometheus.Collector.
func (m *metrics) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{
		descBuild, descLatency, descErrors, descLeader, descRole, descTerm, descApplied, descCommit, descLag, descStaleness,
		descProposals, descReads, descBytes, descForwarded, descSnapshots, descMembers,
	} {
		ch <- d
	}
}

// Collect implements prometheus.Collector.
func (m *metrics) Collect(ch chan<- prometheus.Metric) {
	gauge := func(d *prometheus.Desc, value float64, labels ...string) {
		ch <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, value, labels...)
	}
	counter := func(d *prometheus.Desc, value uint64, labels ...string) {
		ch <- prometheus.MustNewConstMetric(d, prometheus.CounterValue, float64(value), labels...)
	}
	gauge(descBuild, 1, m.s.options.Version, runtime.Version())
	for op, levels := range m.s.counters {
		for level := range levels {
			n := &levels[level]
			if n.requests.Load() > 0 {
				name := readLevel(level).String()
				ch <- n.histogram(op.name, name)
				counter(descErrors, n.errors.Load(), op.name, name)
			}
		}
	}
	all := m.s.db.Counters()
	for i := range all.Shards {
		m.collectShard(&all.Shards[i], gauge, counter)
	}
	if !all.Cluster {
		return
	}
	counter(descForwarded, all.Forwarded)
	counter(descSnapshots, all.SnapshotsSent, "sent")
	counter(descSnapshots, all.SnapshotsReceived, "received")
	for event, count := range all.Members {
		counter(descMembers, count, event)
	}
}

func (m *metrics) collectShard(s *partition.ShardCounters, gauge func(*prometheus.Desc, float64, ...string), counter func(*prometheus.Desc, uint64, ...string)) {
	shard, leads := strconv.Itoa(s.Shard), 0.0
	if s.Role == "leader" {
		leads = 1
	}
	gauge(descLeader, leads, shard)
	gauge(descRole, 1, shard, s.Role, s.Leader)
	gauge(descTerm, float64(s.Term), shard)
	gauge(descApplied, float64(s.Applied), shard)
	gauge(descCommit, float64(s.Commit), shard)
	gauge(descLag, float64(s.Commit-min(s.Commit, s.Applied)), shard)
	if s.Staleness >= 0 {
		gauge(descStaleness, s.Staleness.Seconds(), shard)
	}
	counter(descProposals, s.Proposals, shard)
	counter(descReads, s.Reads[partition.Eventual], shard, readsEventual.String())
	counter(descReads, s.Reads[partition.Strong], shard, readsStrong.String())
	gauge(descBytes, float64(s.SortedBytes), shard, "tables")
	gauge(descBytes, float64(s.LogBytes), shard, "value logs")
}

// histogram is the latencies in buckets of a doubling each.
func (n *operationCounters) histogram(labels ...string) prometheus.Metric {
	buckets := make(map[float64]uint64, latencyDoublings)
	var sum uint64
	for doubling := range latencyDoublings {
		for step := range latencySteps {
			sum += n.latency[doubling*latencySteps+step].Load()
		}
		if doubling < latencyDoublings-1 { // the last one has no end
			end := time.Duration(latencyFloor((doubling+1)*latencySteps)) * time.Microsecond
			buckets[end.Seconds()] = sum
		}
	}
	took := time.Duration(n.micros.Load()) * time.Microsecond
	return prometheus.MustNewConstHistogram(descLatency, sum, took.Seconds(), buckets, labels...)
}
