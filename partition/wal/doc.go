// Package wal is the write-ahead log of a node: one log shared by all of the
// node's raft groups, so that whatever the groups have to persist at a moment
// costs one write and one fdatasync together.
//
// Log.Append makes a batch of Writes durable. Log.Group returns the raft.Storage
// of one group. Log.Compact forgets the beginning of a group's log and, with it,
// files that nobody needs any more.
//
// # Use with raft
//
// A MsgStorageAppend becomes one Write: its snapshot's metadata, its entries and
// its hard state. Append applies them in that order, all or nothing, and
// overwrites a conflicting suffix as raft demands. The configuration that
// resulted from applying a configuration change is handed in as Write.ConfState.
//
// A commit index alone is not worth an fdatasync, and raft does not ask for it
// (Ready.MustSync). Append keeps such a change in memory and writes it along
// with the next batch, or in Close. After a crash, the commit index may therefore
// be behind what a state machine has applied; the owner raises it with such a
// Write before it starts raft, which would panic otherwise.
//
// # Files
//
// The log is a sequence of segments, NNNNNNNNNNNNNNNN.wal with the hexadecimal
// segment id, which only grows. All integers are little endian, uvarint is that
// of encoding/binary, checksums are CRC-32C.
//
//	segment = header frame*
//
//	header (32 bytes)
//	  0  magic    "STATRWAL"
//	  8  version  uint32 = 1
//	  12 checksum uint32, of the header without this field
//	  16 id       uint64
//	  24 salt     uint64, random
//
//	frame, at a multiple of 8
//	  0  magic    uint32 = 0x4d524657 "WFRM"
//	  4  length   uint32, of the payload
//	  8  payload's checksum uint32
//	  12 header's checksum  uint32, of salt, id, the frame's offset in the file and bytes 0 to 12
//	  16 payload = record*
//	  .. zeros up to a multiple of 8
//
//	record = kind byte, group uvarint (not in a checkpoint), then
//	  1 state      term vote commit
//	  2 conf       index, conf
//	  3 entries    index of the first, count, entry*
//	  4 reset      index term, as by a snapshot; a conf record follows
//	  5 compacted  index term: of the last entry that is not needed
//	  6 removed
//	  7 checkpoint segments, (id end)*, groups, (group first term last, term vote commit, index, conf)*
//	  8 moved      like entries
//
//	entry = term uvarint, type byte, length uvarint, checksum uint32, data
//	conf  = 4 * (count, node*): voters, learners, outgoing voters, next learners; then auto leave as byte
//
// An entry's checksum covers group, index, term, type and data, so that a read
// of a single entry is verified without its frame.
//
// One Append writes one frame. A frame's header is bound to its place, so that
// bytes of another file or another offset are never taken for it.
//
// A segment begins with a checkpoint: the state of all groups, which indexes
// each holds, and all older segments that count with the offset where each ends.
// It is written under a temporary name, synced and renamed, so a segment that has
// its name is complete up to there. Hence only entries keep old segments alive,
// and a group that the checkpoint does not list is gone.
//
// # Recovery
//
// Open replays the segments in order. Segments may be missing between others:
// the positions of entries are then missing too, until a record that was written
// later supplies them, which it must have done at the end.
//
// At any time at most one frame is not yet synced, the last. If what follows the
// last good frame of the last segment contains no header of a frame, it is a torn
// write: it was never acknowledged, and is cut. Any other damage is refused with
// ErrCorrupt, naming file and offset; the node then has to be replaced by an
// empty one, which gets its data from the other replicas. Damage to the very last
// frame cannot be told from a torn write.
//
// # Space
//
// A segment of which no entry is needed is deleted, in any order. If quiet groups
// keep so many segments alive that less than half of the bytes are needed,
// Compact copies the needed entries of the emptiest segments forward as moved
// records, which replace positions and change nothing else.
//
// Segments grow as they are written. Allocating their space in advance does not
// make fdatasync faster on ext4; only overwriting what had been written before
// does, which would mean to keep old segments instead of deleting them.
//
// # Failures
//
// On a full disk Append cuts back what it wrote and returns ErrDiskFull; the log
// stays usable. After any other failed write, and after a failed sync, nobody can
// say what is on disk: the log refuses further writes with ErrFailed until it is
// opened again. A sync is never repeated, since the system may have forgotten the
// pages that it could not write.
//
// # Memory
//
// A group holds eight bytes per entry plus a little per segment and term. The
// newest entries of all groups are cached within Options.CacheBytes and handed to
// raft without copying; older ones are read from their segment.
package wal
