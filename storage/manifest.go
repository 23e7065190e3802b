package storage

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/google/uuid"
)

const (
	manifestName   = "MANIFEST.stator"
	manifestFormat = 1
	shardPrefix    = "shard-"
)

// manifest is the content of MANIFEST.stator: what must not change while a
// directory holds data.
type manifest struct {
	// Format is the version of the directory's layout and of the manifest.
	Format int `json:"format"`
	// Shards is the number of shard directories.
	Shards int `json:"shards"`
	// ID is unique among all stores, so that nodes of a cluster can tell their
	// data directories apart.
	ID string `json:"id"`
	// Created is when the directory was first used, in UTC.
	Created time.Time `json:"created"`
	// Ready is false until every shard has been created, which is before Open
	// first returns. From then on an absent or empty shard is damage.
	Ready bool `json:"ready"`
}

func newManifest(shards int) manifest {
	return manifest{
		Format:  manifestFormat,
		Shards:  shards,
		ID:      uuid.NewString(),
		Created: time.Now().UTC().Truncate(time.Second),
	}
}

func (m manifest) encode() []byte {
	b, err := json.MarshalIndent(m, "", "  ")
	if err != nil {
		panic(err) // plain fields always marshal
	}
	return append(b, '\n')
}

func decodeManifest(b []byte) (manifest, error) {
	var m manifest
	d := json.NewDecoder(bytes.NewReader(b))
	if err := d.Decode(&m); err != nil {
		return manifest{}, err
	}
	switch {
	case m.Format != manifestFormat:
		return manifest{}, fmt.Errorf("format %d, this version reads format %d", m.Format, manifestFormat)
	case m.Shards < 1 || m.Shards > MaxShards:
		return manifest{}, fmt.Errorf("shard count %d is not between 1 and %d", m.Shards, MaxShards)
	case m.ID == "":
		return manifest{}, errors.New("no id")
	}
	return m, nil
}

// loadManifest reads the manifest of dir, or makes a fresh one when dir holds
// no data. It never takes a directory with data for a fresh one.
func loadManifest(dir string, wantShards int) (manifest, error) {
	path := filepath.Join(dir, manifestName)
	b, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return freshManifest(dir, wantShards)
	}
	if err != nil {
		return manifest{}, fmt.Errorf("%w: %w", ErrManifest, err)
	}
	m, err := decodeManifest(b)
	if err != nil {
		return manifest{}, fmt.Errorf("%w: %s: %w; restore the file from a backup", ErrManifest, path, err)
	}
	if wantShards != 0 && wantShards != m.Shards {
		return manifest{}, fmt.Errorf("%w: %s has %d shards, %d were asked for; drop the setting or use an empty directory",
			ErrShardCount, dir, m.Shards, wantShards)
	}
	if !m.Ready {
		return m, nil
	}
	for i := range m.Shards {
		p := shardDir(dir, i)
		if _, err := os.Stat(p); err != nil {
			return manifest{}, fmt.Errorf("%w: %s names %d shards but %w; restore the directory from a backup",
				ErrManifest, path, m.Shards, err)
		}
	}
	return m, nil
}

// requireManifest reports a directory that no store was ever made in.
func requireManifest(dir string) error {
	_, err := os.Stat(filepath.Join(dir, manifestName))
	if !errors.Is(err, fs.ErrNotExist) && !errors.Is(err, syscall.ENOTDIR) {
		return err
	}
	shards, err := filepath.Glob(filepath.Join(dir, shardPrefix+"*"))
	if err == nil && len(shards) > 0 {
		return fmt.Errorf("%w: %s has no %s", ErrManifest, dir, manifestName)
	}
	return fmt.Errorf("%w: %s has no %s", ErrNoData, dir, manifestName)
}

func freshManifest(dir string, wantShards int) (manifest, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return manifest{}, err
	}
	for _, e := range entries {
		if strings.HasPrefix(e.Name(), shardPrefix) {
			return manifest{}, fmt.Errorf("%w: %s has %s but no %s; restore the file from a backup or use an empty directory",
				ErrManifest, dir, e.Name(), manifestName)
		}
	}
	if wantShards == 0 {
		wantShards = DefaultShards()
	}
	m := newManifest(wantShards)
	return m, writeFile(filepath.Join(dir, manifestName), m.encode())
}

func shardDir(dir string, i int) string {
	return filepath.Join(dir, fmt.Sprintf("%s%04d", shardPrefix, i))
}

// writeFile replaces path atomically and durably: after a crash at any moment
// path holds either its old content or all of b.
func writeFile(path string, b []byte) (err error) {
	// A fixed name, so that crashes leave one file at most. The directory's
	// lock keeps others out.
	f, err := os.OpenFile(path+".tmp", os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.Remove(f.Name()))
		}
	}()
	_, err = f.Write(b)
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return err
	}
	if err = os.Rename(f.Name(), path); err != nil {
		return err
	}
	return syncDir(filepath.Dir(path))
}
