package item

import (
	"encoding/base64"
	"encoding/binary"

	"github.com/go-json-experiment/json/jsontext"
)

// AppendJSON appends v as DynamoDB JSON, for example {"S":"x"}. A nil value
// appends null.
func (v Value) AppendJSON(dst []byte) []byte { return v.appendJSON(dst, 1) }

func (v Value) appendJSON(dst []byte, level int) []byte {
	switch v.Type() {
	case S:
		dst = appendQuoted(append(dst, `{"S":`...), v.Bytes())
	case N:
		dst = appendPlainQuoted(append(dst, `{"N":`...), v.Bytes())
	case B:
		dst = appendBase64(append(dst, `{"B":`...), v.Bytes())
	case BOOL:
		if v.Bool() {
			return append(dst, `{"BOOL":true}`...)
		}
		return append(dst, `{"BOOL":false}`...)
	case NULL:
		return append(dst, `{"NULL":true}`...)
	case M:
		_, entries := v.contents()
		dst = appendFields(append(dst, `{"M":`...), entries, level)
	case L:
		dst = v.appendElements(append(dst, `{"L":[`...), level)
	case SS:
		dst = v.appendElements(append(dst, `{"SS":[`...), level)
	case NS:
		dst = v.appendElements(append(dst, `{"NS":[`...), level)
	case BS:
		dst = v.appendElements(append(dst, `{"BS":[`...), level)
	default:
		return append(dst, "null"...)
	}
	return append(dst, '}')
}

// AppendJSON appends it as a JSON object of attribute values, for example
// {"a":{"S":"x"}}, sorted by name. A nil item appends {}.
func (it Item) AppendJSON(dst []byte) []byte {
	_, _, entries := it.header()
	return appendFields(dst, entries, 0)
}

func appendFields(dst, entries []byte, level int) []byte {
	dst = append(dst, '{')
	for first := true; len(entries) > 0 && level <= maxRecursion; first = false {
		name, rest := cutName(entries)
		v, rest := cutValue(rest)
		if v == nil {
			break
		}
		if !first {
			dst = append(dst, ',')
		}
		dst = append(appendQuoted(dst, name), ':')
		dst = v.appendJSON(dst, level+1)
		entries = rest
	}
	return append(dst, '}')
}

func (v Value) appendElements(dst []byte, level int) []byte {
	set := v.Type().isSet()
	_, entries := v.contents()
	for first := true; level <= maxRecursion; first = false {
		var e Value
		if e, entries = cutValue(entries); e == nil {
			break
		}
		if !first {
			dst = append(dst, ',')
		}
		switch {
		case !set:
			dst = e.appendJSON(dst, level+1)
		case e.Type() == S:
			dst = appendQuoted(dst, e.Bytes())
		case e.Type() == N:
			dst = appendPlainQuoted(dst, e.Bytes())
		default:
			dst = appendBase64(dst, e.Bytes())
		}
	}
	return append(dst, ']')
}

func appendBase64(dst, b []byte) []byte {
	dst = base64.StdEncoding.AppendEncode(append(dst, '"'), b)
	return append(dst, '"')
}

func appendPlainQuoted(dst, text []byte) []byte {
	return append(append(append(dst, '"'), text...), '"')
}

// appendQuoted appends a JSON string. Text that is ASCII without anything to
// escape, which is nearly all there is, is copied as it stands.
func appendQuoted(dst, text []byte) []byte {
	if isPlainASCII(text) {
		return appendPlainQuoted(dst, text)
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
