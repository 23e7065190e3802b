package storage

import (
	"crypto/rand"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/google/uuid"
)

const (
	kindNode    = "node"
	groupPrefix = "group-"
)

// nodeManifest is the content of MANIFEST.stator in a pool's directory.
type nodeManifest struct {
	// Format is the version of the directory's layout and of the manifest.
	Format int `json:"format"`
	// Kind is kindNode.
	Kind string `json:"kind"`
	// Node is Identity.NodeID, and Cluster Identity.ClusterID or "".
	Node    hexID  `json:"node"`
	Name    string `json:"name,omitempty"`
	Cluster string `json:"cluster,omitempty"`
	// Created is when the directory was first used, in UTC.
	Created time.Time `json:"created"`
	// Next is the number of the next directory to be made. None is used twice.
	Next uint64 `json:"next"`
	// Groups are the shards, by group. Each has been complete and durable since
	// it was named here.
	Groups []groupDir `json:"groups"`
	// Discard names directories that hold nothing of value: shards being built,
	// replaced or removed. OpenPool deletes them.
	Discard []string `json:"discard,omitempty"`
}

// groupDir is the directory of a group's shard, relative to the pool's.
type groupDir struct {
	Group uint64 `json:"group"`
	Dir   string `json:"dir"`
}

// hexID is 16 hexadecimal digits in JSON, where a number of that size would not
// survive every reader.
type hexID uint64

func (id hexID) MarshalText() ([]byte, error) { return fmt.Appendf(nil, "%016x", uint64(id)), nil }

func (id *hexID) UnmarshalText(b []byte) error {
	n, err := strconv.ParseUint(string(b), 16, 64)
	*id = hexID(n)
	return err
}

func newNodeManifest() nodeManifest {
	var id [8]byte
	for binary.LittleEndian.Uint64(id[:]) == 0 {
		rand.Read(id[:]) // never fails
	}
	return nodeManifest{
		Format:  manifestFormat,
		Kind:    kindNode,
		Node:    hexID(binary.LittleEndian.Uint64(id[:])),
		Created: time.Now().UTC().Truncate(time.Second),
		Next:    1,
		Groups:  []groupDir{},
	}
}

func (m *nodeManifest) encode() []byte {
	b, err := json.MarshalIndent(m, "", "  ")
	if err != nil {
		panic(err) // plain fields always marshal
	}
	return append(b, '\n')
}

func decodeNodeManifest(b []byte) (nodeManifest, error) {
	var m nodeManifest
	if err := decodeManifestJSON(b, kindNode, &m); err != nil {
		return nodeManifest{}, err
	}
	if m.Node == 0 {
		return nodeManifest{}, errors.New("no node id")
	}
	if m.Cluster != "" {
		if _, err := uuid.Parse(m.Cluster); err != nil {
			return nodeManifest{}, fmt.Errorf("cluster id: %w", err)
		}
	}
	names := map[string]bool{}
	check := func(dir string) error {
		if !isGroupDir(dir, m.Next) || names[dir] {
			return fmt.Errorf("directory %q cannot be", dir)
		}
		names[dir] = true
		return nil
	}
	for i, g := range m.Groups {
		if i > 0 && m.Groups[i-1].Group >= g.Group {
			return nodeManifest{}, errors.New("groups are not in order")
		}
		if err := check(g.Dir); err != nil {
			return nodeManifest{}, err
		}
	}
	for _, dir := range m.Discard {
		if err := check(dir); err != nil {
			return nodeManifest{}, err
		}
	}
	return m, nil
}

// groupDirName is the name of the nth directory made, for a shard of group.
func groupDirName(group, n uint64) string { return fmt.Sprintf("%s%d.%d", groupPrefix, group, n) }

// isGroupDir reports whether groupDirName returns dir for some group and a
// number below next. It keeps the manifest from naming a path outside of the
// pool's directory, which could then be deleted.
func isGroupDir(dir string, next uint64) bool {
	group, number, ok := strings.Cut(strings.TrimPrefix(dir, groupPrefix), ".")
	if !ok {
		return false
	}
	g, err1 := strconv.ParseUint(group, 10, 64)
	n, err2 := strconv.ParseUint(number, 10, 64)
	return err1 == nil && err2 == nil && n < next && dir == groupDirName(g, n)
}

// loadNodeManifest reads the manifest of dir, or makes a fresh one when dir
// holds no data. It never takes a directory with data for a fresh one, and
// refuses one whose shards the manifest does not all know.
func loadNodeManifest(dir string) (nodeManifest, error) {
	path := filepath.Join(dir, manifestName)
	b, err := os.ReadFile(path)
	fresh := errors.Is(err, fs.ErrNotExist)
	if err != nil && !fresh {
		return nodeManifest{}, fmt.Errorf("%w: %w", ErrManifest, err)
	}
	if fresh {
		if err := requireNoShards(dir); err != nil {
			return nodeManifest{}, err
		}
		m := newNodeManifest()
		return m, writeFile(path, m.encode())
	}
	m, err := decodeNodeManifest(b)
	if err != nil {
		return nodeManifest{}, manifestError(path, err)
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nodeManifest{}, err
	}
	for _, e := range entries {
		if strings.HasPrefix(e.Name(), groupPrefix) && !m.names(e.Name()) {
			return nodeManifest{}, fmt.Errorf("%w: %s does not know %s; restore the file from a backup",
				ErrManifest, path, e.Name())
		}
	}
	return m, nil
}

func (m *nodeManifest) names(dir string) bool {
	return slices.Contains(m.Discard, dir) ||
		slices.ContainsFunc(m.Groups, func(g groupDir) bool { return g.Dir == dir })
}

