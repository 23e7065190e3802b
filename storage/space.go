package storage

import "fmt"

const (
	// reserve is the space that must be free for a shard to take writes.
	// Badger's logs are sparse files written through mappings: a write for
	// which the file system then finds no block kills the process.
	reserve = 32 << 20
	// spaceInterval is how much is written between two looks at free space.
	spaceInterval = 1 << 20
)

// reserveSpace returns ErrDiskFull if size more bytes should not be written.
// Only the live batch may call it.
func (s *Shard) reserveSpace(size int64) error {
	if s.dir == "" {
		return nil
	}
	s.spaceLeft -= size
	if s.spaceLeft >= 0 {
		return nil
	}
	free, err := s.freeSpace(s.dir)
	if err != nil {
		return fmt.Errorf("free space of %s: %w", s.name(), err)
	}
	if free-size < reserve {
		return fmt.Errorf("%w: %s: %d bytes left", ErrDiskFull, s.name(), free)
	}
	s.spaceLeft = spaceInterval
	return nil
}
