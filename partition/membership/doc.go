// Package membership knows which nodes there are. Nodes tell each other by
// gossip (memberlist, the SWIM protocol with Lifeguard's refinements) who they
// are, how to reach them and how they fare; a node that does not answer, neither
// to its prober nor to others asked to probe it, is suspected and then counts as
// failed.
//
// On a quiet LAN a failure is known to all after 2 to 3 s, on one machine
// (Options.Fast) within a second.
//
// Gossip is a hint, never the truth: what nodes belong to the cluster is decided
// by the replicated catalog. Members differ for moments between nodes.
//
// # Joining
//
// A node asks the addresses of Options.Join until one has answered. Later it
// keeps asking failed members, and as long as it is alone the addresses again:
// gossip alone would forget the other side of a long network partition for good.
//
// Two nodes do not talk, and both log why, if they have different gossip keys,
// are members of different clusters, have incompatible protocols, or claim the
// same name or id from different addresses while the first one is alive. The
// same name at the same address is a node that was started anew: whatever its
// id, it replaces the former.
//
// # Leaving
//
// A node that leaves says so in its metadata before it goes, since memberlist
// does not tell its delegates a leave from a failure, and in a packet to each
// member, in case the news that it is gone overtakes its metadata: then it counts
// as failed until the packet arrives. A node that only closes counts as failed
// after a while.
//
// # Metadata
//
// What a node tells about itself rides on gossip's packets, in at most 512
// bytes. Integers are little endian.
//
//	format:1 id:8 cluster:16 protocol:4 minimum:4 flags:1 capacity:4 load:4 pid:4
//	length:1 cluster address, length:1 HTTP address, length:1 zone, length:1 version
//
// Flag 1 is draining, 2 leaving. A newer format may append fields; readers ignore
// what follows those they know.
package membership
