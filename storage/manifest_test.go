package storage

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

const goldenManifest = `{
  "format": 1,
  "shards": 2,
  "id": "6b7f0d0e-5c1c-4d7e-9a55-0f6f4f1f2b3a",
  "created": "2026-01-02T03:04:05Z",
  "ready": true
}
`

func TestManifestGolden(t *testing.T) {
	m := manifest{
		Format:  1,
		Shards:  2,
		ID:      "6b7f0d0e-5c1c-4d7e-9a55-0f6f4f1f2b3a",
		Created: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC),
		Ready:   true,
	}
	require.Equal(t, goldenManifest, string(m.encode()))
	got, err := decodeManifest([]byte(goldenManifest))
	require.NoError(t, err)
	require.Equal(t, m, got)
}

func TestManifestIsUniqueAndReady(t *testing.T) {
	ids := map[string]bool{}
	for range 2 {
		dir := t.TempDir()
		require.NoError(t, open(t, Options{Dir: dir, Shards: 1}).Close())
		b, err := os.ReadFile(filepath.Join(dir, manifestName))
		require.NoError(t, err)
		m, err := decodeManifest(b)
		require.NoError(t, err)
		require.True(t, m.Ready)
		ids[m.ID] = true
	}
	require.Len(t, ids, 2)
}

func TestManifestRefusals(t *testing.T) {
	change := func(content string) func(*testing.T, string) {
		return func(t *testing.T, dir string) {
			require.NoError(t, os.WriteFile(filepath.Join(dir, manifestName), []byte(content), 0o600))
		}
	}
	for _, test := range []struct {
		name   string
		damage func(t *testing.T, dir string)
		err    string
	}{
		{"missing", func(t *testing.T, dir string) {
			require.NoError(t, os.Remove(filepath.Join(dir, manifestName)))
		}, "has shard-0000 but no MANIFEST.stator; restore the file from a backup or use an empty directory"},
		{"shard missing", func(t *testing.T, dir string) {
			require.NoError(t, os.RemoveAll(filepath.Join(dir, "shard-0001")))
		}, "names 2 shards but stat "},
		{"empty", change(""), "EOF"},
		{"half", change(goldenManifest[:40]), "unexpected EOF"},
		{"format", change(`{"format":2,"shards":2,"id":"x","ready":true}`), "format 2, this version reads format 1"},
		{"no shards", change(`{"format":1,"id":"x","ready":true}`), "shard count 0 is not between 1 and 256"},
		{"no id", change(`{"format":1,"shards":2}`), "no id"},
	} {
		t.Run(test.name, func(t *testing.T) {
			dir := t.TempDir()
			require.NoError(t, open(t, Options{Dir: dir, Shards: 2}).Close())
			test.damage(t, dir)
			before, err := listFiles(dir)
			require.NoError(t, err)
			_, err = Open(Options{Dir: dir})
			require.ErrorIs(t, err, ErrManifest)
			require.ErrorContains(t, err, dir)
			require.ErrorContains(t, err, test.err)
			after, err := listFiles(dir)
			require.NoError(t, err)
			require.Equal(t, before, after)
		})
	}
}

// A process that dies while it creates a store leaves a manifest that is not
// ready, and none or some of the shards.
func TestInterruptedCreation(t *testing.T) {
	for _, shards := range []int{0, 1} {
		dir := t.TempDir()
		m := newManifest(2)
		if shards > 0 {
			require.NoError(t, open(t, Options{Dir: dir, Shards: 2}).Close())
			require.NoError(t, os.RemoveAll(shardDir(dir, 1)))
		}
		require.NoError(t, writeFile(filepath.Join(dir, manifestName), m.encode()))
		s := open(t, Options{Dir: dir})
		require.Len(t, s.Shards(), 2)
		require.NoError(t, s.Close())
		got, err := loadManifest(dir, 0)
		require.NoError(t, err)
		m.Ready = true
		require.Equal(t, m, got)
	}
}

func FuzzDecodeManifest(f *testing.F) {
	f.Add([]byte(goldenManifest))
	f.Add([]byte(`{"format":1}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		m, err := decodeManifest(b)
		if err != nil {
			return
		}
		require.NotEmpty(t, m.ID)
		require.True(t, m.Shards >= 1 && m.Shards <= MaxShards)
	})
}
