package item

import (
	"maps"
	"slices"
)

// Tree is a value in mutable form, for updates that reach below the top level
// of an item. Lists and maps are opened; scalars and sets stay encoded.
type Tree struct {
	Type   Type
	Scalar Value            // every type but M and L
	Fields map[string]*Tree // M
	List   []*Tree          // L
}

// Tree opens v, including everything nested in it. Scalars alias v. It is nil
// for nil.
func (v Value) Tree() *Tree { return v.tree(1) }

func (v Value) tree(level int) *Tree {
	if len(v) == 0 {
		return nil
	}
	t := &Tree{Type: v.Type()}
	switch t.Type {
	case M:
		t.Fields = make(map[string]*Tree, v.Len())
		if level > maxRecursion {
			break
		}
		for name, f := range v.Fields() {
			t.Fields[string(name)] = f.tree(level + 1)
		}
	case L:
		t.List = make([]*Tree, 0, v.Len())
		if level > maxRecursion {
			break
		}
		for e := range v.Elements() {
			t.List = append(t.List, e.tree(level+1))
		}
	default:
		t.Scalar = v
	}
	return t
}

// Value returns t in stored form, sharing no memory with it. Nil entries and
// entries without a value are left out; the result is nil for a nil tree.
func (t *Tree) Value() Value { return t.append(nil) }

func (t *Tree) append(dst []byte) []byte {
	if t == nil {
		return dst
	}
	var start, count int
	switch t.Type {
	case M:
		dst, start = beginContainer(dst, M)
		for _, name := range slices.Sorted(maps.Keys(t.Fields)) {
			entry := len(dst)
			dst = append(appendUvarint(dst, len(name)), name...)
			value := len(dst)
			if dst = t.Fields[name].append(dst); len(dst) == value {
				dst = dst[:entry]
				continue
			}
			count++
		}
	case L:
		dst, start = beginContainer(dst, L)
		for _, e := range t.List {
			value := len(dst)
			if dst = e.append(dst); len(dst) > value {
				count++
			}
		}
	default:
		return append(dst, t.Scalar...)
	}
	return endContainer(dst, start, count)
}
