package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// smallExperiment takes a moment. It comes out as expected if %s is none.
const smallExperiment = `
title: A small one
duration: 5s
clients:
  - {group: g, task: probe, rate: 10}
checks:
  - {check: stale-reads, group: g, expect: %s}
`

func TestLabList(t *testing.T) {
	t.Parallel()
	got := execute(t, "", "lab", "list")
	require.Zero(t, got.code, got.stderr)
	require.Contains(t, got.stdout, "negative-control  A follower answers strong reads, and is caught\n")
}

// TestLabRun runs an experiment twice: the exit code says how it came out, and a
// seed repeats a history.
func TestLabRun(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write := func(name, expected string) {
		text := strings.Replace(smallExperiment, "%s", expected, 1)
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600))
	}
	write("good.yaml", "none")
	write("bad.yaml", "some")
	got := execute(t, dir, "lab", "run", "good.yaml", "--seed", "7")
	require.Zero(t, got.code, got.stderr)
	require.Contains(t, got.stdout, "again: stator lab run good.yaml --seed 7\n")
	page, err := os.ReadFile(filepath.Join(dir, "lab", "good-7.html"))
	require.NoError(t, err)
	require.Contains(t, string(page), "A small one")

	again := execute(t, dir, "lab", "run", "good.yaml", "--seed", "7", "--out", "again")
	require.Zero(t, again.code, again.stderr)
	first, err := os.ReadFile(filepath.Join(dir, "lab", "good-7.json"))
	require.NoError(t, err)
	second, err := os.ReadFile(filepath.Join(dir, "again", "good-7.json"))
	require.NoError(t, err)
	require.Equal(t, string(first), string(second))

	got = execute(t, dir, "lab", "run", "bad.yaml")
	require.Equal(t, exitFailure, got.code)
	requireOneLine(t, got.stderr, "did not come out as expected: failed")
}

func TestLabRefuses(t *testing.T) {
	t.Parallel()
	got := execute(t, "", "lab", "run", "nonsense")
	require.Equal(t, exitUsage, got.code)
	requireOneLine(t, got.stderr, "there is no experiment nonsense", "stator lab list")

	file := filepath.Join(t.TempDir(), "broken.yaml")
	require.NoError(t, os.WriteFile(file, []byte("title: x\nduration: 5s\nclents: []\n"), 0o600))
	got = execute(t, "", "lab", "run", file)
	require.Equal(t, exitFailure, got.code)
	requireOneLine(t, got.stderr, "experiment broken", "clents")
}

// TestLabReal runs an experiment on processes, which takes the time that it takes:
// only with STATOR_LAB_REAL.
func TestLabReal(t *testing.T) {
	if os.Getenv("STATOR_LAB_REAL") == "" {
		t.Skip("STATOR_LAB_REAL is not set")
	}
	got := execute(t, t.TempDir(), "lab", "run", "lost-updates", "--real")
	require.Zero(t, got.code, got.stdout+got.stderr)
	got = execute(t, t.TempDir(), "lab", "run", "negative-control", "--real")
	require.Equal(t, exitFailure, got.code)
	requireOneLine(t, got.stderr, "the policy follower is for simulated clusters")
}
