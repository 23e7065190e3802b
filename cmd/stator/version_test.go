package main

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestVersion(t *testing.T) {
	t.Parallel()
	for _, args := range [][]string{{"version"}, {"--version"}, {"serve", "--version"}, {"-version"}} {
		got := execute(t, "", args...)
		require.Zero(t, got.code, args)
		require.Regexp(t, `^stator v0-test go1\.\S+ \w+/\w+\n$`, got.stdout, args)
		require.Empty(t, got.stderr, args)
	}
}
