// Package partition holds tables: their catalog, the shards their items are
// spread over, and the one way in which bytes change.
//
// # Placement
//
// A Token is a 64-bit hash of an item's partition key. The ring of tokens is
// cut into as many contiguous, equal ranges as there are shards, and each shard
// is one Badger database. Items of one partition key share a token and lie side
// by side, so a query is one range of one shard; a scan walks the ring in token
// order, and the segments of a parallel scan are ranges of the ring.
//
// # Keys
//
// Inside a shard the first byte of a key is its kind. Integers are big endian;
// enc is item.AppendKey, whose byte order is DynamoDB's order and which
// delimits itself.
//
//	'i' table:4 token:8 enc(hash) [enc(range)]                          item
//	'l' table:4 index:2 token:8 enc(hash) enc(index range) enc(range)   local index entry
//	'g' table:4 index:2 token:8 enc(index hash)... enc(index range)...
//	    enc(hash) [enc(range)]                                          global index entry
//	'o' shard:2 sequence:6 part:2                                       outbox: index changes for another shard
//	'r' shard:2                                                         inbox: position reached in that shard's outbox
//	't' table:4                                                         schema this shard judges writes by
//	'n' table:4 index:2                                                 counts (index 0: the table's)
//	'e' table:4 seconds:8 (item key behind its table)                   items by time to live
//	's' table:4 stream:4 sequence:8 sub:2                               stream record
//	'u' table:4 stream:4                                                how far a stream is trimmed
//	'p' transaction:16 number:2                                         intent: what a prepared transaction will write
//	'k' (item key)                                                      lock: the transaction that holds an item
//	'x' transaction:16                                                  ledger: a transaction decided to commit
//	'q' token:32, 'y' milliseconds:8 token:32                           idempotency token, and the same by time
//	'c' 't' table:4, 'c' 's' table:4 stream:4, 'c' 'n'                  catalog: tables, streams, next table id (shard 0)
//	'm' 'a'                                                             sequence of the last applied command
//
// Items and entries are stored as a format byte, the version of the item
// (uvarint, see below) and the item in package item's stored form. An entry
// holds the projected attributes, always with all keys.
//
// Table ids are never used twice, so bytes of a dropped table cannot show up in
// a new one of the same name, however late they are removed.
//
// # Writes
//
// A command is an entry of a shard's log, and replica.apply is the only place
// where a shard's bytes change: it takes a batch of commands, lets each stage
// its mutations against what the ones before left, and commits them in one
// Badger transaction together with counts and the applied sequence. Commands
// depend on nothing but the log and the bytes: no clock, no randomness, no map
// order. The sequence of the command that wrote an item is the item's version.
//
// On a single node a pipeline is the log: whoever proposes first leads and
// applies what has queued up, which is group commit without a writer goroutine. In
// a cluster the log is replicated by raft, and a command's index in it is its
// sequence.
//
// The path of one write: DB.Write finds the shard by token, proposes a
// writeCommand, whose apply reads the stored item, evaluates condition and
// update (evaluate, a pure function), and stages the new item and its index
// changes. When Write returns, the commit is as durable as Options.Sync says.
//
// # Indexes
//
// Local entries have the token of their item and change in the same
// transaction. Global entries have a token of their own. Those that fall on
// the item's shard are staged beside it; the others go to the outbox, which
// commits with the item, and the shard's propagator carries them over in
// order. The receiving shard records the position with what it applied, so
// each change takes effect exactly once whenever a crash interrupts, and the
// changes of one item arrive in the order of its versions. With GSISync, the
// default, a write is acknowledged when its entries are visible.
//
// An index added to a table with data is in every shard's schema, through the
// log, before its backfill starts: later writes maintain it, and the backfill
// adds, again through the log, what was there before.
//
// Verify checks all of this from outside, Repair rebuilds indexes, expiry
// records and counts from the items.
//
// # Transactions, streams, expiry
//
// A transaction on one shard is one command; on several it is two-phase commit
// with presumed abort, told in transaction.go. Locks are never waited for. One
// that is too large for a commit takes the two phases on one shard as well.
//
// A stream record is committed with the change it tells of, so a stream is
// exactly the history of the items. A table's records lie in the shards of its
// items: a stream has as many parts as there are shards.
//
// Items with a time to live are also ordered by expiry, so that the sweeper
// reads only what is due. It proposes deletions like any client; the log
// decides, at the time the sweeper stamped, whether an item is still due. The
// same sweeper trims streams and forgets idempotency tokens, all by DB.Now,
// which tests may move ahead.
//
// # Failure
//
// The death of the process loses nothing, and what took several commands is
// finished at the next start, before anything is served or as a job: outboxes
// are emptied, transactions resolved, schemas installed, indexes built, dropped
// tables purged. Close waits for what is under way (lifecycle.go).
//
// On a full disk a command is refused and nothing of it is there; one that
// finishes something begun waits for space instead (DB.insist). Any other error
// of that kind ends all writes until a restart (DB.fail), since nobody could say
// what is missing.
//
// A power cut loses nothing with Sync. Without, each shard loses its own last
// moments, so what spans shards may be torn: global index entries and items, the
// parts of a transaction. The start notices and logs a shard that knows more of
// an outbox than its source (reconcileSequences), and removes tables that the
// catalog has forgotten (adoptTables); Verify finds the rest and Repair rebuilds
// the indexes.
//
// # Reads
//
// Get and Read name their consistency. They use one Badger snapshot of each
// shard and never wait for writers. On a single node every read sees all
// acknowledged writes.
//
// # Cluster
//
// With Options.Cluster the DB is a node. What it knows of a shard is behind two
// interfaces: shardLog, where commands are proposed, and snapshot, which reads see.
// Everything above them is the same code on a single node and in a cluster.
//
// Each shard, and the catalog, is a raft group (package replication); group is its
// state machine, and replica.apply the one way it changes. All groups of a node
// share one write-ahead log (package wal). Badger is not fsynced for each commit: a
// replica's applied sequence is committed with what it applied, and the log replays
// the rest. A replica that is too far behind gets a snapshot.
//
// A command goes to the leader of its shard, wherever that is (route). It is sent
// again only if it certainly was not and never will be applied: the leader says so,
// or an entry of a higher term was applied first. An outcome that nobody can tell is
// ErrOutcomeUnknown. What finishes something begun may be done twice and is
// repeated until it is done (DB.insist).
//
// Strong reads go to the leader, which has a majority confirm it (ReadIndex) and
// waits until it has applied what was committed before. Eventual reads are served
// by the replica that a ReadPolicy chooses, as a rule the nearest. A Probe in a
// request's context may choose another policy, and learns which replicas answered
// and how recent they were.
//
// Every node has a replica of the catalog: tables, members, and where shards are
// (topology). Only the catalog's leader changes tables, the other nodes forward to it
// whole requests; a change is pending in the catalog until every shard has installed
// it, so a new leader can finish it. A table that a node does not know is looked for
// once more after catching up with the catalog's leader.
//
// The leader of a shard carries its outbox, sweeps it, and finishes transactions
// whose coordinator is lost (resolve.go). Positions and ledger lie in the shards, so
// a new leader goes on where the old one stopped, and two that believe to lead for a
// moment do nothing twice.
//
// # Placement of replicas
//
// The catalog's leader looks after the cluster (overseer). It asks every node what
// its replicas are, hands that to package placement, and carries the steps out that
// come back: it names new hosts in the catalog, and sends each change of members or
// leader to the node that leads the group (steps.go). It keeps nothing that its
// successor could not ask for, and a step names the configuration it was decided
// on, so two leaders of the catalog cannot add up to a third plan. What operators
// want (operate.go) is in the catalog and enters the plans from there.
//
// Three sets are always ordered: the members of a group are among the hosts that the
// catalog names, and every host has a replica or is about to make one. A host is
// struck off when the group's leader has told that it is no member. Its node drops
// the replica after it has stopped it and the group's leader has confirmed that
// (replicas.go); a replica that comes back later knows how it voted, and votes again
// when it has got something.
//
// A node that has been silent for ReplaceAfter is dead to the planner. It stays a
// member, and what it still has is of use if it comes back. A data directory draws
// the node's id when it is made, so a wiped disk is another node, which knows nothing
// and has voted for nobody; it takes the place of the one of its name, which is
// removed. A removed node answers ErrRemoved.
//
// # Experiments and checks
//
// With ClusterOptions.Lab a node can be made to misbehave (Lab): its messages, the
// disk under its log, its clock, and, to test checkers, its strong reads.
//
// Whether replicas hold the same bytes is compared while the cluster serves
// (DB.VerifyCluster): a mark in the log makes each of them digest its state after
// the same entry.
//
// Each replica counts its reads and proposals (DB.Counters); nothing else is kept
// for who watches.
//
// # Simulation
//
// The laboratory (package lab) runs nodes on virtual time, one thing after the other.
// simulated.go is what it needs of this package: DB and group as they are, and a World
// in place of goroutines, timers, the network and the disk. So nothing that a command
// or a transaction does may depend on the order of a map.
package partition
