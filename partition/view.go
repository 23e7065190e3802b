package partition

import (
	"context"

	"github.com/stator-db/stator/storage"
)

// snapshot is one look at the records of a shard. What it hands out is valid
// until the function it is handed to returns.
type snapshot interface {
	Get(key []byte, fn func(value []byte) error) (found bool, err error)
	Has(key []byte) (bool, error)
	Scan(r storage.Range, fn func(key, value []byte) (more bool, err error)) error
}

// view passes a snapshot of a shard to fn that is as recent as c promises. A
// snapshot in this process sees one moment.
func (db *DB) view(ctx context.Context, shard int, c Consistency, fn func(s snapshot) error) error {
	if db.world != nil {
		return db.viewSimulated(ctx, shard, c, fn)
	}
	if db.node != nil {
		return db.node.view(ctx, shard, c, fn)
	}
	db.replicas[shard].reads[c].Add(1)
	return db.store.Shards()[shard].View(func(s *storage.Snapshot) error { return fn(s) })
}
