package wal

import "go.etcd.io/raft/v3/raftpb"

// entryOverhead is about what an entry in memory takes besides its data.
const entryOverhead = 128

func entryBytes(e *raftpb.Entry) int64 { return int64(len(e.GetData())) + entryOverhead }

// cache holds the newest entries of a group, up to the last one. Slices of it
// are handed out, so its elements are never changed in place.
type cache struct {
	first   uint64 // the index of entries[0]
	entries []*raftpb.Entry
	bytes   int64
	// dropped counts the elements before entries[0] that its array still keeps
	// alive.
	dropped int
}

// truncate drops the entries from i on.
func (c *cache) truncate(i uint64) {
	if i >= c.first+uint64(len(c.entries)) {
		return
	}
	n := 0
	if i > c.first {
		n = int(i - c.first)
	}
	for _, e := range c.entries[n:] {
		c.bytes -= entryBytes(e)
	}
	// The capacity goes, too: what follows must not overwrite what was handed out.
	c.entries = c.entries[:n:n]
}

// append adds entries behind the last one of the group's log, which ended before
// the index first.
func (c *cache) append(first uint64, es []*raftpb.Entry) {
	if len(c.entries) == 0 || c.first+uint64(len(c.entries)) != first {
		*c = cache{first: first}
	}
	before := cap(c.entries)
	c.entries = append(c.entries, es...)
	if cap(c.entries) != before {
		c.dropped = 0
	}
	for _, e := range es {
		c.bytes += entryBytes(e)
	}
}

// drop forgets the n oldest entries.
func (c *cache) drop(n int) {
	for _, e := range c.entries[:n] {
		c.bytes -= entryBytes(e)
	}
	c.first += uint64(n)
	c.entries = c.entries[n:]
	c.dropped += n
	if c.dropped > len(c.entries) {
		c.entries = append([]*raftpb.Entry(nil), c.entries...)
		c.dropped = 0
	}
}

// compact drops the entries up to i.
func (c *cache) compact(i uint64) {
	if len(c.entries) > 0 && i >= c.first {
		c.drop(int(min(i-c.first+1, uint64(len(c.entries)))))
	}
}

// halve drops the older half, by bytes.
func (c *cache) halve() {
	left, n := c.bytes, 0
	for left > c.bytes/2 {
		left -= entryBytes(c.entries[n])
		n++
	}
	c.drop(n)
}

// shrinkCaches brings the cached bytes of all groups back below the bound. An
// occasional sweep that halves every group costs less than a queue of entries,
// and leaves each what it is most likely to be asked for. The caller holds l.mu.
func (l *Log) shrinkCaches() {
	for l.cached > l.options.CacheBytes {
		l.cached = 0
		for _, g := range l.groups {
			g.mu.Lock()
			g.cache.halve()
			l.cached += g.cache.bytes
			g.mu.Unlock()
		}
	}
}
