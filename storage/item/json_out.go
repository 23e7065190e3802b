package item

import (
	"encoding/base64"
	"encoding/binary"

	"github.com/go-json-experiment/json/jsontext"
)

// AppendJSON appends v as DynamoDB JSON, for example {"S":"x"}. A nil value
// appends null.
func (v Value) AppendJSON(dst []byte) []byte {
	payload, end := extent(v)
	if end == 0 {
		return append(dst, "null"...)
	}
	return appendValue(dst, Type(v[0]), v[payload:end], 1)
}

// AppendJSON appends it as a JSON object of attribute values, for example
// {"a":{"S":"x"}}, sorted by name. A nil item appends {}.
func (it Item) AppendJSON(dst []byte) []byte {
	_, _, entries := it.header()
	return appendFields(dst, entries, 0)
}

// appendValue appends the value of the given type and payload. The payload of a
// container begins with its count, which it skips.
func appendValue(dst []byte, t Type, payload []byte, level int) []byte {
	switch t {
	case S:
		dst = appendQuoted(append(dst, `{"S":`...), payload)
		return append(dst, '}')
	case N:
		dst = append(append(dst, `{"N":"`...), payload...)
		return append(dst, `"}`...)
	case B:
		dst = appendBase64(append(dst, `{"B":`...), payload)
		return append(dst, '}')
	case BOOL:
		if payload[0] != 0 {
			return append(dst, `{"BOOL":true}`...)
		}
		return append(dst, `{"BOOL":false}`...)
	case NULL:
		return append(dst, `{"NULL":true}`...)
	}
	_, w := uvarint(payload)
	entries := payload[w:]
	switch t {
	case M:
		dst = appendFields(append(dst, `{"M":`...), entries, level)
	case L:
		dst = appendElements(append(dst, `{"L":`...), entries, level)
	case SS:
		dst = appendMembers(append(dst, `{"SS":`...), entries)
	case NS:
		dst = appendMembers(append(dst, `{"NS":`...), entries)
	default:
		dst = appendMembers(append(dst, `{"BS":`...), entries)
	}
	return append(dst, '}')
}

func appendFields(dst, entries []byte, level int) []byte {
	dst = append(dst, '{')
	for first := true; len(entries) > 0 && level <= maxRecursion; first = false {
		n, w := uvarint(entries)
		if w == 0 || n > len(entries)-w {
			break
		}
		name, rest := entries[w:w+n], entries[w+n:]
		payload, end := extent(rest)
		if end == 0 {
			break
		}
		if !first {
			dst = append(dst, ',')
		}
		dst = append(appendQuoted(dst, name), ':')
		dst = appendValue(dst, Type(rest[0]), rest[payload:end], level+1)
		entries = rest[end:]
	}
	return append(dst, '}')
}

func appendElements(dst, entries []byte, level int) []byte {
	dst = append(dst, '[')
	for first := true; level <= maxRecursion; first = false {
		payload, end := extent(entries)
		if end == 0 {
			break
		}
		if !first {
			dst = append(dst, ',')
		}
		dst = appendValue(dst, Type(entries[0]), entries[payload:end], level+1)
		entries = entries[end:]
	}
	return append(dst, ']')
}

func appendMembers(dst, entries []byte) []byte {
	dst = append(dst, '[')
	for first := true; ; first = false {
		payload, end := extent(entries)
		if end == 0 {
			return append(dst, ']')
		}
		if !first {
			dst = append(dst, ',')
		}
		switch member := entries[payload:end]; Type(entries[0]) {
		case B:
			dst = appendBase64(dst, member)
		default:
			dst = appendQuoted(dst, member)
		}
		entries = entries[end:]
	}
}

func appendBase64(dst, b []byte) []byte {
	dst = base64.StdEncoding.AppendEncode(append(dst, '"'), b)
	return append(dst, '"')
}

// appendQuoted appends a JSON string. Text that is ASCII without anything to
// escape, which is nearly all there is, is copied as it stands.
func appendQuoted(dst, text []byte) []byte {
	if isPlainASCII(text) {
		return append(append(append(dst, '"'), text...), '"')
	}
	dst, _ = jsontext.AppendQuote(dst, text) // fails only on invalid UTF-8, having replaced it
	return dst
}

// isPlainASCII reports whether text can stand in a JSON string unchanged. It
// looks at eight bytes at a time.
func isPlainASCII(text []byte) bool {
	for len(text) >= 8 {
		if special(binary.LittleEndian.Uint64(text)) != 0 {
			return false
		}
		text = text[8:]
	}
	for _, c := range text {
		if c < ' ' || c >= 0x80 || c == '"' || c == '\\' {
			return false
		}
	}
	return true
}

// special returns nonzero if one of the eight bytes of x is below 0x20, above
// 0x7F, a quote or a backslash. As long as no byte is above 0x7F, subtracting
// c from each sets the high bit of just those below c, give or take borrows
// which only follow a byte that is special itself.
func special(x uint64) uint64 {
	const ones = 0x0101010101010101
	const high = ones << 7
	control := x - ones*' '
	quote := (x ^ ones*'"') - ones
	backslash := (x ^ ones*'\\') - ones
	return (x | control | quote | backslash) & high
}
