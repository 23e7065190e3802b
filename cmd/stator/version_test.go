package main

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestVersion(t *testing.T) {
	t.Parallel()
	got := execute(t, "", "version")
	require.Zero(t, got.code)
	require.Regexp(t, `^stator v0-test go1\.\S+ \w+/\w+\n$`, got.stdout)
	require.Empty(t, got.stderr)
}
