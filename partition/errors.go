package partition

import (
	"errors"
	"fmt"

	"github.com/stator-db/stator/storage/item"
)

// Catalog states a caller branches on.
var (
	// ErrTableNotFound says that the namespace has no table of that name, or no more.
	ErrTableNotFound = errors.New("table not found")
	// ErrTableExists says that the namespace already has a table of that name.
	ErrTableExists = errors.New("table already exists")
)

// Outcomes of a write.
var (
	// ErrItemTooLarge says that the item, or what an update counts as, exceeds MaxItemSize.
	ErrItemTooLarge = errors.New("item exceeds the maximum size")
	// ErrWriteTooLarge says that item and index entries together exceed what one commit can hold.
	ErrWriteTooLarge = errors.New("write with its index entries exceeds one commit")
	// ErrClosed says that the database was closed.
	ErrClosed = errors.New("database is closed")
)

// What a cluster answers when it cannot do what was asked in time.
var (
	// ErrUnavailable says that no leader of the shard could be reached. Nothing
	// was written.
	ErrUnavailable = errors.New("the shard has no leader that can be reached")
	// ErrOutcomeUnknown says that a write may have taken effect, or may yet.
	ErrOutcomeUnknown = errors.New("the outcome of the write is unknown")
)

// ErrRemoved says that this node is no member of its cluster any more. What it has
// on disk is of no use: it may join again with an empty data directory.
var ErrRemoved = errors.New("this node was removed from the cluster; to join again it needs an empty data directory")

// ErrCorruptRecord marks stored bytes that cannot be what was written.
var ErrCorruptRecord = errors.New("corrupt record")

// ConditionFailed is the outcome of a write whose condition was false. Nothing
// was changed.
type ConditionFailed struct {
	// Item is the stored item, if the write asked for it (WantFailed) and it exists.
	Item item.Item
}

func (*ConditionFailed) Error() string { return "condition failed" }

// KeyFault says what is wrong with an attribute that an index uses as its key.
type KeyFault uint8

// The ways in which a value cannot be an index key.
const (
	KeyWrongType KeyFault = iota + 1
	KeyEmpty
	KeyTooLong
)

// IndexKeyError rejects a write that would give an index key attribute a value
// that no key may have (Developer Guide, "Data type considerations" of
// secondary indexes).
type IndexKeyError struct {
	Fault      KeyFault
	Index      *Index
	Attribute  string
	Want, Got  item.Type
	FromUpdate bool // the value is the result of an update, not part of a request's item
}

func (e *IndexKeyError) Error() string {
	switch e.Fault {
	case KeyWrongType:
		return fmt.Sprintf("index %s: key attribute %s is %s, not %s", e.Index.Name, e.Attribute, e.Got, e.Want)
	case KeyEmpty:
		return fmt.Sprintf("index %s: key attribute %s is empty", e.Index.Name, e.Attribute)
	}
	return fmt.Sprintf("index %s: key attribute %s is too long", e.Index.Name, e.Attribute)
}
