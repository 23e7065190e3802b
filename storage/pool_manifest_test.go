package storage

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

const goldenNodeManifest = `{
  "format": 1,
  "kind": "node",
  "node": "00c0ffee00000001",
  "name": "a",
  "cluster": "6b7f0d0e-5c1c-4d7e-9a55-0f6f4f1f2b3a",
  "created": "2026-01-02T03:04:05Z",
  "next": 5,
  "groups": [
    {
      "group": 0,
      "dir": "group-0.1"
    },
    {
      "group": 18446744073709551615,
      "dir": "group-18446744073709551615.3"
    }
  ],
  "discard": [
    "group-0.4"
  ]
}
`

func TestNodeManifestGolden(t *testing.T) {
	m := nodeManifest{
		Format:  1,
		Kind:    "node",
		Node:    0xc0ffee00000001,
		Name:    "a",
		Cluster: "6b7f0d0e-5c1c-4d7e-9a55-0f6f4f1f2b3a",
		Created: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC),
		Next:    5,
		Groups:  []groupDir{{0, "group-0.1"}, {1<<64 - 1, "group-18446744073709551615.3"}},
		Discard: []string{"group-0.4"},
	}
	require.Equal(t, goldenNodeManifest, string(m.encode()))
	got, err := decodeNodeManifest([]byte(goldenNodeManifest))
	require.NoError(t, err)
	require.Equal(t, m, got)
	require.Equal(t, Identity{
		NodeID: 0xc0ffee00000001, Name: "a",
		ClusterID: [16]byte{0x6b, 0x7f, 0x0d, 0x0e, 0x5c, 0x1c, 0x4d, 0x7e, 0x9a, 0x55, 0x0f, 0x6f, 0x4f, 0x1f, 0x2b, 0x3a},
	}, got.identity())
}

func TestNodeManifestRefusals(t *testing.T) {
	for _, test := range []struct{ name, content, err string }{
		{"empty", "", "EOF"},
		{"half", goldenNodeManifest[:60], "unexpected EOF"},
		{"format", `{"format":2,"kind":"node"}`, "format 2, this version reads format 1"},
		{"kind", `{"format":1,"kind":"disc"}`, `kind "disc" is unknown to this version`},
		{"no node", `{"format":1,"kind":"node"}`, "no node id"},
		{"bad node", `{"format":1,"kind":"node","node":"x"}`, "invalid syntax"},
		{"cluster", `{"format":1,"kind":"node","node":"1","cluster":"x"}`, "cluster id: "},
		{"path outside", `{"format":1,"kind":"node","node":"1","next":9,"discard":["../precious"]}`, `directory "../precious" cannot be`},
		{"path below", `{"format":1,"kind":"node","node":"1","next":9,"groups":[{"group":1,"dir":"group-1.1/.."}]}`, "cannot be"},
		{"number to come", `{"format":1,"kind":"node","node":"1","next":1,"groups":[{"group":1,"dir":"group-1.1"}]}`, "cannot be"},
		{"twice", `{"format":1,"kind":"node","node":"1","next":9,"groups":[{"group":1,"dir":"group-1.1"}],"discard":["group-1.1"]}`, "cannot be"},
		{"order", `{"format":1,"kind":"node","node":"1","next":9,"groups":[{"group":1,"dir":"group-1.1"},{"group":1,"dir":"group-1.2"}]}`, "groups are not in order"},
	} {
		t.Run(test.name, func(t *testing.T) {
			dir := t.TempDir()
			path := filepath.Join(dir, manifestName)
			require.NoError(t, os.WriteFile(path, []byte(test.content), 0o600))
			_, err := OpenPool(PoolOptions{Dir: dir})
			require.ErrorIs(t, err, ErrManifest)
			require.ErrorContains(t, err, path)
			require.ErrorContains(t, err, test.err)
		})
	}
}

// A manifest of another time must not make a pool delete, or start afresh
// beside, shards it does not know.
func TestPoolKnowsAllShards(t *testing.T) {
	dir := t.TempDir()
	p := openPool(t, PoolOptions{Dir: dir})
	old, err := os.ReadFile(filepath.Join(dir, manifestName))
	require.NoError(t, err)
	s, err := p.Create(4)
	require.NoError(t, err)
	set(t, s, "k", "v")
	require.NoError(t, p.Close())

	require.NoError(t, os.Remove(filepath.Join(dir, manifestName)))
	_, err = OpenPool(PoolOptions{Dir: dir})
	require.ErrorIs(t, err, ErrManifest)
	require.ErrorContains(t, err, dir+" has group-4.1 but no MANIFEST.stator")
	_, err = OpenPool(PoolOptions{Dir: dir, Existing: true})
	require.ErrorIs(t, err, ErrManifest)

	require.NoError(t, os.WriteFile(filepath.Join(dir, manifestName), old, 0o600))
	_, err = OpenPool(PoolOptions{Dir: dir})
	require.ErrorIs(t, err, ErrManifest)
	require.ErrorContains(t, err, "does not know group-4.1")
	require.FileExists(t, filepath.Join(dir, "group-4.1", "MANIFEST"))
}

