// Package replication runs the raft groups of a node: etcd's raft, one RawNode a
// group, driven by a few goroutines for all of them.
package replication
