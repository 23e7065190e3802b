package expression

import (
	"encoding/binary"
	"errors"

	"github.com/stator-db/stator/storage/item"
)

// Bound expressions have a binary form, in which they travel to where they are
// evaluated, perhaps by another version of this package. A condition is a
// format byte and a predicate; an update is a format byte, a flag (1 for one of
// NewLegacyUpdate), the number of actions, and the actions. Numbers are
// uvarints.
//
//	predicate  tag, and what it is made of in the order of its fields; the terms
//	           of OR and AND and the values of IN have their number in front
//	operand    tag | 0x80 for its size, and the path, value or predicate it is
//	path       number of steps; each is its index * 2 + 1, or the length of its
//	           name * 2 and the name
//	value      length, and the stored form of package item
//	action     verb, target, and unless it removes the value to assign
//	set value  tag, and what it is made of
//
// A tag is never given another meaning. The tree of targets and the list of
// paths follow from the rest and are not written.
const encodingFormat = 1

// ErrEncoding means that bytes are not an encoded expression, or one of another
// format.
var ErrEncoding = errors.New("malformed encoded expression")

// maxEncodedDepth bounds how deep predicates and set values nest in each other.
// No text of any language here is as long.
const maxEncodedDepth = 1 << 13

// Tags of predicates.
const (
	tagDisjunction = iota + 1
	tagConjunction
	tagNegation
	tagComparison
	tagDifference
	tagBetween
	tagMembership
	tagAttributeExists
	tagAttributeNotExists
	tagAttributeType
	tagBeginsWith
	tagContains
)

// Tags of operands.
const (
	tagNothing = iota
	tagOperandPath
	tagOperandValue
	tagOperandTruth

	flagSizeOf = 0x80
)

// Tags of set values.
const (
	tagLiteral = iota + 1
	tagPath
	tagIfNotExists
	tagListAppend
	tagAdd
	tagSubtract
)

// AppendBinary appends the binary form of c.
func (c *Condition) AppendBinary(dst []byte) []byte {
	return c.root.encode(append(dst, encodingFormat))
}

// AppendBinary appends the binary form of u.
func (u *Update) AppendBinary(dst []byte) []byte {
	var legacy byte
	if u.legacy {
		legacy = 1
	}
	dst = append(dst, encodingFormat, legacy)
	dst = binary.AppendUvarint(dst, uint64(len(u.actions)))
	for i, a := range u.actions {
		dst = u.targets[i].encode(append(dst, byte(a.verb)))
		if a.verb != verbRemove {
			dst = a.value.encode(dst)
		}
	}
	return dst
}

func (p Path) encode(dst []byte) []byte {
	dst = binary.AppendUvarint(dst, uint64(len(p)))
	for _, s := range p {
		if s.IsIndex {
			dst = binary.AppendUvarint(dst, uint64(s.Index)<<1|1)
			continue
		}
		dst = binary.AppendUvarint(dst, uint64(len(s.Name))<<1)
		dst = append(dst, s.Name...)
	}
	return dst
}

func encodeValue(dst []byte, v item.Value) []byte {
	return append(binary.AppendUvarint(dst, uint64(len(v))), v...)
}

func (o *operand) encode(dst []byte) []byte {
	var size byte
	if o.sizeOf {
		size = flagSizeOf
	}
	switch {
	case o.truth != nil:
		return o.truth.encode(append(dst, tagOperandTruth|size))
	case o.path != nil:
		return o.path.encode(append(dst, tagOperandPath|size))
	case o.value != nil:
		return encodeValue(append(dst, tagOperandValue|size), o.value)
	}
	return append(dst, tagNothing|size)
}

func encodeTerms(dst []byte, terms []predicate) []byte {
	dst = binary.AppendUvarint(dst, uint64(len(terms)))
	for _, t := range terms {
		dst = t.encode(dst)
	}
	return dst
}

func (d disjunction) encode(dst []byte) []byte { return encodeTerms(append(dst, tagDisjunction), d) }

func (c conjunction) encode(dst []byte) []byte { return encodeTerms(append(dst, tagConjunction), c) }

func (n negation) encode(dst []byte) []byte { return n.of.encode(append(dst, tagNegation)) }

func (c *comparison) encode(dst []byte) []byte {
	dst = c.left.encode(append(dst, tagComparison, byte(c.operator)))
	return c.right.encode(dst)
}

func (d *difference) encode(dst []byte) []byte {
	return d.right.encode(d.left.encode(append(dst, tagDifference)))
}

func (b *between) encode(dst []byte) []byte {
	dst = b.of.encode(append(dst, tagBetween))
	return b.high.encode(b.low.encode(dst))
}

func (m *membership) encode(dst []byte) []byte {
	dst = m.of.encode(append(dst, tagMembership))
	dst = binary.AppendUvarint(dst, uint64(len(m.among)))
	for i := range m.among {
		dst = m.among[i].encode(dst)
	}
	return dst
}

func (a attributeExists) encode(dst []byte) []byte {
	return a.path.encode(append(dst, tagAttributeExists))
}

func (a attributeNotExists) encode(dst []byte) []byte {
	return a.path.encode(append(dst, tagAttributeNotExists))
}

func (a *attributeType) encode(dst []byte) []byte {
	return append(a.path.encode(append(dst, tagAttributeType)), byte(a.is))
}

func (b *beginsWith) encode(dst []byte) []byte {
	return b.prefix.encode(b.of.encode(append(dst, tagBeginsWith)))
}

func (c *contains) encode(dst []byte) []byte {
	return c.part.encode(c.of.encode(append(dst, tagContains)))
}

func (v literalValue) encode(dst []byte) []byte {
	return encodeValue(append(dst, tagLiteral), item.Value(v))
}

func (v pathValue) encode(dst []byte) []byte { return Path(v).encode(append(dst, tagPath)) }

func (v *ifNotExists) encode(dst []byte) []byte {
	return v.fallback.encode(v.path.encode(append(dst, tagIfNotExists)))
}

func (v *listAppend) encode(dst []byte) []byte {
	return v.second.encode(v.first.encode(append(dst, tagListAppend)))
}

func (v *sum) encode(dst []byte) []byte {
	var tag byte = tagAdd
	if v.subtract {
		tag = tagSubtract
	}
	return v.right.encode(v.left.encode(append(dst, tag)))
}
