package item

// MaxDepth is the number of nesting levels a value may have: 31 lists or maps
// around a scalar.
const MaxDepth = 32

// MaxNameSize is the most bytes that the name of an attribute may have. The
// documentation says 64 KB; the service refuses exactly that.
const MaxNameSize = 65535

// containerOverhead is what a list or map costs by itself, and elementOverhead
// what each of its entries costs on top of the name and value.
const (
	containerOverhead = 3
	elementOverhead   = 1
)

// Size returns the value's size in bytes by DynamoDB's rules for the item size
// limit and capacity units (Developer Guide, "DynamoDB item sizes and
// formats"), which differ from the length of the stored form.
func (v Value) Size() int { return v.size(0) }

func (v Value) size(level int) int {
	switch t := v.Type(); t {
	case S, N, B:
		return scalarSize(t, v.Bytes())
	case BOOL, NULL:
		return 1
	case M, L, SS, NS, BS:
		_, entries := v.contents()
		return entriesSize(t, entries, level+1)
	}
	return 0
}

// scalarSize is the size of an S, N or B with the given payload.
func scalarSize(t Type, payload []byte) int {
	if t == N {
		return numberTextSize(payload)
	}
	return len(payload)
}

func entriesSize(t Type, entries []byte, level int) int {
	if level > maxRecursion {
		return 0
	}
	total, each := 0, 0
	if t == M || t == L {
		total, each = containerOverhead, elementOverhead
	}
	for len(entries) > 0 {
		if t == M {
			var name []byte
			name, entries = cutName(entries)
			total += len(name)
		}
		var v Value
		if v, entries = cutValue(entries); v == nil {
			break
		}
		total += each + v.size(level)
	}
	return total
}

// numberTextSize is the size of a number in canonical text: one byte, one per
// two significant digits on either side of the decimal point (each side rounded
// up), and one for a minus sign.
func numberTextSize(text []byte) int {
	size := 1
	if isNegative(text) {
		size, text = 2, text[1:]
	}
	// Offsets count significant digits only from the first nonzero digit to
	// the last; the point is where the sides are told apart.
	before, after := 0, 0 // digits since the first nonzero one
	lastBefore, lastAfter := 0, 0
	started, fraction := false, false
	for _, c := range text {
		if c == '.' {
			fraction = true
			continue
		}
		started = started || c != '0'
		if !started {
			continue
		}
		if fraction {
			after++
		} else {
			before++
		}
		if c != '0' {
			lastBefore, lastAfter = before, after
		}
	}
	return size + (lastBefore+1)/2 + (lastAfter+1)/2
}

// Depth returns the number of nesting levels of v: 1 for a scalar, a set and an
// empty container, one more than its deepest entry for a list or map, 0 for
// nil. DynamoDB accepts MaxDepth.
func (v Value) Depth() int { return v.depth(1) }

func (v Value) depth(level int) int {
	if len(v) == 0 {
		return level - 1
	}
	t := v.Type()
	if t != M && t != L || level > maxRecursion {
		return level
	}
	deepest := level
	_, entries := v.contents()
	for len(entries) > 0 {
		if t == M {
			_, entries = cutName(entries)
		}
		var e Value
		if e, entries = cutValue(entries); e == nil {
			break
		}
		deepest = max(deepest, e.depth(level+1))
	}
	return deepest
}
