// Package placement decides which node holds which replica of which shard, and
// which replica leads. It is arithmetic on a description of the cluster: no
// clock, no randomness, no network, nothing kept between calls. Whoever leads
// the catalog calls Plan with what it knows, carries out the steps that come
// back, and calls it again.
//
// # What a good placement is
//
// In this order:
//
//  1. every shard has Factor voters, or as many as there are nodes to keep them;
//  2. the voters of a shard are spread over the zones as far as the nodes
//     allow: the sum of the squared numbers of voters per zone is minimal;
//  3. every node holds its share by weight: no replica can go to another node
//     of the same zone (or of another, where the spread permits it) and leave
//     the load more even;
//  4. every node leads its share of the shards: within one of even for equal
//     weights, where the placement of the voters permits it at all.
//
// Even means that the sum over the nodes of load² / weight cannot be lowered.
// It is the measure because it falls with every single move from a fuller node
// to an emptier one, whatever the others do, so plans made one after the other
// never undo each other, and because the limits of the zones need no shares
// worked out beforehand.
//
// # Moves and steps
//
// Moving a replica takes three changes of a Raft group, each decided from the
// members as they are and not from what an earlier plan wanted:
//
//	voters A B C                    AddLearner D
//	voters A B C   learners D       Promote D
//	voters A B C D                  Remove A, after TransferLeader if A leads
//	voters B C D
//
// In the middle of a move a plan says how it goes on: a learner on a node that
// may keep it is a move under way, and so is a voter too many. Which voter has
// to go is chosen anew from the same facts: one on a node that is leaving, one
// named by an order, one that does not answer, one in a crowded zone, one on
// the fullest node. If the world changed meanwhile, the choice is the right one
// for the world as it is. A plan holds at most one step for a shard. Handing in
// the same state again gives the same steps; a step that failed or was lost is
// proposed again.
//
// Moves under way are always carried on. New ones begin only as far as Limits
// permit, the most urgent first: lost replicas, orders, nodes that are
// decommissioned, spread, balance.
//
// # States of nodes
//
// An Up node takes and leads replicas. A Draining one keeps its replicas but
// leads none and is given no new ones: for a restart. From a Decommissioning
// node the replicas move away, as many at a time as Limits say. Dead means that
// the node is given up: its replicas are made again elsewhere. It is for the
// caller to wait before it says so. Down is separate from the state: the node
// does not answer at the moment. Its replicas count as replicas, but not as
// live ones, and it gets nothing new.
//
// A shard whose replica on a Dead node has no other place to go keeps that
// voter, unless the group is better off without it; the node may yet
// come back with its data. A decommissioned node is let go in any case.
//
// # Never below a quorum
//
// No step is proposed for a group that has no quorum of live voters, for it
// could not be carried out; and none that would leave fewer live voters than a
// quorum of the new set.
package placement
