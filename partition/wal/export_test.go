package wal

// FixSalt makes the bytes that a log writes predictable.
func (o *Options) FixSalt(salt uint64) { o.salt = func() uint64 { return salt } }

// Cached returns the bytes that the caches count.
func (l *Log) Cached() int64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.cached
}

// Live returns the bytes of needed entries as counted, and as found.
func (l *Log) Live() (counted, found int64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, s := range l.segments {
		counted += s.live
	}
	for _, g := range l.groups {
		for _, s := range g.index.spans {
			for _, p := range s.at {
				found += int64(p.size)
			}
		}
	}
	return counted, found
}
