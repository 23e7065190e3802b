package main

import (
	"io/fs"
	"runtime"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestAvailableMemory(t *testing.T) {
	t.Parallel()
	const (
		v2      = "/sys/fs/cgroup/memory.max"
		v1      = "/sys/fs/cgroup/memory/memory.limit_in_bytes"
		meminfo = "/proc/meminfo"
		machine = "MemFree: 5 kB\nMemTotal:       16384 kB\nSwapTotal: 1 kB\n"
	)
	for name, tc := range map[string]struct {
		files map[string]string
		want  int64
	}{
		"not Linux":              {nil, 0},
		"machine":                {map[string]string{meminfo: machine}, 16 << 20},
		"no limit":               {map[string]string{v2: "max\n", meminfo: machine}, 16 << 20},
		"container":              {map[string]string{v2: "1048576\n", meminfo: machine}, 1 << 20},
		"container, version 1":   {map[string]string{v1: "2097152\n", meminfo: machine}, 2 << 20},
		"no limit, version 1":    {map[string]string{v1: "9223372036854771712\n", meminfo: machine}, 16 << 20},
		"limit above the memory": {map[string]string{v2: "99999999999\n", meminfo: machine}, 16 << 20},
		"unreadable numbers":     {map[string]string{v2: "many", meminfo: "MemTotal: all kB\n"}, 0},
		"zero":                   {map[string]string{v2: "0", meminfo: "MemTotal: 0 kB\n"}, 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := availableMemory(func(name string) ([]byte, error) {
				if text, ok := tc.files[name]; ok {
					return []byte(text), nil
				}
				return nil, fs.ErrNotExist
			})
			require.Equal(t, tc.want, got)
		})
	}
}

func TestBurstIsOver(t *testing.T) {
	t.Parallel()
	var b burst
	for i, look := range []struct {
		collections uint64
		over        bool
	}{
		{3, false},  // it began
		{9, false},  // it goes on
		{10, false}, // it may go on
		{10, true},
		{10, false}, // once
		{11, false}, // of an idle process
		{11, false},
		{13, false},
		{13, true},
	} {
		require.Equal(t, look.over, b.over(look.collections), "look %d", i)
	}
}

func TestCollections(t *testing.T) {
	before := collections()
	runtime.GC()
	require.Greater(t, collections(), before)
}
