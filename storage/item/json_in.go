package item

import (
	"bytes"
	"sync"

	"github.com/go-json-experiment/json/jsontext"
)

// DecodeValue reads one AttributeValue, such as {"S":"x"}, at d's position and
// returns it in stored form. JSON null gives a nil Value.
//
// There are two kinds of faults. err means that the request cannot be read: a
// *TypeError, ErrNestingLimit, or d's own syntax error; d's position is
// undefined then. invalid is the first fault of a value that was read but that
// DynamoDB refuses; reading goes on after it, so that err is found wherever it
// is, and v is nil.
//
// The decoder must allow duplicate names (of which the last wins) and must not
// allow invalid UTF-8.
func DecodeValue(d *jsontext.Decoder) (v Value, invalid *ValueError, err error) {
	in := getDecoder(d)
	defer in.release()
	if _, err = in.attributeValue(1, false); err != nil {
		return nil, nil, err
	}
	if in.invalid != nil {
		return nil, in.invalid, nil
	}
	if len(in.buf) == 0 {
		return nil, nil, nil
	}
	return bytes.Clone(in.buf), nil, nil
}

// DecodeItem reads a map of attribute values, such as {"a":{"S":"x"}}, at d's
// position. JSON null gives a nil Item; attributes that are null are left out.
// Faults are as for [DecodeValue].
func DecodeItem(d *jsontext.Decoder) (it Item, invalid *ValueError, err error) {
	in := getDecoder(d)
	defer in.release()
	count, size, present, err := in.fields(1)
	switch {
	case err != nil:
		return nil, nil, err
	case in.invalid != nil:
		return nil, in.invalid, nil
	case !present:
		return nil, nil, nil
	}
	return assembleItem(size, count, in.buf), nil, nil
}

// decoder turns JSON into stored form in one pass: every value is appended to
// buf as it is read, and containers are put into canonical order when they end.
type decoder struct {
	arranger
	in      *jsontext.Decoder
	text    []byte      // a string without its escapes
	invalid *ValueError // the first soft fault
}

var decoders = sync.Pool{New: func() any { return new(decoder) }}

func getDecoder(in *jsontext.Decoder) *decoder {
	d := decoders.Get().(*decoder)
	d.in = in
	return d
}

func (d *decoder) release() {
	if d.oversized() || cap(d.text) > maxKept {
		return
	}
	d.reset()
	d.in, d.text, d.invalid = nil, d.text[:0], nil
	decoders.Put(d)
}

func (d *decoder) fault(f *ValueError) {
	if d.invalid == nil {
		d.invalid = f
	}
}

// fields reads an object of attribute values and appends its entries, arranged.
// Level is that of the values. Present is false for null.
func (d *decoder) fields(level int) (count, size int, present bool, err error) {
	if present, err = d.begin(ShapeMap, '{', false); !present {
		return 0, 0, false, err
	}
	base, body := len(d.spans), len(d.buf)
	for {
		if d.in.PeekKind() == '}' {
			_, err = d.in.ReadToken()
			count, size = d.arrangeFields(base, body)
			return count, size, true, err
		}
		name, err := d.str()
		if err != nil {
			return 0, 0, true, err
		}
		if level == 1 {
			switch n := len(name); {
			case n == 0:
				d.fault(&ValueError{Kind: EmptyName})
			case n > MaxNameSize:
				d.fault(&ValueError{Kind: LongName})
			}
		}
		s := openField(&d.arranger, name)
		valueSize, err := d.attributeValue(level, true)
		if err != nil {
			return 0, 0, true, err
		}
		d.closeField(s, valueSize)
	}
}

// attributeValue reads one AttributeValue and appends its stored form, or
// nothing if it is null or has no type. Element says where it stands, see
// [TypeError].
func (d *decoder) attributeValue(level int, element bool) (size int, err error) {
	if level > maxRecursion {
		return 0, ErrNestingLimit
	}
	if present, err := d.begin(ShapeAttributeValue, '{', element); !present {
		return 0, err
	}
	if level > MaxDepth {
		d.fault(&ValueError{Kind: TooDeep})
	}
	earlier := d.invalid
	var numberFault *ValueError
	var seen Type
	several := false
	start := len(d.buf)
	for d.in.PeekKind() != '}' {
		t, err := d.typeTag()
		if err != nil {
			return 0, err
		}
		if t == 0 {
			if err := d.in.SkipValue(); err != nil {
				return 0, err
			}
			continue
		}
		kept := len(d.buf)
		memberSize, present, fault, err := d.member(t, level)
		if err != nil {
			return 0, err
		}
		if !present {
			continue
		}
		if seen != 0 { // the last member wins
			several = several || seen != t
			d.buf = append(d.buf[:start], d.buf[kept:]...)
		}
		seen, size = t, memberSize
		if fault != nil {
			d.fault(fault)
			if numberFault == nil && (t == N || t == NS) && fault.Type == N {
				numberFault = fault
			}
		}
	}
	if _, err := d.in.ReadToken(); err != nil {
		return 0, err
	}
	// The service judges a value's numbers first, then the number of types,
	// then the rest.
	if earlier == nil {
		switch {
		case numberFault != nil:
			d.invalid = numberFault
		case several:
			d.invalid = &ValueError{Kind: MoreThanOneType}
		}
	}
	if seen == 0 {
		d.fault(&ValueError{Kind: NoType})
	}
	return size, nil
}

// typeTag reads a member name of an AttributeValue; it is 0 for one that names
// no type.
func (d *decoder) typeTag() (Type, error) {
	quoted, err := d.in.ReadValue()
	if err != nil {
		return 0, err
	}
	if len(quoted) == len(`"S"`) {
		switch quoted[1] {
		case 'S':
			return S, nil
		case 'N':
			return N, nil
		case 'B':
			return B, nil
		case 'M':
			return M, nil
		case 'L':
			return L, nil
		}
		return 0, nil
	}
	name, err := d.unquote(quoted)
	if err != nil {
		return 0, err
	}
	t, _ := ParseType(string(name))
	return t, nil
}

// member reads the value of the type member t and appends its stored form.
// Present is false for null. After a fault, what has been appended is well
// formed but not the value.
func (d *decoder) member(t Type, level int) (size int, present bool, fault *ValueError, err error) {
	switch t {
	case S, N, B:
		start := len(d.buf)
		if present, fault, err = d.scalar(t, false); present && fault == nil {
			size = Value(d.buf[start:]).Size()
		}
	case BOOL:
		var b bool
		if b, present, err = d.boolean(); present {
			size, d.buf = 1, append(d.buf, Bool(b)...)
		}
	case NULL:
		var b bool
		if b, present, err = d.boolean(); present {
			size, d.buf = 1, append(d.buf, byte(NULL))
			if !b {
				fault = &ValueError{Kind: NullFalse, Type: NULL}
			}
		}
	case M:
		start := len(d.buf)
		var count, entries int
		d.buf, _ = beginContainer(d.buf, M)
		if count, entries, present, err = d.fields(level + 1); !present || err != nil {
			d.buf = d.buf[:start]
			break
		}
		d.buf = endContainer(d.buf, start, count)
		size = containerOverhead + count*elementOverhead + entries
	case L:
		size, present, err = d.list(level)
	default:
		size, present, fault, err = d.set(t)
	}
	return size, present, fault, err
}
