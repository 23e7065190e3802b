package partiql

import (
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/stator-db/stator/expression"
)

// maxPathDepth is the longest document path (Developer Guide, "Quotas").
const maxPathDepth = 32

// path returns the document path that begins with name.
func path(name string, steps []*stepSyntax) (expression.Path, *Error) {
	p := expression.Path{{Name: unquote(name)}}
	if p[0].Name == "" {
		return nil, errEmptyComponent
	}
	for _, s := range steps {
		step, fault := s.step()
		if fault != nil {
			return nil, fault
		}
		p = append(p, step)
	}
	if len(p) > maxPathDepth {
		return nil, errorf("The document path has too many nesting elements; nesting levels: %d", len(p))
	}
	return p, nil
}

func (s *stepSyntax) step() (expression.Step, *Error) {
	none := expression.Step{}
	if s.Name != "" {
		name := unquote(s.Name)
		if name == "" {
			return none, errEmptyComponent
		}
		return expression.Step{Name: name}, nil
	}
	if s.Star || s.Each {
		return none, unexpectedComponent(s)
	}
	u := s.Index.operand()
	if u == nil {
		return none, unexpectedComponent(s)
	}
	if name, ok := u.str(); ok { // a['b'] is a.b
		return expression.Step{Name: name}, nil
	}
	unsigned, sign := *u, ""
	if unsigned.Signs = nil; slices.Contains(u.Signs, "-") {
		sign = "-"
	}
	digits := unsigned.number()
	if digits == "" {
		return none, unexpectedComponent(s)
	}
	index, err := strconv.ParseInt(sign+digits, 10, 64)
	if err != nil || index < 0 || index > math.MaxInt32 {
		pos := u.Pos
		pos.Column += len(u.Signs)
		return none, errorf("List index is not within the allowable range; index: [%s%s]%s", sign, digits, at(pos, digits))
	}
	return expression.Step{Index: int(index), IsIndex: true}, nil
}

func unexpectedComponent(s *stepSyntax) *Error {
	return errorf("Unexpected path component%s", at(s.Pos, "."))
}

// columnName is the name a projected path comes out under: its last name with
// the indexes after it.
func columnName(p expression.Path) string {
	last := len(p) - 1
	for p[last].IsIndex {
		last--
	}
	var name strings.Builder
	name.WriteString(p[last].Name)
	for _, s := range p[last+1:] {
		name.WriteString("[" + strconv.Itoa(s.Index) + "]")
	}
	return name.String()
}
