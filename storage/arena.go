package storage

// arena hands out byte slices that are all given back at once. It keeps one
// chunk between uses, so that a steady writer allocates nothing.
type arena struct {
	chunk []byte // its length is what has been handed out
}

// arenaChunk is what a batch of a few hundred small items needs, and the most
// that is kept while the shard is idle.
const arenaChunk = 256 << 10

// alloc returns n bytes of arbitrary content.
func (a *arena) alloc(n int) []byte {
	if n > arenaChunk/4 {
		return make([]byte, n) // not worth the rest of a chunk
	}
	if cap(a.chunk)-len(a.chunk) < n {
		a.chunk = make([]byte, 0, arenaChunk)
	}
	start := len(a.chunk)
	a.chunk = a.chunk[:start+n]
	return a.chunk[start : start+n : start+n]
}

func (a *arena) copy(b []byte) []byte {
	c := a.alloc(len(b))
	copy(c, b)
	return c
}

func (a *arena) reset() { a.chunk = a.chunk[:0] }
