package storage

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/dgraph-io/badger/v4"
)

const (
	tableSuffix    = ".sst"
	valueLogSuffix = ".vlog"
	memLogSuffix   = ".mem" // the write-ahead log of a memtable

	// cleanName is the inventory of a shard that was closed in order.
	cleanName = "CLEAN.stator"

	// fullCheckSize is the size of a shard's tables up to which all their
	// blocks are verified at open: some 30 ms from the page cache, half a
	// second from a slow disk. Of larger shards the indexes are, the rest when
	// it is read or by VerifyChecksums.
	fullCheckSize = 64 << 20
)

// inspect looks at the closed shard in dir before Badger does, which deletes
// tables that its MANIFEST does not name, cuts logs at the first bad entry,
// starts afresh where the MANIFEST is gone, and ends the process on a table
// that is too short. ready is whether the shard has been created before. A
// shard that was not closed in order has lost nothing by that, but files may be
// unfinished, and inspect asks less of them.
func inspect(dir string, ready bool, log *slog.Logger) error {
	files, err := listFiles(dir)
	if err != nil {
		return err
	}
	if _, ok := files[badger.ManifestFilename]; !ok {
		if ready || files.hasData() {
			return corrupt(dir, "%s is missing; restore the shard from a backup", badger.ManifestFilename)
		}
		return nil
	}
	clean, err := checkInventory(dir, files)
	if err != nil {
		return err
	}
	tables, err := namedTables(dir, clean)
	if err != nil {
		return err
	}
	if err := checkTables(dir, tables); err != nil {
		return err
	}
	if err := checkRegistry(dir); err != nil {
		return err
	}
	if !clean {
		// A flush or a compaction was under way; its input is still there.
		for name := range files {
			if strings.HasSuffix(name, tableSuffix) && !slices.Contains(tables, name) {
				log.Warn("unfinished table is discarded", "shard", dir, "file", name)
			}
		}
		return nil
	}
	if last := files.newest(valueLogSuffix); last != "" {
		path := filepath.Join(dir, last)
		if err := checkValueLog(path); err != nil {
			return corrupt(path, "%w", err)
		}
	}
	return dropInventory(dir)
}

// inventory is the names and sizes of the files of a shard.
type inventory map[string]int64

func listFiles(dir string) (inventory, error) {
	entries, err := os.ReadDir(dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	files := inventory{}
	for _, e := range entries {
		info, err := e.Info()
		if errors.Is(err, fs.ErrNotExist) {
			continue // removed by Badger since
		}
		if err != nil {
			return nil, err
		}
		if info.Mode().IsRegular() {
			files[e.Name()] = info.Size()
		}
	}
	return files, nil
}

func (f inventory) hasData() bool {
	return f.newest(tableSuffix) != "" || f.newest(valueLogSuffix) != "" || f.newest(memLogSuffix) != ""
}

// with returns the names that end in suffix, oldest first: Badger numbers its
// files.
func (f inventory) with(suffix string) []string {
	var names []string
	for name := range f {
		if strings.HasSuffix(name, suffix) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

func (f inventory) newest(suffix string) string {
	names := f.with(suffix)
	if len(names) == 0 {
		return ""
	}
	return names[len(names)-1]
}

// checkInventory reports whether the shard was closed in order. If so its
// files must be the ones that were there then.
func checkInventory(dir string, files inventory) (clean bool, err error) {
	path := filepath.Join(dir, cleanName)
	b, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	var want inventory
	if err := json.Unmarshal(b, &want); err != nil {
		return false, corrupt(path, "%w", err)
	}
	for name, size := range want {
		got, ok := files[name]
		if !ok {
			return false, corrupt(filepath.Join(dir, name), "file is missing; restore the shard from a backup")
		}
		if got != size {
			return false, corrupt(filepath.Join(dir, name), "file has %d bytes and had %d when the shard was closed; restore the shard from a backup", got, size)
		}
	}
	for _, suffix := range []string{tableSuffix, valueLogSuffix, memLogSuffix} {
		for _, name := range files.with(suffix) {
			if _, ok := want[name]; !ok {
				return false, corrupt(filepath.Join(dir, name), "file was not there when the shard was closed; restore the shard from a backup")
			}
		}
	}
	return true, nil
}

// writeInventory records, after Badger has closed, that it has done so. Badger
// shortens its logs after their last flush, so they are flushed again first.
func writeInventory(dir string) error {
	files, err := listFiles(dir)
	if err != nil {
		return err
	}
	for name := range files {
		if !strings.HasSuffix(name, tableSuffix) {
			if err := syncFile(filepath.Join(dir, name)); err != nil {
				return err
			}
		}
	}
	b, err := json.MarshalIndent(files, "", "  ")
	if err != nil {
		return err
	}
	return writeFile(filepath.Join(dir, cleanName), append(b, '\n'))
}

// dropInventory removes the inventory, durably: after a power cut an outdated
// one would cry damage.
func dropInventory(dir string) error {
	if err := os.Remove(filepath.Join(dir, cleanName)); err != nil {
		return err
	}
	return syncDir(dir)
}

// namedTables returns the file names of the tables that Badger's MANIFEST of
// the shard names.
func namedTables(dir string, clean bool) ([]string, error) {
	path := filepath.Join(dir, badger.ManifestFilename)
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	m, end, err := badger.ReplayManifestFile(f, 0, badger.Options{})
	if err != nil {
		return nil, corrupt(path, "%w", err)
	}
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if clean && end != info.Size() {
		return nil, corrupt(path, "record at offset %d is cut off", end)
	}
	names := make([]string, 0, len(m.Tables))
	for id := range m.Tables {
		names = append(names, tableName(id))
	}
	slices.Sort(names)
	return names, nil
}

func tableName(id uint64) string { return fmt.Sprintf("%06d%s", id, tableSuffix) }

func checkTables(dir string, names []string) error {
	var total int64
	for _, name := range names {
		info, err := os.Stat(filepath.Join(dir, name))
		if err != nil {
			return corrupt(dir, "%w; restore the shard from a backup", err)
		}
		total += info.Size()
	}
	for _, name := range names {
		path := filepath.Join(dir, name)
		if err := checkTable(path, total <= fullCheckSize); err != nil {
			return corrupt(path, "%w; restore the shard from a backup", err)
		}
	}
	return nil
}

// checkRegistry looks at Badger's key registry, which without encryption is
// random bytes and a fixed text. After a crash it may be missing: Badger makes
// another.
func checkRegistry(dir string) error {
	path := filepath.Join(dir, badger.KeyRegistryFileName)
	b, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	if len(b) != 28 || string(b[16:]) != "Hello Badger" {
		return corrupt(path, "unknown content; restore the shard from a backup")
	}
	return nil
}

// syncFile makes the content of a file durable, including what was written to
// it through a mapping.
func syncFile(path string) error {
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}
