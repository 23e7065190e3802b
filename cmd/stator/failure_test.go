package main

import (
	"errors"
	"fmt"
	"io/fs"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/stator-db/stator/storage"
)

var houseFlags = flagNames{port: "--port", host: "--host", dataDir: "--data-dir", shards: "--shards"}

func TestExplainData(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		cause error
		want  []string
	}{
		{storage.ErrLocked, []string{"/d is in use by another process", "--data-dir"}},
		{storage.ErrNoData, []string{"no data in /d", "--data-dir"}},
		{storage.ErrShardCount, []string{"shard count", "--shards", "--data-dir"}},
		{storage.ErrManifest, []string{"manifest", "nothing was changed or deleted", "backup", "--data-dir"}},
		{storage.ErrCorrupt, []string{"damaged", "nothing was changed or deleted", "backup", "--data-dir"}},
		{fs.ErrPermission, []string{"make it writable", "--data-dir"}},
		{syscall.EACCES, []string{"permission denied", "make it writable", "--data-dir"}},
		{syscall.EROFS, []string{"read-only", "make it writable", "--data-dir"}},
		{syscall.ENOTDIR, []string{"a file is in the way", "--data-dir"}},
		{syscall.ENOSPC, []string{"no space left", "free some disk space"}},
		{syscall.EMFILE, []string{"too many open files", "ulimit -n"}},
		{fs.ErrNotExist, []string{"check the path", "--data-dir"}},
		{errors.New("first line\nsecond line"), []string{"data directory /d: opening: first line second line"}},
	} {
		t.Run(tc.cause.Error(), func(t *testing.T) {
			t.Parallel()
			err := explainData(fmt.Errorf("opening: %w", tc.cause), "/d", houseFlags)
			require.ErrorIs(t, err, tc.cause)
			requireOneLine(t, oneLine(err), tc.want...)
		})
	}
}

func TestExplainListen(t *testing.T) {
	t.Parallel()
	local := flagNames{port: "-port", dataDir: "-dbPath"}
	for _, tc := range []struct {
		cause error
		flags flagNames
		want  string
	}{
		{syscall.EADDRINUSE, houseFlags, "cannot listen on h:80: port 80 is in use by another process: stop it, or choose another port with --port"},
		{syscall.EADDRINUSE, local, "cannot listen on h:80: port 80 is in use by another process: stop it, or choose another port with -port"},
		{syscall.EACCES, houseFlags, "cannot listen on h:80: not permitted to listen on port 80: choose one above 1023 with --port"},
		{syscall.EADDRNOTAVAIL, houseFlags, "cannot listen on h:80: cannot assign requested address: check the address given with --host"},
		{syscall.EADDRNOTAVAIL, local, "cannot listen on h:80: cannot assign requested address: check the port given with -port"},
	} {
		err := explainListen(tc.cause, "h", 80, tc.flags)
		require.EqualError(t, err, tc.want)
		require.ErrorIs(t, err, tc.cause)
	}
}
