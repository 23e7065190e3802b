package main

import (
	"net/http/httptest"
	"testing"
	"time"

	"github.com/dgraph-io/badger/v4"
	"github.com/gin-gonic/gin"
	"github.com/stretchr/testify/require"

	"github.com/stator-db/stator/cmd/stator/internal/bench"
)

// TestBaselineTakesTheBenchmark: with a database, each item that was loaded is found.
func TestBaselineTakesTheBenchmark(t *testing.T) {
	gin.SetMode(gin.ReleaseMode)
	db, err := badger.Open(badger.DefaultOptions("").WithInMemory(true).WithLogger(nil))
	require.NoError(t, err)
	defer func() { require.NoError(t, db.Close()) }()
	for name, b := range map[string]*baseline{"constants": {}, "Badger": {db: db}} {
		t.Run(name, func(t *testing.T) {
			engine := gin.New()
			engine.POST("/", b.handle)
			web := httptest.NewServer(engine)
			defer web.Close()
			report, err := bench.Measure(t.Context(), bench.Target{URL: web.URL}, bench.Plan{
				Workloads: []string{"get", "put", "update", "get"}, Connections: []int{4}, Items: 1010, ItemSize: 250,
				Duration: time.Minute, Requests: 500, Repeat: 1, Seed: 1, Timeout: 10 * time.Second, Table: "Table",
			}, bench.NewReporter(t.Output(), false))
			require.NoError(t, err)
			for _, run := range report.Runs {
				require.Empty(t, run.Operations[0].Errors, run.Workload)
				require.Equal(t, int64(500), run.Operations[0].Succeeded)
			}
		})
	}
	items := 0
	require.NoError(t, db.View(func(txn *badger.Txn) error {
		it := txn.NewIterator(badger.DefaultIteratorOptions)
		defer it.Close()
		for it.Rewind(); it.Valid(); it.Next() {
			value, err := it.Item().ValueCopy(nil)
			require.NoError(t, err)
			require.Regexp(t, `^\{"pk":.*\}\}$`, string(value))
			items++
		}
		return nil
	}))
	require.Equal(t, 1010, items)
}

func TestKeyOf(t *testing.T) {
	require.Equal(t, `p1"},"sk":{"N":"34`, string(keyOf([]byte(`{"Key":{"pk":{"S":"p1"},"sk":{"N":"34"}}}`))))
	for _, text := range []string{"", `{}`, `"pk":{"S":"`, `"pk":{"S":"","sk":{"N":"`} {
		require.NotEmpty(t, keyOf([]byte(text)))
	}
}
