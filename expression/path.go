package expression

import (
	"slices"
	"strconv"

	"github.com/stator-db/stator/storage/item"
)

// Path is a document path with its placeholders replaced: the name of a
// top-level attribute, then the way down into maps and lists. It is never
// empty, and its first step is a name.
type Path []Step

// Step leads from a map to the value named Name, or, if IsIndex is set, from a
// list to the element at Index, counted from 0.
type Step struct {
	Name    string
	Index   int
	IsIndex bool
}

// String returns the path as DynamoDB prints it in errors: [a, b, [1], c].
func (p Path) String() string {
	text := []byte{'['}
	for i, s := range p {
		if i > 0 {
			text = append(text, ", "...)
		}
		if s.IsIndex {
			text = append(text, '[')
			text = strconv.AppendInt(text, int64(s.Index), 10)
			text = append(text, ']')
		} else {
			text = append(text, s.Name...)
		}
	}
	return string(append(text, ']'))
}

func (p Path) equal(q Path) bool { return slices.Equal(p, q) }

// resolve returns the value that p leads to in it, nil if there is none. The
// result aliases it, which may be nil.
func (p Path) resolve(it item.Item) item.Value {
	if len(it) == 0 || len(p) == 0 {
		return nil
	}
	v := it.Get(p[0].Name)
	for _, s := range p[1:] {
		if len(v) == 0 {
			return nil
		}
		if s.IsIndex {
			v = v.Index(s.Index)
		} else {
			v = v.Field(s.Name)
		}
	}
	return v
}