func (m *nodeManifest) find(group uint64) (i int, found bool) {
	return slices.BinarySearchFunc(m.Groups, group, func(g groupDir, group uint64) int {
		switch {
		case g.Group < group:
			return -1
		case g.Group > group:
			return 1
		}
		return 0
	})
}

// reserve names a new directory for a shard of group, to be discarded unless
// it is adopted.
func (m *nodeManifest) reserve(group uint64) (dir string) {
	dir = groupDirName(group, m.Next)
	m.Next++
	m.Discard = append(m.Discard, dir)
	return dir
}

// adopt makes dir the shard of group, and the one before it one to discard. In
// memory directories are "".
func (m *nodeManifest) adopt(group uint64, dir string) {
	m.drop(group)
	m.discarded([]string{dir})
	i, _ := m.find(group)
	m.Groups = slices.Insert(m.Groups, i, groupDir{Group: group, Dir: dir})
}

// drop makes the shard of group, if any, one to discard.
func (m *nodeManifest) drop(group uint64) {
	i, ok := m.find(group)
	if !ok {
		return
	}
	if dir := m.Groups[i].Dir; dir != "" {
		m.Discard = append(m.Discard, dir)
	}
	m.Groups = slices.Delete(m.Groups, i, i+1)
}

// discarded forgets directories that are gone or adopted.
func (m *nodeManifest) discarded(dirs []string) {
	m.Discard = slices.DeleteFunc(m.Discard, func(dir string) bool { return slices.Contains(dirs, dir) })
}

func (m *nodeManifest) identity() Identity {
	id := Identity{NodeID: uint64(m.Node), Name: m.Name}
	if m.Cluster != "" {
		id.ClusterID = uuid.MustParse(m.Cluster) // checked when it was read
	}
	return id
}

func (m *nodeManifest) setIdentity(id Identity) error {
	old := m.identity()
	if id.NodeID != old.NodeID {
		return fmt.Errorf("the data directory belongs to node %016x and cannot become that of node %016x", old.NodeID, id.NodeID)
	}
	if m.Cluster != "" && id.ClusterID != old.ClusterID {
		return fmt.Errorf("the data directory belongs to cluster %s and cannot join cluster %s; use an empty directory",
			m.Cluster, uuid.UUID(id.ClusterID))
	}
	m.Name = id.Name
	if id.ClusterID != ([16]byte{}) {
		m.Cluster = uuid.UUID(id.ClusterID).String()
	}
	return nil
}

// manifestFile is the manifest of an open pool and its file.
type manifestFile struct {
	mu      sync.Mutex
	path    string // "" in memory
	current nodeManifest
	// held has the directories that are open: in current.Discard they are being
	// filled, or were replaced or removed and are in use by views. Who made a
	// directory one to discard deletes it, when it is closed.
	held map[string]bool
	// failed is set when it is not known which manifest a crash would leave.
	// From then on nothing is changed or deleted until the pool is reopened.
	failed error
}

// change lets fn edit the manifest and writes the result durably. After an
// error the manifest is as it was.
func (f *manifestFile) change(fn func(*nodeManifest) error) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.failed != nil {
		return f.failed
	}
	m := f.current
	m.Groups, m.Discard = slices.Clone(m.Groups), slices.Clone(m.Discard)
	if err := fn(&m); err != nil {
		return err
	}
	if f.path != "" {
		// Held across the write: changes are rare, and each builds on the last.
		replaced, err := replaceFile(f.path, m.encode())
		if err != nil {
			if replaced {
				f.failed = fmt.Errorf("%s cannot be changed until it is reopened: %w", f.path, err)
				return f.failed
			}
			return err
		}
	}
	f.current = m
	return nil
}

// reserve records a directory for a shard of group that is to be built.
func (f *manifestFile) reserve(group uint64) (dir string, err error) {
	err = f.change(func(m *nodeManifest) error {
		dir = m.reserve(group)
		f.held[dir] = true
		return nil
	})
	if err != nil {
		f.release(dir)
	}
	return dir, err
}

// adopt records dir, which was reserved, as the shard of group.
func (f *manifestFile) adopt(group uint64, dir string) error {
	return f.change(func(m *nodeManifest) error {
		f.holdShard(m, group)
		m.adopt(group, dir)
		return nil
	})
}

// drop records that group has no shard.
func (f *manifestFile) drop(group uint64) error {
	return f.change(func(m *nodeManifest) error {
		f.holdShard(m, group)
		m.drop(group)
		return nil
	})
}

func (f *manifestFile) holdShard(m *nodeManifest, group uint64) {
	if i, ok := m.find(group); ok {
		f.held[m.Groups[i].Dir] = true
	}
}

// release says that dir is closed.
func (f *manifestFile) release(dir string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	delete(f.held, dir)
}

// discardable returns the directories that may be deleted.
func (f *manifestFile) discardable() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.failed != nil {
		return nil
	}
	return slices.DeleteFunc(slices.Clone(f.current.Discard), func(dir string) bool { return f.held[dir] })
}

func (f *manifestFile) identity() Identity {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.current.identity()
}

func (f *manifestFile) groups() []uint64 {
	f.mu.Lock()
	defer f.mu.Unlock()
	groups := make([]uint64, len(f.current.Groups))
	for i, g := range f.current.Groups {
		groups[i] = g.Group
	}
	return groups
}

func (f *manifestFile) dirOf(group uint64) (dir string, ok bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	i, ok := f.current.find(group)
	if !ok {
		return "", false
	}
	return f.current.Groups[i].Dir, true
}
