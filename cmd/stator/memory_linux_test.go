package main

import (
	"os"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestConstantMaps(t *testing.T) {
	const maps = `00400000-00f80000 r-xp 00000000 fe:00 12345                              /usr/bin/stator
00f80000-01c00000 r--p 00b80000 fe:00 12345                              /usr/bin/stator
01c00000-01c80000 rw-p 01800000 fe:00 12345                              /usr/bin/stator
01d00000-01d01000 r--p 00000000 fe:00 777                                /data/bin/stator
c000000000-c000400000 rw-p 00000000 00:00 0
7ffd1c000000-7ffd1c021000 rw-p 00000000 00:00 0                          [stack]
`
	require.Equal(t, []addresses{{0x400000, 0xf80000}, {0xf80000, 0x1c00000}}, constantMaps(maps, "/usr/bin/stator"))
	require.Empty(t, constantMaps("nonsense\n\n", "nonsense"))
}

// TestUnmapBinary: the process has code and constants that can be dropped, and goes on
// after it.
func TestUnmapBinary(t *testing.T) {
	exe, err := os.Readlink("/proc/self/exe")
	require.NoError(t, err)
	maps, err := os.ReadFile("/proc/self/maps")
	require.NoError(t, err)
	require.NotEmpty(t, constantMaps(string(maps), exe))
	unmapBinary()
	require.NotEmpty(t, constantMaps(string(maps), exe))
}
