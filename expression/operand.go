package expression

import (
	"github.com/stator-db/stator/storage/item"
)

// operand is an operand in a condition: a literal, the value at a path, the
// size of either, or the truth of another condition (see [TestOperand]).
type operand struct {
	path   Path // nil for a literal
	value  item.Value
	sizeOf bool
	truth  predicate // nil unless it is the operand
}

// literalType returns the type the operand has for every item, 0 if that
// depends on the item.
func (o *operand) literalType() item.Type {
	switch {
	case o.truth != nil:
		return item.BOOL
	case o.sizeOf:
		return item.N
	case o.path == nil:
		return o.value.Type()
	}
	return 0
}

// isPath reports whether the operand is a path and nothing else.
func (o *operand) isPath() bool { return o.path != nil && !o.sizeOf }

// resolve returns what the operand stands for in it.
func (o *operand) resolve(it item.Item) resolved {
	v := o.value
	switch {
	case o.truth != nil:
		v = item.Bool(o.truth.eval(it))
	case o.path != nil:
		v = o.path.resolve(it)
	}
	if !o.sizeOf {
		return resolved{value: v}
	}
	n, ok := size(v)
	return resolved{count: n, isCount: ok}
}

// size returns what function size yields; it is not defined for numbers,
// Booleans, NULL and what is missing. The size of a string is the number of
// UTF-16 code units, as measured on the service.
func size(v item.Value) (n int, ok bool) {
	switch v.Type() {
	case item.S:
		for _, c := range v.Bytes() {
			switch {
			case c >= 0xF0: // starts a character outside the basic plane: a surrogate pair
				n += 2
			case c&0xC0 != 0x80: // starts any other character
				n++
			}
		}
		return n, true
	case item.B:
		return len(v.Bytes()), true
	case item.M, item.L, item.SS, item.NS, item.BS:
		return v.Len(), true
	}
	return 0, false
}

// resolved is the value of an operand for one item. A size is kept as an int,
// so that it need not be encoded to be compared. The zero value is a missing
// operand.
type resolved struct {
	value   item.Value
	count   int
	isCount bool
}

// number returns the value of a number.
func (r resolved) number() (n item.Number, ok bool) {
	switch {
	case r.isCount:
		return item.NumberFromInt(int64(r.count)), true
	case r.value.Type() == item.N:
		return r.value.Number(), true
	}
	return item.Number{}, false
}

// stored returns r in stored form, nil if it is missing.
func (r resolved) stored() item.Value {
	if r.isCount {
		return item.NumberValue(item.NumberFromInt(int64(r.count)))
	}
	return r.value
}

// equal reports whether both are present and the same value.
func (r resolved) equal(s resolved) bool {
	if r.isCount || s.isCount {
		order, ok := r.compare(s)
		return ok && order == 0
	}
	return r.value != nil && item.Equal(r.value, s.value)
}

// compare orders two present values of the same ordered type.
func (r resolved) compare(s resolved) (order int, ok bool) {
	if !r.isCount && !s.isCount {
		if r.value == nil || s.value == nil {
			return 0, false
		}
		return item.Compare(r.value, s.value)
	}
	m, ok1 := r.number()
	n, ok2 := s.number()
	if !ok1 || !ok2 {
		return 0, false
	}
	return m.Cmp(n), true
}

// comparator is an operator between two operands.
type comparator int

const (
	equal comparator = iota
	notEqual
	less
	lessOrEqual
	greater
	greaterOrEqual
)

var comparatorTexts = [...]string{equal: "=", notEqual: "<>", less: "<", lessOrEqual: "<=", greater: ">", greaterOrEqual: ">="}

func (c comparator) String() string { return comparatorTexts[c] }

// parseComparator returns the operator written as text, which must be one.
func parseComparator(text string) comparator {
	for c, t := range comparatorTexts {
		if t == text {
			return comparator(c)
		}
	}
	return equal
}

// ordering reports whether the operator needs operands with an order.
func (c comparator) ordering() bool { return c >= less }

func isOrdered(t item.Type) bool { return t == item.S || t == item.N || t == item.B }
