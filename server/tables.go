package server

import (
	"errors"
	"log/slog"
	"slices"
	"sync"

	"github.com/stator-db/stator/partition"
)

// table finds the table that a data plane request names, by name or ARN. A table
// that does not exist or is not usable yet or any more is ResourceNotFoundException.
func (c *call) table(nameOrARN string) (*partition.Table, error) {
	name, err := c.tableName(nameOrARN)
	if err != nil {
		return nil, err
	}
	t, err := c.s.db.Table(c.ns, name)
	switch {
	case errors.Is(err, partition.ErrTableNotFound):
		c.logMissing(name)
		return nil, resourceNotFound()
	case err != nil:
		return nil, err
	case t.Status == partition.TableCreating || t.Status == partition.TableDeleting:
		return nil, resourceNotFound()
	}
	return t, nil
}

// describedTable finds a table for the table plane: in any state, and the answer
// to a missing one names it.
func (c *call) describedTable(nameOrARN string) (*partition.Table, error) {
	name, err := c.tableName(nameOrARN)
	if err != nil {
		return nil, err
	}
	t, err := c.s.db.Table(c.ns, name)
	if errors.Is(err, partition.ErrTableNotFound) {
		c.logMissing(name)
		return nil, tableNotFound(name)
	}
	return t, err
}

// missingTables remembers which missing tables were logged, so that a client in a
// loop writes one line and not a thousand.
type missingTables struct {
	mu     sync.Mutex
	logged map[missingTable]struct{}
}

type missingTable struct {
	ns   partition.Namespace
	name string
}

// maxMissingTables bounds what missingTables remembers; beyond it, it starts anew.
const maxMissingTables = 256

// first reports whether the table is asked about for the first time.
func (m *missingTables) first(ns partition.Namespace, name string) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	key := missingTable{ns, name}
	if _, seen := m.logged[key]; seen {
		return false
	}
	if m.logged == nil || len(m.logged) >= maxMissingTables {
		m.logged = make(map[missingTable]struct{})
	}
	m.logged[key] = struct{}{}
	return true
}

// logMissing tells the operator where a table lives that was not found where it
// was looked for: other keys or another region are the usual reason.
func (c *call) logMissing(name string) {
	elsewhere := c.s.db.FindTable(name)
	elsewhere = slices.DeleteFunc(slices.Clone(elsewhere), func(ns partition.Namespace) bool { return ns == c.ns })
	if len(elsewhere) == 0 || !c.s.missing.first(c.ns, name) {
		return
	}
	for _, ns := range elsewhere {
		c.s.log.LogAttrs(c.ctx, slog.LevelWarn, "table not found under this access key and region, but it exists under another",
			slog.String("table", name),
			slog.String("accessKey", c.accessKey), slog.String("region", c.region),
			slog.String("existsUnderAccessKey", ns.Account), slog.String("existsInRegion", ns.Region))
	}
}