// The data of a group that is gone is never taken for an empty shard.
func TestPoolRefusesMissingShard(t *testing.T) {
	for name, damage := range map[string]func(t *testing.T, dir string){
		"gone": func(t *testing.T, dir string) { require.NoError(t, os.RemoveAll(dir)) },
		"empty": func(t *testing.T, dir string) {
			require.NoError(t, os.RemoveAll(dir))
			require.NoError(t, os.Mkdir(dir, 0o700))
		},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			p := openPool(t, PoolOptions{Dir: dir})
			_, err := p.Create(4)
			require.NoError(t, err)
			require.NoError(t, p.Close())
			shard := filepath.Join(dir, "group-4.1")
			damage(t, shard)
			_, err = OpenPool(PoolOptions{Dir: dir})
			require.ErrorIs(t, err, ErrCorrupt)
			require.ErrorContains(t, err, shard+": the data of group 4 is missing")
		})
	}
}

// Open inspects a shard as the Open of a Store does.
func TestPoolInspectsShards(t *testing.T) {
	dir := t.TempDir()
	p := openPool(t, PoolOptions{Dir: dir})
	s, err := p.Create(4)
	require.NoError(t, err)
	set(t, s, "k", "v")
	require.NoError(t, p.Close())
	shard := filepath.Join(dir, "group-4.1")
	remove(t, filepath.Join(shard, "MANIFEST"))

	p = openPool(t, PoolOptions{Dir: dir})
	_, err = p.Open(4)
	require.ErrorIs(t, err, ErrCorrupt)
	require.ErrorContains(t, err, shard)
	_, err = p.Create(4)
	require.ErrorIs(t, err, ErrShardExists)
}

func TestKindsAreKeptApart(t *testing.T) {
	store, node, nothing := t.TempDir(), t.TempDir(), filepath.Join(t.TempDir(), "nothing")
	require.NoError(t, open(t, Options{Dir: store}).Close())
	require.NoError(t, openPool(t, PoolOptions{Dir: node}).Close())

	_, err := Open(Options{Dir: node})
	require.ErrorIs(t, err, ErrKind)
	require.ErrorContains(t, err, node+" holds a cluster node; start it with `stator serve --cluster`")
	_, err = OpenPool(PoolOptions{Dir: store})
	require.ErrorIs(t, err, ErrKind)
	require.ErrorContains(t, err, store+" holds the store of a single server; start it without `--cluster`")

	_, err = OpenPool(PoolOptions{Dir: nothing, Existing: true})
	require.ErrorIs(t, err, ErrNoData)
	require.NoDirExists(t, nothing)
	openPool(t, PoolOptions{Dir: node, Existing: true})
	_, err = OpenPool(PoolOptions{Dir: node})
	require.ErrorIs(t, err, ErrLocked)
}

func TestPoolOptions(t *testing.T) {
	_, err := OpenPool(PoolOptions{})
	require.ErrorContains(t, err, "storage options: a pool on disk needs a directory")
	_, err = OpenPool(PoolOptions{InMemory: true, Dir: "x"})
	require.ErrorContains(t, err, "storage options: a pool in memory has no directory")
}

func TestIdentity(t *testing.T) {
	pools(t, func(t *testing.T, o PoolOptions) {
		p := openPool(t, o)
		id := p.Identity()
		require.NotZero(t, id.NodeID)
		require.Equal(t, Identity{NodeID: id.NodeID}, id)
		require.NotEqual(t, id.NodeID, openPool(t, PoolOptions{InMemory: true}).Identity().NodeID)

		named := Identity{NodeID: id.NodeID, Name: "a"}
		require.NoError(t, p.SetIdentity(named))
		member := Identity{NodeID: id.NodeID, Name: "b", ClusterID: [16]byte{1, 2, 15: 3}}
		require.NoError(t, p.SetIdentity(member))
		for _, other := range []Identity{
			{NodeID: id.NodeID + 1, Name: "b", ClusterID: member.ClusterID},
			{NodeID: id.NodeID, Name: "b", ClusterID: [16]byte{1}},
			named,
			{},
		} {
			require.ErrorContains(t, p.SetIdentity(other), "the data directory belongs to ")
			require.Equal(t, member, p.Identity())
		}
		require.NoError(t, p.Close())
		require.ErrorIs(t, p.SetIdentity(member), ErrClosed)
		if !o.InMemory {
			require.Equal(t, member, openPool(t, o).Identity())
		}
	})
}

func FuzzDecodeNodeManifest(f *testing.F) {
	f.Add([]byte(goldenNodeManifest))
	f.Add([]byte(`{"format":1,"kind":"node","node":"1"}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		m, err := decodeNodeManifest(b)
		if err != nil {
			return
		}
		require.NotZero(t, m.identity().NodeID)
		for _, g := range m.Groups {
			require.True(t, filepath.IsLocal(g.Dir))
		}
		for _, dir := range m.Discard {
			require.True(t, filepath.IsLocal(dir) && filepath.Base(dir) == dir)
		}
		again, err := decodeNodeManifest(m.encode())
		require.NoError(t, err)
		require.Equal(t, m.encode(), again.encode())
	})
}
