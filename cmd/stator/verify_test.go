package main

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestVerify checks a directory that a server left in good order.
func TestVerify(t *testing.T) {
	t.Parallel()
	dir := storedCrashTable(t)
	got := execute(t, "", "verify", "--data-dir", dir)
	require.Equal(t, result{stdout: "1 tables, 20 items, 40 index entries, 0 problems\n"}, got)

	got = execute(t, "", "repair", "--data-dir", dir)
	require.Zero(t, got.code, got.stderr)
	require.True(t, strings.HasSuffix(got.stdout, "1 tables, 0 index entries added, 0 removed\n"), got.stdout)
	got = execute(t, "", "verify", "--data-dir", dir)
	require.Equal(t, result{stdout: "1 tables, 20 items, 40 index entries, 0 problems\n"}, got)

	s := start(t, "serve", "--port", "0", "--data-dir", dir)
	require.Len(t, scanVersions(t, s.client(), "byBucket"), 20)

	got = execute(t, "", "verify", "--cluster", "--data-dir", dir)
	require.Equal(t, exitUsage, got.code)
	require.Contains(t, got.stderr, "--cluster asks running nodes: --data-dir has no meaning with it")
	got = execute(t, "", "verify", "--cluster", "--endpoint", s.url)
	require.Equal(t, exitFailure, got.code)
	requireOneLine(t, got.stderr, s.url+" is not a node of a cluster")
}

// TestNoData names directories that hold no data: nothing may be created there.
func TestNoData(t *testing.T) {
	t.Parallel()
	empty := t.TempDir()
	for _, command := range []string{"verify", "repair"} {
		for _, dir := range []string{empty, filepath.Join(empty, "missing")} {
			got := execute(t, "", command, "--data-dir", dir)
			require.Equal(t, exitFailure, got.code)
			require.Empty(t, got.stdout)
			requireOneLine(t, got.stderr, "no data in "+dir+":", "--data-dir")
		}
	}
	entries, err := os.ReadDir(empty)
	require.NoError(t, err)
	require.Empty(t, entries)
}

// TestVerifyFindsDamage overwrites stored bytes: verify must fail, in one line,
// whatever it hits, and never claim that all is well.
func TestVerifyFindsDamage(t *testing.T) {
	t.Parallel()
	dir := storedCrashTable(t)
	var tables []string
	for _, pattern := range []string{"*.sst", "*.vlog", "*.mem"} {
		found, err := filepath.Glob(filepath.Join(dir, "shard-*", pattern))
		require.NoError(t, err)
		tables = append(tables, found...)
	}
	require.NotEmpty(t, tables)
	random := rand.New(rand.NewPCG(1, 2))
	for _, path := range tables {
		data, err := os.ReadFile(path)
		require.NoError(t, err)
		for range len(data) / 20 {
			data[random.IntN(len(data))] ^= byte(1 + random.IntN(255))
		}
		require.NoError(t, os.WriteFile(path, data, 0o600))
	}
	got := execute(t, "", "verify", "--data-dir", dir)
	require.Equal(t, exitFailure, got.code, got.stdout)
	requireOneLine(t, got.stderr, dir)
}

// storedCrashTable is the directory of a stopped server that holds 20 items in a
// table with a local and a global index.
func storedCrashTable(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	s := start(t, "serve", "--port", "0", "--data-dir", dir)
	client := s.client()
	createCrashTable(t, client)
	for id := range 20 {
		require.NoError(t, putVersion(t.Context(), client, 0, id, 1), fmt.Sprint(id))
	}
	s.signal(syscall.SIGTERM)
	require.Zero(t, s.wait())
	return dir
}
