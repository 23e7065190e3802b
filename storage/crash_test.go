package storage

import (
	"bufio"
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestKilledProcessLosesNothing kills a writing process again and again. Every
// batch it acknowledged is there, complete; the one it was at may be there, but
// only complete.
func TestKilledProcessLosesNothing(t *testing.T) {
	for _, kills := range []int{1, 30, 400, 1500} {
		t.Run(strconv.Itoa(kills), func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			acknowledged := writeUntilKilled(t, dir, kills)
			s := open(t, Options{Dir: dir})
			n := checkCrashed(t, s.Shards()[0])
			require.True(t, n == acknowledged || n == acknowledged+1, "%d batches, %d acknowledged", n, acknowledged)
			// What was replayed must survive an orderly close as well.
			require.NoError(t, s.Close())
			require.Equal(t, n, checkCrashed(t, open(t, Options{Dir: dir}).Shards()[0]))
		})
	}
}

// writeUntilKilled kills the writer after it has acknowledged at least n
// batches, and returns how many it has.
func writeUntilKilled(t *testing.T, dir string, n int) int {
	cmd := exec.Command(os.Args[0], dir)
	cmd.Env = append(os.Environ(), childEnv+"=write")
	stdout, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	lines := bufio.NewScanner(stdout)
	acknowledged := 0
	for lines.Scan() {
		i, err := strconv.Atoi(lines.Text())
		require.NoError(t, err, lines.Text())
		require.Equal(t, acknowledged, i)
		acknowledged = i + 1
		if acknowledged == n {
			require.NoError(t, cmd.Process.Kill())
		}
	}
	require.ErrorContains(t, cmd.Wait(), "killed")
	return acknowledged
}

// checkCrashed requires the entries of the first batches and nothing else, and
// returns the number of batches.
func checkCrashed(t *testing.T, sh *Shard) int {
	require.NoError(t, sh.VerifyChecksums())
	n := uint64(0)
	require.NoError(t, sh.View(func(sn *Snapshot) error {
		return sn.Scan(Range{}, func(key, value []byte) (bool, error) {
			k, v := crashEntry(n/crashBatch, n%crashBatch)
			require.Equal(t, k, key)
			require.True(t, bytes.Equal(v, value))
			n++
			return true, nil
		})
	}))
	require.Zero(t, n%crashBatch)
	return int(n / crashBatch)
}

// A power cut leaves the write-ahead log without some of its last pages, which
// then read as zeros. That loses what was not durable and is no damage.
func TestTornLogIsRecovered(t *testing.T) {
	for _, lost := range []int{1, 30, 5000} {
		dir := t.TempDir()
		acknowledged := writeUntilKilled(t, dir, 50)
		shard := shardDir(dir, 0)
		files, err := listFiles(shard)
		require.NoError(t, err)
		log := filepath.Join(shard, files.newest(memLogSuffix))
		b, err := os.ReadFile(log)
		require.NoError(t, err)
		used := len(bytes.TrimRight(b, "\x00"))
		clear(b[used-lost : used])
		require.NoError(t, os.WriteFile(log, b, 0o600))
		n := checkCrashed(t, open(t, Options{Dir: dir}).Shards()[0])
		require.True(t, n > 40 && n <= acknowledged, "%d batches of %d", n, acknowledged)
	}
}

func TestOpenAfterKillWarnsOfUnfinishedTable(t *testing.T) {
	dir := t.TempDir()
	require.NoError(t, open(t, Options{Dir: dir, Shards: 1}).Close())
	shard := shardDir(dir, 0)
	require.NoError(t, dropInventory(shard))
	require.NoError(t, os.WriteFile(shard+"/000099.sst", []byte("half"), 0o600))
	var out strings.Builder
	open(t, Options{Dir: dir, Logger: textLogger(&out)})
	require.Contains(t, out.String(), `msg="unfinished table is discarded"`)
	require.Contains(t, out.String(), "000099.sst")
}
