package item

import (
	"bytes"
	"fmt"
	"unicode/utf8"
)

// Valid checks that it is a whole item exactly as this package writes it:
// structure, canonical order and spelling, sizes, nesting. The error wraps
// ErrCorrupt. It reads every byte, so it is meant for verification, not for
// each read.
func Valid(it []byte) error {
	if len(it) == 0 {
		return fmt.Errorf("%w: no bytes", ErrCorrupt)
	}
	if it[0] != formatVersion {
		return fmt.Errorf("%w: unknown version %d", ErrCorrupt, it[0])
	}
	stated, rest, err := checkUvarint(it[1:])
	if err != nil {
		return err
	}
	count, rest, err := checkUvarint(rest)
	if err != nil {
		return err
	}
	size, err := checkFields(rest, count, 1)
	if err != nil {
		return err
	}
	if size != stated {
		return fmt.Errorf("%w: size %d, stated as %d", ErrCorrupt, size, stated)
	}
	return nil
}

// checkUvarint also refuses counts written with more bytes than needed.
func checkUvarint(b []byte) (n int, rest []byte, err error) {
	n, w := uvarint(b)
	if w == 0 || w != uvarintWidth(n) {
		return 0, nil, fmt.Errorf("%w: malformed count", ErrCorrupt)
	}
	return n, b[w:], nil
}

// checkFields checks the entries of a map, or of an item when level is 1, and
// returns the sum of the sizes of names and values.
func checkFields(entries []byte, count, level int) (size int, err error) {
	var previous []byte
	for i := range count {
		n, rest, err := checkUvarint(entries)
		if err != nil {
			return 0, err
		}
		if n > len(rest) {
			return 0, fmt.Errorf("%w: name past the end", ErrCorrupt)
		}
		name := rest[:n]
		switch {
		case n == 0 && level == 1:
			return 0, fmt.Errorf("%w: empty attribute name", ErrCorrupt)
		case i > 0 && bytes.Compare(previous, name) >= 0:
			return 0, fmt.Errorf("%w: names out of order", ErrCorrupt)
		case !utf8.Valid(name):
			return 0, fmt.Errorf("%w: name is not UTF-8", ErrCorrupt)
		}
		var v Value
		if v, entries, err = checkValue(rest[n:], level); err != nil {
			return 0, err
		}
		size += n + v.Size()
		previous = name
	}
	if len(entries) > 0 {
		return 0, fmt.Errorf("%w: %d bytes after the last entry", ErrCorrupt, len(entries))
	}
	return size, nil
}

// checkValue checks the value at the start of b and cuts it off.
func checkValue(b []byte, level int) (v Value, rest []byte, err error) {
	v, rest = cutValue(b)
	if v == nil {
		return nil, nil, fmt.Errorf("%w: value of unknown type or past the end", ErrCorrupt)
	}
	if level > MaxDepth {
		return nil, nil, fmt.Errorf("%w: nested too deeply", ErrCorrupt)
	}
	switch t := v.Type(); t {
	case S, N, B:
		err = checkScalar(v)
	case BOOL:
		if v[1] > 1 {
			err = fmt.Errorf("%w: boolean %d", ErrCorrupt, v[1])
		}
	case M, L, SS, NS, BS:
		var count int
		var entries []byte
		if count, entries, err = checkUvarint(v[containerHeader:]); err != nil {
			break
		}
		switch t {
		case M:
			_, err = checkFields(entries, count, level+1)
		case L:
			err = checkElements(entries, count, level+1)
		default:
			err = checkMembers(t, entries, count, level)
		}
	}
	return v, rest, err
}

func checkScalar(v Value) error {
	if _, _, err := checkUvarint(v[1:]); err != nil {
		return err
	}
	switch text := v.Bytes(); v.Type() {
	case S:
		if !utf8.Valid(text) {
			return fmt.Errorf("%w: string is not UTF-8", ErrCorrupt)
		}
	case N:
		n, fault := ParseNumber(text)
		if fault != nil {
			return fmt.Errorf("%w: %w", ErrCorrupt, fault)
		}
		var canonical [maxNumberText]byte
		if !bytes.Equal(n.AppendText(canonical[:0]), text) {
			return fmt.Errorf("%w: number is not canonical", ErrCorrupt)
		}
	}
	return nil
}

func checkElements(entries []byte, count, level int) (err error) {
	for range count {
		if _, entries, err = checkValue(entries, level); err != nil {
			return err
		}
	}
	if len(entries) > 0 {
		return fmt.Errorf("%w: %d bytes after the last element", ErrCorrupt, len(entries))
	}
	return nil
}

func checkMembers(t Type, entries []byte, count, level int) (err error) {
	if count == 0 {
		return fmt.Errorf("%w: empty set", ErrCorrupt)
	}
	var previous, v Value
	for range count {
		if v, entries, err = checkValue(entries, level); err != nil {
			return err
		}
		if v.Type() != t.member() {
			return fmt.Errorf("%w: %v in a set of type %v", ErrCorrupt, v.Type(), t)
		}
		if previous != nil && compareScalars(previous, v) >= 0 {
			return fmt.Errorf("%w: set members out of order", ErrCorrupt)
		}
		previous = v
	}
	if len(entries) > 0 {
		return fmt.Errorf("%w: %d bytes after the last member", ErrCorrupt, len(entries))
	}
	return nil
}
