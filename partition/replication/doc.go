// Package replication runs the raft groups of a node. Each group is a RawNode of
// go.etcd.io/raft; a Runtime drives all of them with a few goroutines, one
// write-ahead log (package wal) and one batch of messages for each peer.
//
// What a group replicates is a StateMachine. How bytes get to other nodes is a
// Transport. Which groups exist and who their members are is decided above.
//
// # The path of a proposal
//
//  1. Propose puts the bytes into the group's mailbox and wakes the scheduler. A
//     worker takes the group and hands raft everything that has gathered there as
//     one message, so that concurrent proposals travel together. Propose returns
//     the term.
//  2. Raft asks for two things at once: messages to the followers, which go into
//     the worker's outbox and leave in one batch for each peer, and an append to
//     the log, which goes to the appender.
//  3. The appender is one goroutine. While it waits for a sync, requests of all
//     groups gather, and share the next one. When they are durable, it delivers
//     what was waiting for that: acknowledgements to leaders, and the leader's
//     own vote for its entries.
//  4. Committed entries go to a goroutine that applies, of which there are as
//     many as groups with something to apply, so that a state machine that blocks
//     blocks nobody else.
//
// A read on the leader (ReadIndex) takes the same way up to step 2, with a
// heartbeat in place of the entries, and waits for the state machine then. Readers
// that come while a round is on its way wait for the next, which they share.
//
// # What a caller may rely on
//
//   - The state machines of a group are given the same entries in the same order.
//   - An entry that any of them was given is on the disks of a majority.
//   - A term has one leader. Entries' terms only grow along the log. Hence a
//     proposal that was accepted in term t, and is not among the entries of up to
//     that term when an entry of a higher one is applied, is never applied: it may
//     be proposed again.
//   - When ReadIndex returns, everything that any leader had acknowledged before
//     the call has been applied.
//
// # Rules inside
//
//   - A group is driven by one worker at a time, and given back to the scheduler
//     only after its messages have been sent: they cannot overtake each other.
//     (Acknowledgements leave from the appender; raft does not mind.)
//   - group.mu is held while raft works and never while anybody waits for the
//     disk, the network or a state machine. So a slow disk delays
//     acknowledgements, but no heartbeats.
//   - A state machine is used by whoever holds its group's apply.lock.
//   - A change of members is in the log's memory (wal.Write.ConfState) before the
//     state machine is given its entry. So after a crash, the configuration is that
//     of the applied index or of a later one, and entries up to its index do not
//     change it again.
//   - The commit index is not synced. After a crash, it is raised to what the
//     state machine has applied: that was committed, and was in the local log
//     before.
//   - The log is cut up to an index only after StateMachine.Sync covered it.
//   - A snapshot replaces the state machine before raft and the log hear of it,
//     see Runtime.ReceiveSnapshot.
//   - A peer is not sent the same large append twice within a moment, however often
//     raft asks for it (group.repeats).
//   - All queues are bounded: proposals by Config.MaxInFlight for each group,
//     appends by Config.MaxPending, messages by constants, what is being applied by
//     raft. Beyond the bounds, proposals are refused and messages dropped.
//
// # Failures
//
// On a full disk, appends are tried again and again. Meanwhile this node
// acknowledges nothing, refuses proposals and hands its leaderships over. A log
// that has failed otherwise, above all one that could not be synced, ends this
// node's part in all groups at once (Config.Fatal). A state machine that fails
// ends the group on this node, after its leadership was handed over; so does a
// panic of raft, which means that log or peers contradict what is possible.
//
// # Time
//
// One ticker drives all groups, so heartbeats of all groups to a peer leave in one
// batch. On a 2-core machine, 17 idle groups on three nodes together take 1 % of a
// core, so groups do not quiesce. Everything that waits does so by package time:
// under testing/synctest a cluster runs on virtual time. Raft draws its election
// timeouts from crypto/rand.
//
// # Formats
//
//	batch    version byte 1, message*
//	message  group uvarint, type byte, fields byte, of which are present:
//	         0 term, 1 log term, 2 index, 3 commit, 4 reject hint uvarints,
//	         5 context (length uvarint, bytes), 6 entries (count uvarint, entry*),
//	         7 is set if the message rejects
//	entry    term uvarint, type byte, length uvarint, data; indexes follow message's
//
// The index of a heartbeat is what the leader has committed: by it a follower knows
// how recent its state is (Runtime.Freshness).
//
// snapshot.go draws the header of a snapshot.
package replication
