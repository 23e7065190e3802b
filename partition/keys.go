package partition

import (
	"encoding/binary"
	"fmt"

	"github.com/stator-db/stator/storage/item"
)

// The kinds of records in a shard. A key begins with its kind; what follows is
// drawn in the package documentation.
const (
	kindItem     = 'i' // table items
	kindLocal    = 'l' // local secondary index entries
	kindGlobal   = 'g' // global secondary index entries
	kindOutbox   = 'o' // index changes on their way to another shard
	kindReceived = 'r' // how much of each shard's outbox has been applied here
	kindTable    = 't' // schemas installed in this shard
	kindStats    = 'n' // item and entry counts
	kindCatalog  = 'c' // the catalog of tables (shard 0 on a single node)
	kindMeta     = 'm' // applied index
	kindExpiry   = 'e' // items by time to live
	kindStream   = 's' // stream records
	kindTrim     = 'u' // how far a stream was trimmed
	kindIntent   = 'p' // what a prepared transaction will write
	kindLock     = 'k' // items held by a prepared transaction
	kindLedger   = 'x' // transactions decided to commit
	kindToken    = 'q' // idempotency tokens
	kindTokenAge = 'y' // idempotency tokens by time
)

// appendTablePrefix starts a key of a table's items.
func appendTablePrefix(dst []byte, table uint32) []byte {
	dst = append(dst, kindItem)
	return binary.BigEndian.AppendUint32(dst, table)
}

// appendIndexPrefix starts a key of an index's entries.
func appendIndexPrefix(dst []byte, table uint32, ix *Index) []byte {
	kind := byte(kindGlobal)
	if ix.Local {
		kind = kindLocal
	}
	dst = append(dst, kind)
	dst = binary.BigEndian.AppendUint32(dst, table)
	return binary.BigEndian.AppendUint16(dst, ix.ID)
}

// appendPrefix starts a key of the table's items (ix nil) or of an index's entries.
func appendPrefix(dst []byte, t *Table, ix *Index) []byte {
	if ix == nil {
		return appendTablePrefix(dst, t.ID)
	}
	return appendIndexPrefix(dst, t.ID, ix)
}

// appendHash appends token and partition key for the given hash attribute values.
func appendHash(dst []byte, values ...item.Value) ([]byte, Token) {
	at := len(dst)
	dst = append(dst, 0, 0, 0, 0, 0, 0, 0, 0)
	for _, v := range values {
		dst = item.AppendKey(dst, v)
	}
	token := tokenOf(dst[at+8:])
	binary.BigEndian.PutUint64(dst[at:], uint64(token))
	return dst, token
}

// appendItemKey appends the key of the table item that holds the key attributes
// found in it, and tells its token. The attributes have been checked before.
func appendItemKey(dst []byte, t *Table, it item.Item) ([]byte, Token) {
	dst = appendTablePrefix(dst, t.ID)
	dst, token := appendHash(dst, it.Get(t.Key.Hash[0].Name))
	if len(t.Key.Range) > 0 {
		dst = item.AppendKey(dst, it.Get(t.Key.Range[0].Name))
	}
	return dst, token
}

// appendEntryKey appends the key of an index entry. it holds all key attributes
// of index and table: an item, an entry, or an ExclusiveStartKey.
//
// A local entry is placed by the table's partition key, so that it lives beside
// its item; a global one by its own. The table's key closes the entry key and
// makes it unique.
func appendEntryKey(dst []byte, t *Table, ix *Index, it item.Item) ([]byte, Token) {
	dst = appendIndexPrefix(dst, t.ID, ix)
	at := len(dst)
	dst = append(dst, 0, 0, 0, 0, 0, 0, 0, 0)
	for _, a := range ix.Key.Hash {
		dst = item.AppendKey(dst, it.Get(a.Name))
	}
	token := tokenOf(dst[at+8:])
	binary.BigEndian.PutUint64(dst[at:], uint64(token))
	for _, a := range ix.Key.Range {
		dst = item.AppendKey(dst, it.Get(a.Name))
	}
	if !ix.Local {
		dst = item.AppendKey(dst, it.Get(t.Key.Hash[0].Name))
	}
	if len(t.Key.Range) > 0 {
		dst = item.AppendKey(dst, it.Get(t.Key.Range[0].Name))
	}
	return dst, token
}

// appendTokenBound appends a token to a prefix: the smallest key at that token.
func appendTokenBound(prefix []byte, t Token) []byte {
	return binary.BigEndian.AppendUint64(prefix, uint64(t))
}

func outboxKey(dest int, seq uint64) []byte {
	k := binary.BigEndian.AppendUint16([]byte{kindOutbox}, uint16(dest))
	return binary.BigEndian.AppendUint64(k, seq)
}

func receivedKey(source int) []byte {
	return binary.BigEndian.AppendUint16([]byte{kindReceived}, uint16(source))
}

func schemaKey(table uint32) []byte {
	return binary.BigEndian.AppendUint32([]byte{kindTable}, table)
}

// statsKey addresses the counts of a table (index 0) or of one of its indexes.
func statsKey(table uint32, index uint16) []byte {
	k := binary.BigEndian.AppendUint32([]byte{kindStats}, table)
	return binary.BigEndian.AppendUint16(k, index)
}

func catalogTableKey(table uint32) []byte {
	return binary.BigEndian.AppendUint32([]byte{kindCatalog, 't'}, table)
}

func catalogStreamKey(table, stream uint32) []byte {
	k := binary.BigEndian.AppendUint32([]byte{kindCatalog, 's'}, table)
	return binary.BigEndian.AppendUint32(k, stream)
}

var (
	catalogNextKey = []byte{kindCatalog, 'n'} // the next table id
	appliedKey     = []byte{kindMeta, 'a'}    // sequence of the last applied command
)

// A stored record of an item or entry: format version, the item's version (the
// sequence of the shard's command that wrote it), then the item itself.
const recordFormat = 1

func appendRecord(dst []byte, version uint64, it item.Item) []byte {
	dst = append(dst, recordFormat)
	dst = binary.AppendUvarint(dst, version)
	return append(dst, it...)
}

// parseRecord splits a stored record. The item aliases b.
func parseRecord(b []byte) (version uint64, it item.Item, err error) {
	if len(b) < 2 || b[0] != recordFormat {
		return 0, nil, fmt.Errorf("%w: record of unknown format", ErrCorruptRecord)
	}
	version, n := binary.Uvarint(b[1:])
	if n <= 0 {
		return 0, nil, fmt.Errorf("%w: record without version", ErrCorruptRecord)
	}
	return version, item.Item(b[1+n:]), nil
}

// tableOwner reads the table id of an item or entry key.
func tableOwner(key []byte) (table uint32, ok bool) {
	if len(key) < 5 {
		return 0, false
	}
	return binary.BigEndian.Uint32(key[1:]), true
}

// entryOwner reads table and index id of an entry key.
func entryOwner(key []byte) (table uint32, index uint16, ok bool) {
	if len(key) < 7 {
		return 0, 0, false
	}
	return binary.BigEndian.Uint32(key[1:]), binary.BigEndian.Uint16(key[5:]), true
}
