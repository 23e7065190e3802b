// Package item is the value model under everything: DynamoDB's attribute values
// and items, in the form in which they are stored.
//
// A [Value] is one attribute value and an [Item] a whole item. Both are
// immutable byte strings in a canonical form that can be read in place: finding
// an attribute, comparing it, or writing it out as JSON looks only at the bytes
// it needs and allocates nothing. There is no decoded form except [Tree], which
// updates below the top level of an item use.
//
// # Paths of a write and a read
//
// A write comes in as JSON. [DecodeItem] and [DecodeValue] turn it into stored
// form in one pass, checking, canonicalising and measuring it on the way. They
// tell hard faults (the request cannot be read) from soft ones (a value that
// DynamoDB refuses, [ValueError]), because the service reports the latter at
// a later point in its order of checks. Expressions then read attributes with
// [Item.Get] and make a changed copy with [Item.With].
//
// A read goes out through [Item.AppendJSON], straight from the stored bytes.
//
// # Stored form of a value
//
//	S, N, B          | tag | length uvarint | payload |
//	BOOL             | tag | 0 or 1 |
//	NULL             | tag |
//	L, SS, NS, BS    | tag | length uint32 | count uvarint | value ... |
//	M                | tag | length uint32 | count uvarint | entry ... |
//
//	entry            | name length uvarint | name | value |
//
// The tag is the [Type]. A payload is the string's UTF-8, the binary's bytes, or
// the number as canonical decimal text. The length of a container is big-endian
// and counts the bytes after it, count included, so that a reader can skip the
// container. A set's members are stored as S, N or B values.
//
// Invariants, which [Valid] checks and which make equality of values equality of
// bytes:
//
//   - numbers are plain decimal: no exponent, no plus sign, no zeros that could
//     be left out, no negative zero;
//   - members of a set are distinct and sorted, SS and BS by bytes, NS by value,
//     and there is at least one;
//   - entries of a map have distinct names and are sorted by the names' bytes;
//   - uvarints (as in encoding/binary) have no needless bytes;
//   - there are at most MaxDepth levels.
//
// # Stored form of an item
//
//	| version 1 | size uvarint | count uvarint | entry ... |
//
// The entries are those of a map, and none has an empty name. Size is the item's
// size by DynamoDB's rules, which is not the number of bytes stored.
//
// Functions that read stored bytes accept any bytes: on damaged ones they return
// nil, zero or what can still be read, and never panic.
//
// # Ordered form of a key
//
// [AppendKey] encodes an S, N or B so that comparing bytes compares values, and
// so that a key ends where it ends, whatever follows.
//
//	S, B      | payload, each 00 written as 00 FF | 00 01 |
//	N > 0     | 81 | exponent + 130 | digit pair + 1 ... | 00 |
//	N = 0     | 80 |
//	N < 0     | 7F | as for N > 0, every bit inverted |
//
// The exponent is the power of ten of the leading digit, from -130 to 125. Digit
// pairs (00 to 99) start at the leading digit; the last one is not 00. A number
// takes at most 22 bytes.
package item
