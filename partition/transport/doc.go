// Package transport connects the nodes of a cluster: batches of messages, calls
// with an answer, streams of bytes and gossip, all over one port.
//
// # Connections
//
// A node listens at one TCP address, and for packets of gossip at the UDP port
// of the same number. Every connection serves one purpose and is made by the
// node that has something to send: to each peer one for messages, one for calls
// (requests one way, responses back), one for each stream, and what gossip
// dials. So bulk data never delays messages, and a response never waits for a
// request in the other direction.
//
// A connection begins, inside TLS if that is used, with a preamble in which the
// dialling node says who it is and what it wants, and an answer: accepted, or
// refused and why. Both sides log the reason, once for each peer and reason
// until it goes away. Refused are: another cluster's nodes; nodes whose protocol
// is too old or too new; nodes that look for somebody else at this address;
// nodes with this node's own id; and, as long as either side has no cluster
// yet, everything but gossip and calls of Options.OpenMethods.
//
// # Formats
//
// Integers are little endian, checksums CRC-32C over all bytes before them
// (preamble, answer) or behind them (frames).
//
//	preamble  "STTR" format:1 kind:1 sub:1 0 version:4 minimum:4 cluster:16 from:8 to:8 length:1 name checksum:4
//	answer    "STTR" format:1 verdict:1 0 0 version:4 minimum:4 cluster:16 from:8 length:1 name length:2 reason checksum:4
//	frame     length:4 checksum:4 type:1 body              length counts type and body
//	  message    body
//	  request    id:8 method:1 timeout:4 body              milliseconds left, 0: no deadline
//	  response   id:8 body
//	  error      id:8 code:1 text
//	  unhandled  id:8 text                                 the call was not and will not be handled
//	  ping, pong id:8
//	  void       anything                                  a request withdrawn before it was sent
//	  data       bytes                                     of a stream
//	  end                                                  of one direction of a stream
//	  abort      code:1 text                               end of both directions by an error
//	packet    "SG" format:1 0 cluster:16 packet
//
// # Calls
//
// A call is a frame in a buffer that the connection's writer takes as a whole,
// so that one write carries the frames of many callers, and a frame back. Its
// outcome must never be guessed: see Interface.Call for the three ends it can
// take, and callConn for how they are told apart.
//
// Measured on 2 cores, both sides in one process, requests and responses of 300
// bytes (BenchmarkCall): 56,000 calls a second by one caller, 370,000 to 570,000
// by 64, which is about 2 microseconds of processor time a call for both sides
// together, system calls included; 450 MB/s of messages of 1 KB (BenchmarkSend).
// Three idle nodes with gossip take 0.3 % of a core together.
//
// # Faults
//
// Faults spoil what a node sends by rules, from a seed: for tests, and for the
// laboratory. They sit in front of the sockets, so a Network in memory and real
// nodes behave alike.
package transport
