package expression

import (
	"github.com/stator-db/stator/storage/item"
)

// setValue is the right-hand side of an action.
type setValue interface {
	// resolve returns the value for an item. The result may alias the item.
	resolve(old item.Item) (item.Value, error)
	// encode appends the binary form (see encode.go).
	encode(dst []byte) []byte
}

type (
	literalValue item.Value
	pathValue    Path

	ifNotExists struct {
		path     Path
		fallback setValue
	}
	listAppend struct{ first, second setValue }
	sum        struct {
		left, right setValue
		subtract    bool
	}
)

func (v literalValue) resolve(item.Item) (item.Value, error) { return item.Value(v), nil }

func (v pathValue) resolve(old item.Item) (item.Value, error) {
	if found := Path(v).resolve(old); found != nil {
		return found, nil
	}
	return nil, ErrAttributeMissing
}

func (v *ifNotExists) resolve(old item.Item) (item.Value, error) {
	if found := v.path.resolve(old); found != nil {
		return found, nil
	}
	return v.fallback.resolve(old)
}

// resolveBoth resolves two operands that must have type t.
func resolveBoth(first, second setValue, old item.Item, t item.Type) (a, b item.Value, err error) {
	if a, err = first.resolve(old); err != nil {
		return nil, nil, err
	}
	if b, err = second.resolve(old); err != nil {
		return nil, nil, err
	}
	if a.Type() != t || b.Type() != t {
		return nil, nil, ErrOperandType
	}
	return a, b, nil
}

func (v *listAppend) resolve(old item.Item) (item.Value, error) {
	first, second, err := resolveBoth(v.first, v.second, old, item.L)
	if err != nil {
		return nil, err
	}
	return item.List(collect(first, second)...), nil
}

func (v *sum) resolve(old item.Item) (item.Value, error) {
	left, right, err := resolveBoth(v.left, v.right, old, item.N)
	if err != nil {
		return nil, err
	}
	var n item.Number
	if v.subtract {
		n, err = left.Number().Sub(right.Number())
	} else {
		n, err = left.Number().Add(right.Number())
	}
	if err != nil {
		return nil, err
	}
	return item.NumberValue(n), nil
}
