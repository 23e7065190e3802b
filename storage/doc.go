// Package storage keeps ordered byte strings in Badger databases. It knows
// nothing of items and tables: package partition gives keys and values their
// meaning.
//
// A Store is a directory, or the same thing in memory, of a fixed number of
// shards. A Shard is one Badger database. Reads go through Shard.View, which
// gives a consistent Snapshot and never waits. Writes go through a Batch, of
// which a shard has one at a time: it reads its own writes, and all of them
// become visible at once when it is committed. Nothing spans shards.
//
// A Pool is the directory of a cluster node, or the same in memory. Its shards
// come and go, one for each group of replicas that the node takes part in.
// Snapshot.WriteTo and Pool.Receive carry a shard from node to node.
//
// # Durability
//
// A committed batch survives the death of the process: Badger writes it to
// mapped files before Commit returns. With Options.Sync it survives a power cut
// as well. Without, the logs are flushed every second, so that a power cut
// takes about the last second. Shard.Sync flushes them at once: 1 to 4 ms on an
// idle disk, nothing for a shard without commits since. After a flush that
// failed a shard takes no more writes. Batches are never torn.
//
// The shards of a pool are flushed by Shard.Sync and every ten seconds. They are
// ordered (order.go): a power cut takes commits from the end only, and with
// them the applied index of the replica, so that the node's log repeats them.
// That costs a flush every 8 MB of writes, on at most 2 % of the commits.
//
// # Files
//
//	LOCK              held (flock) while the directory is open
//	MANIFEST.stator   JSON: format version, shard count, id, creation time
//	shard-0000/       Badger's files of the first shard, and
//	  CLEAN.stator    JSON: names and sizes of those files; present while the
//	                  shard is closed in order
//
// The manifest is written first with ready false, then, when all shards exist,
// with ready true; Open returns only after that. Values on disk are followed by
// the CRC-32C of key and value, little endian; values of 1 KB and more are in
// Badger's value log.
//
// A pool's directory differs in
//
//	MANIFEST.stator   JSON: format version, kind "node", identity of the node,
//	                  the directory of each group, directories to discard
//	group-7.12/       Badger's files of the shard of group 7; the 12th directory
//	                  made
//
// The manifest is what counts, and each change of it is one atomic write. A new
// shard's directory is first recorded as one to discard, then filled and made
// durable, and then recorded as the group's, in the same write that makes the
// one it replaces one to discard. Those are deleted after that and whenever a
// pool opens. A directory that the manifest does not know is never deleted: the
// pool refuses to open, as it does when a group's directory is gone or empty.
// stream.go draws the format of snapshot streams.
//
// # Damage
//
// Badger assumes intact files. On others it may end the process, delete tables
// that its MANIFEST has lost, cut a log at the first bad entry, or take an
// unreadable block for the end of a table. So a shard is inspected before
// Badger sees it (inspect.go): its files are those of the last orderly close,
// every table its MANIFEST names has intact checksums (of all blocks if the
// shard is small, else of the index), and the value log that Badger would cut
// ends in an intact entry. After a crash the last part does not apply, since a
// torn end of a log is then normal. What is damaged later, or in the blocks of a
// large shard, is found by the checksums of the values when they are read, and
// all of it by Shard.VerifyChecksums. A key can only go missing unnoticed with
// a block of a large shard that nobody has verified. Nothing is repaired and
// no damaged file deleted: the error names it.
//
// # Memory
//
// Measured: a process with an empty store of one shard is 12 MB resident, with
// four shards 13.5 MB, opened in 10 to 40 ms. Tables are uncompressed and read
// in place from their mappings. With 600,000 values of 280 bytes that made
// scans of 5,000 in 1.4-1.8 ms and reads in 12-18 us, against 3.3-3.6 ms and
// 24 us with Snappy and a block cache of 8 or 32 MB, at 186 MB of disk instead
// of 74, and no cache to hold. Memtables take 16 MB (21 MB with slack): the one
// being written, at most two that wait and one being written out. Under load a
// shard's heap is a few times that at the default GOGC; set GOMEMLIMIT to bound
// it. Mapped tables count as resident but are the kernel's to reclaim.
//
// The shards of a pool have memtables of 8 MB. A process with 17 of them open on
// disk and idle is 19 to 21 MB resident, of which 8 are not mapped files, and
// takes 1.5 to 3 % of a core, nearly all of it Badger's compactors, which look
// for work 20 times a second. After 5,000 values of 300 bytes in each it is 115
// MB, 75 without mapped files. The garbage collector has not run by then: its
// pace counts 180 MB of memtables that are mostly untouched. With all shards
// under full load what is not mapped files reaches 800 MB, or 350 MB with
// GOMEMLIMIT=400MiB, which costs little time.
package storage
