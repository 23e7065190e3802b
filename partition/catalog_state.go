package partition

import (
	"encoding/binary"
	"fmt"
	"sync"

	"github.com/stator-db/stator/storage"
)

// catalog is what a node knows of all tables: the records of kind 'c', as far as
// their log has been applied. Only apply changes it; readers see immutable
// Tables and Streams.
type catalog struct {
	sync.RWMutex
	names  map[tableName]*Table
	nextID uint32
	// pending holds versions that are not installed in every shard yet and so
	// not for anybody to see.
	pending map[uint32]*Table
	// dropped holds tables whose records are still being removed.
	dropped map[uint32]*Table
	// streams holds the open stream of every table that has one, and closed ones
	// as long as they can be read.
	streams map[streamID]*Stream
}

type tableName struct {
	ns   Namespace
	name string
}

// catalogChange is one record of the catalog, decoded; without table and stream
// it was removed.
type catalogChange struct {
	key    []byte
	table  *Table
	stream *Stream
	nextID uint32
	// topology is set if the record is about the cluster itself.
	topology *topologyChange
}

func decodeCatalogRecord(key, value []byte) (c catalogChange, err error) {
	c.key = key
	switch {
	case isTopology(key):
		var t topologyChange
		t, err = decodeTopology(key, value)
		c.topology = &t
	case len(key) == 2 && key[1] == 'n':
		if len(value) != 4 && value != nil {
			return c, fmt.Errorf("%w: next table id of %d bytes", ErrCorruptRecord, len(value))
		}
		if value != nil {
			c.nextID = binary.BigEndian.Uint32(value)
		}
	case len(key) == 6 && key[1] == 't':
		if value != nil {
			c.table, err = decodeTable(value)
		}
	case len(key) == 10 && key[1] == 's':
		if value != nil {
			c.stream, err = decodeStream(value)
		}
	default:
		return c, fmt.Errorf("%w: catalog record under key %x", ErrCorruptRecord, key)
	}
	return c, err
}

// change makes applied records visible.
func (c *catalog) change(changes []catalogChange) {
	c.Lock()
	defer c.Unlock()
	for _, ch := range changes {
		c.set(ch)
	}
}

func (c *catalog) set(ch catalogChange) {
	switch t := ch.table; {
	case ch.topology != nil: // not of tables
	case ch.key[1] == 'n':
		c.nextID = max(c.nextID, ch.nextID)
	case ch.key[1] == 's' && ch.stream == nil:
		delete(c.streams, streamID{binary.BigEndian.Uint32(ch.key[2:]), binary.BigEndian.Uint32(ch.key[6:])})
	case ch.key[1] == 's':
		c.streams[streamID{ch.stream.TableID, ch.stream.ID}] = ch.stream
	case t == nil:
		id := binary.BigEndian.Uint32(ch.key[2:])
		delete(c.dropped, id)
		delete(c.pending, id)
	case t.Status == TableDeleting:
		name := tableName{t.Namespace, t.Name}
		if known := c.names[name]; known != nil && known.ID == t.ID {
			delete(c.names, name)
		}
		delete(c.pending, t.ID)
		c.dropped[t.ID] = t
	case t.Pending:
		c.pending[t.ID] = t
	default:
		delete(c.pending, t.ID)
		c.names[tableName{t.Namespace, t.Name}] = t
	}
}

// read loads the catalog from its shard.
func (c *catalog) read(s *storage.Snapshot) error {
	c.Lock()
	defer c.Unlock()
	c.names, c.pending, c.dropped = make(map[tableName]*Table), make(map[uint32]*Table), make(map[uint32]*Table)
	c.streams = make(map[streamID]*Stream)
	c.nextID = 1
	return scanKind(s, kindCatalog, func(key, value []byte) error {
		ch, err := decodeCatalogRecord(append([]byte(nil), key...), value)
		if err != nil {
			return err
		}
		c.set(ch)
		if t := ch.table; t != nil && t.Pending && t.Version > 1 {
			// What readers saw before is gone with the last run.
			c.names[tableName{t.Namespace, t.Name}] = t
		}
		return nil
	})
}

// nameOf is the name of a table, "" if there is none with that id.
func (c *catalog) nameOf(id uint32) string {
	c.RLock()
	defer c.RUnlock()
	for name, t := range c.names {
		if t.ID == id {
			return name.name
		}
	}
	return ""
}
