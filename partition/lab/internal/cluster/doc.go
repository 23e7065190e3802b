// Package cluster is a cluster on virtual time: the laboratory's subject.
//
// What decides about data is what runs elsewhere: raft as package replication sets
// it up, and package partition's commands, apply, transactions, outbox and recovery.
// Simulated are the network, the disks under the logs, the clocks, the way a request
// takes to a leader or a replica, and the moments at which followers lose patience.
//
// # What differs
//
//   - Raft draws its election timeouts from a source that no seed controls. So only
//     leaders are ticked; followers count for themselves, forget their leader after
//     the same number of ticks after which raft would grant votes again, and stand
//     for election after a time drawn from the same range.
//   - Logs are never cut, so there are no snapshots. Replicas do not move.
//   - A crash is a power cut: a log keeps what was synced, and the state machine is
//     built again from it.
//   - Links keep the order of raft's messages, as connections do. What is lost, is
//     lost for good: a call whose request or answer was lost ends with its time.
//
// A Cluster and its clients are used by the events and processes of one
// virtual.World, so nothing here is locked.
package cluster
