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
	kindStore      = "" // a Store's manifest names no kind
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
	if err := decodeManifestJSON(b, kindStore, &m); err != nil {
		return manifest{}, err
	}
	switch {
	case m.Shards < 1 || m.Shards > MaxShards:
		return manifest{}, fmt.Errorf("shard count %d is not between 1 and %d", m.Shards, MaxShards)
	case m.ID == "":
		return manifest{}, errors.New("no id")
	}
	return m, nil
}

// decodeManifestJSON decodes b into m, if it is the manifest of a directory of
// that kind: kindStore or kindNode.
func decodeManifestJSON(b []byte, kind string, m any) error {
	var head struct {
		Format int    `json:"format"`
		Kind   string `json:"kind"`
	}
	if err := json.NewDecoder(bytes.NewReader(b)).Decode(&head); err != nil {
		return err
	}
	switch {
	case head.Format != manifestFormat:
		return fmt.Errorf("format %d, this version reads format %d", head.Format, manifestFormat)
	case head.Kind == kind:
		return json.NewDecoder(bytes.NewReader(b)).Decode(m)
	case head.Kind == kindNode:
		return &kindError{"holds a cluster node; start it with `stator serve --cluster`, or use another directory"}
	case head.Kind == kindStore:
		return &kindError{"holds the store of a single server; start it without `--cluster`, or give the node an empty directory"}
	}
	return fmt.Errorf("kind %q is unknown to this version", head.Kind)
}

// kindError is ErrKind with what to do.
type kindError struct{ text string }

func (e *kindError) Error() string { return e.text }

// manifestError says what is wrong with the manifest at path and what to do.
func manifestError(path string, err error) error {
	dir := filepath.Dir(path)
	var kind *kindError
	if errors.As(err, &kind) {
		return fmt.Errorf("%w: %s %w", ErrKind, dir, err)
	}
	return fmt.Errorf("%w: %s: %w; restore the file from a backup", ErrManifest, path, err)
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
		return manifest{}, manifestError(path, err)
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
	for _, prefix := range []string{shardPrefix, groupPrefix} {
		shards, err := filepath.Glob(filepath.Join(dir, prefix+"*"))
		if err == nil && len(shards) > 0 {
			return fmt.Errorf("%w: %s has no %s", ErrManifest, dir, manifestName)
		}
	}
	return fmt.Errorf("%w: %s has no %s", ErrNoData, dir, manifestName)
}

// requireNoShards reports a directory without a manifest that holds shards all
// the same.
func requireNoShards(dir string) error {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	for _, e := range entries {
		if strings.HasPrefix(e.Name(), shardPrefix) || strings.HasPrefix(e.Name(), groupPrefix) {
			return fmt.Errorf("%w: %s has %s but no %s; restore the file from a backup or use an empty directory",
				ErrManifest, dir, e.Name(), manifestName)
		}
	}
	return nil
}

// prepareDir makes dir if it is absent, or with existing refuses one without a
// manifest, and locks it.
func prepareDir(dir string, existing bool) (lock *os.File, err error) {
	if existing {
		if err := requireManifest(dir); err != nil {
			return nil, err
		}
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("storage directory: %w", err)
	}
	return lockDir(dir)
}

func freshManifest(dir string, wantShards int) (manifest, error) {
	if err := requireNoShards(dir); err != nil {
		return manifest{}, err
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
func writeFile(path string, b []byte) error {
	_, err := replaceFile(path, b)
	return err
}

// replaceFile is writeFile. It also reports whether path has the new content,
// which after an error may not be durable.
func replaceFile(path string, b []byte) (replaced bool, err error) {
	// A fixed name, so that crashes leave one file at most. The directory's
	// lock keeps others out.
	f, err := os.OpenFile(path+".tmp", os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return false, err
	}
	defer func() {
		if err != nil && !replaced {
			err = errors.Join(err, os.Remove(f.Name()))
		}
	}()
	_, err = f.Write(b)
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return false, err
	}
	if err = os.Rename(f.Name(), path); err != nil {
		return false, err
	}
	return true, syncDir(filepath.Dir(path))
}
