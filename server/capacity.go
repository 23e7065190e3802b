package server

import (
	"strconv"

	"github.com/stator-db/stator/partition"
	"github.com/stator-db/stator/storage/item"
)

// units counts consumed capacity in halves, the smallest step the service
// charges, so that sums stay exact.
type units int64

// Bytes that one unit pays for (Developer Guide, "DynamoDB read and write operations").
const (
	readUnitSize  = 4 << 10
	writeUnitSize = 1 << 10
)

// readUnits prices size bytes read together: whole units when strong, half of
// that when eventual. Reading nothing costs as much as one unit.
func readUnits(size int, c partition.Consistency) units {
	n := units(max(1, ceilDiv(size, readUnitSize)))
	if c == partition.Strong {
		return 2 * n
	}
	return n
}

// writeUnits prices the write of one item or index entry from its sizes before
// and after, either of which may be -1 for no item.
func writeUnits(oldSize, newSize int) units {
	return 2 * units(max(1, ceilDiv(oldSize, writeUnitSize), ceilDiv(newSize, writeUnitSize)))
}

// indexWriteUnits prices what a write did to one index. An entry that moves to
// another index key is a delete and a put.
func indexWriteUnits(w partition.IndexWrite) units {
	switch {
	case w.Unchanged, w.OldSize < 0 && w.NewSize < 0:
		return 0
	case w.OldSize < 0, w.NewSize < 0, w.SameKey:
		return writeUnits(w.OldSize, w.NewSize)
	}
	return writeUnits(w.OldSize, -1) + writeUnits(-1, w.NewSize)
}

func ceilDiv(size, unit int) int {
	if size <= 0 {
		return 0
	}
	return (size + unit - 1) / unit
}

// appendJSON writes the number as the service does: 1.0, 0.5.
func (u units) appendJSON(dst []byte) []byte {
	dst = strconv.AppendInt(dst, int64(u/2), 10)
	if u%2 != 0 {
		return append(dst, ".5"...)
	}
	return append(dst, ".0"...)
}

// consumption is what a request cost on one table: the table's own arm and one
// arm for each index it touched.
type consumption struct {
	table   units
	indexes []indexUnits
	// kind is the second member under which transactions show every number; other
	// operations have none.
	kind string
}

type indexUnits struct {
	name  string
	local bool
	units units
}

// write adds the cost of one write.
func (c *consumption) write(r *partition.WriteResult) {
	c.table += writeUnits(r.OldSize, r.NewSize)
	c.writeIndexes(r)
}

// writeIndexes adds what a write cost on indexes.
func (c *consumption) writeIndexes(r *partition.WriteResult) {
	for i := range r.Indexes {
		if u := indexWriteUnits(r.Indexes[i]); u > 0 {
			c.index(r.Indexes[i].Index, u)
		}
	}
}

// index adds units to the arm of an index, even if there are none.
func (c *consumption) index(ix *partition.Index, u units) {
	for i := range c.indexes {
		if c.indexes[i].name == ix.Name {
			c.indexes[i].units += u
			return
		}
	}
	c.indexes = append(c.indexes, indexUnits{ix.Name, ix.Local, u})
}

func (c *consumption) total() units {
	sum := c.table
	for _, arm := range c.indexes {
		sum += arm.units
	}
	return sum
}

// The values of the API shape ReturnConsumedCapacity that ask for an answer.
const (
	capacityTotal   = "TOTAL"
	capacityIndexes = "INDEXES"
)

func wantsCapacity(mode string) bool { return mode == capacityTotal || mode == capacityIndexes }

// appendMember writes the response member ConsumedCapacity, and nothing unless
// mode (ReturnConsumedCapacity) asks for it. table is the name as requested: a
// caller that sent an ARN gets the ARN back.
func (c *consumption) appendMember(dst []byte, table, mode string) []byte {
	if !wantsCapacity(mode) {
		return dst
	}
	dst = appendName(dst, "ConsumedCapacity")
	return c.appendJSON(dst, table, mode)
}

// appendJSON writes the API shape ConsumedCapacity.
func (c *consumption) appendJSON(dst []byte, table, mode string) []byte {
	dst = c.appendUnits(append(dst, '{'), c.total())
	dst = append(dst, `,"TableName":`...)
	dst = appendString(dst, table)
	if mode == capacityIndexes {
		dst = c.appendUnits(append(dst, `,"Table":{`...), c.table)
		dst = append(dst, '}')
		dst = c.appendArms(dst, "LocalSecondaryIndexes", true)
		dst = c.appendArms(dst, "GlobalSecondaryIndexes", false)
	}
	return append(dst, '}')
}

// appendUnits writes the members that give a number of units.
func (c *consumption) appendUnits(dst []byte, u units) []byte {
	dst = u.appendJSON(appendName(dst, "CapacityUnits"))
	if c.kind != "" {
		dst = u.appendJSON(appendName(dst, c.kind))
	}
	return dst
}

func (c *consumption) appendArms(dst []byte, member string, local bool) []byte {
	first := true
	for _, arm := range c.indexes {
		if arm.local != local {
			continue
		}
		if first {
			dst = appendName(dst, member)
			dst = append(dst, '{')
		} else {
			dst = append(dst, ',')
		}
		first = false
		dst = appendString(dst, arm.name)
		dst = c.appendUnits(append(dst, `:{`...), arm.units)
		dst = append(dst, '}')
	}
	if first {
		return dst
	}
	return append(dst, '}')
}

// appendCollectionMetrics writes the API shape ItemCollectionMetrics for the
// collection that key (an item or a key of it) belongs to. The size range is
// in whole GB.
func appendCollectionMetrics(dst []byte, t *partition.Table, key item.Item, sizeGB int) []byte {
	hash := t.Key.Hash[0].Name
	dst = append(dst, `{"ItemCollectionKey":{`...)
	dst = appendString(dst, hash)
	dst = append(dst, ':')
	dst = key.Get(hash).AppendJSON(dst)
	dst = append(dst, `},"SizeEstimateRangeGB":[`...)
	dst = strconv.AppendInt(dst, int64(sizeGB), 10)
	dst = append(dst, `.0,`...)
	dst = strconv.AppendInt(dst, int64(sizeGB)+1, 10)
	return append(dst, `.0]}`...)
}
