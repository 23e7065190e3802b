package partition

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"
)

func setTTL(t *testing.T, db *DB, attribute string) {
	t.Helper()
	_, err := db.UpdateTable(context.Background(), Namespace{}, "T", func(t *Table) error {
		t.TTL = &TTLSpec{Attribute: attribute, Enabled: attribute != ""}
		return nil
	})
	require.NoError(t, err)
}

// TestTimeToLiveIsToggled switches it off, which removes expiry records in the
// background, on again, and over to another attribute, under writes.
func TestTimeToLiveIsToggled(t *testing.T) {
	dir := t.TempDir()
	db, err := Open(Options{Dir: dir, Shards: 2})
	require.NoError(t, err)
	table := createTest(t, db, plainTable("T"))
	soon := int(db.Now().Unix()) + 1_000_000
	ws := make([]*Write, 3000)
	for i := range ws {
		ws[i] = &Write{Table: table, Kind: Put, Item: object("pk", fmt.Sprint(i), "ttl", soon, "other", soon+i)}
	}
	_, errs := db.WriteAll(context.Background(), ws)
	require.NoError(t, errors.Join(errs...))
	stop := make(chan struct{})
	done := make(chan error, 1)
	go func() {
		for i := 0; ; i++ {
			select {
			case <-stop:
				done <- nil
				return
			default:
			}
			w := &Write{Table: table, Kind: Put, Item: object("pk", fmt.Sprint(i%200), "ttl", soon+i, "other", soon-i)}
			if _, err := db.Write(context.Background(), w); err != nil {
				done <- err
				return
			}
		}
	}()
	for range 5 {
		setTTL(t, db, "ttl")
		setTTL(t, db, "")
		setTTL(t, db, "ttl")
		db.awaitOrdering()
		setTTL(t, db, "other")
	}
	db.awaitOrdering()
	close(stop)
	require.NoError(t, <-done)
	require.Equal(t, 3000, countRecords(t, db, kindExpiry))
	require.NoError(t, db.Close())
	verifyClean(t, dir)
}

// TestUnfinishedDisablingIsFinishedAtStart leaves records of a time to live that
// was switched off right before a crash.
func TestUnfinishedDisablingIsFinishedAtStart(t *testing.T) {
	dir := t.TempDir()
	db, err := Open(Options{Dir: dir, Shards: 2})
	require.NoError(t, err)
	table := createTest(t, db, plainTable("T"))
	setTTL(t, db, "ttl")
	for i := range 10 {
		put(t, db, table, object("pk", fmt.Sprint(i), "ttl", int(db.Now().Unix())+1000))
	}
	db.awaitOrdering()
	current, err := db.Table(Namespace{}, "T")
	require.NoError(t, err)
	c := current.clone()
	c.Version++
	c.TTL.Enabled = false
	require.NoError(t, db.recordTable(c, 0))
	require.NoError(t, db.Close())

	db, err = Open(Options{Dir: dir})
	require.NoError(t, err)
	require.Eventually(t, func() bool { return countRecords(t, db, kindExpiry) == 0 }, 10e9, 1e6)
	require.NoError(t, db.Close())
	verifyClean(t, dir)
}
