package partiql

import (
	"strconv"

	"pgregory.net/rapid"
)

// treeGenerator draws syntax trees.
type treeGenerator struct{ t *rapid.T }

func (g treeGenerator) choose(n int) int { return rapid.IntRange(0, n-1).Draw(g.t, "choice") }

func (g treeGenerator) maybe() bool { return rapid.Bool().Draw(g.t, "maybe") }

func some[T any](g treeGenerator, least, most int, draw func() T) []T {
	var list []T
	for range rapid.IntRange(least, most).Draw(g.t, "count") {
		list = append(list, draw())
	}
	return list
}

func (g treeGenerator) name() string {
	return rapid.SampledFrom([]string{"pk", "sk", "a", "b", "_x$1", `"select"`, `"a.b ""c"""`, `"ü"`, "modified", "old"}).Draw(g.t, "name")
}

func (g treeGenerator) literal() string {
	return rapid.SampledFrom([]string{"'s'", "'it''s'", "''", "'ü'", "1", "1.50", ".5e-3", "7E+2", "TRUE", "FALSE", "NULL", "MISSING", "?"}).Draw(g.t, "literal")
}

func (g treeGenerator) statement(depth int) *statementSyntax {
	switch g.choose(7) {
	case 0:
		return &statementSyntax{Insert: &insertSyntax{Into: &targetSyntax{g.parts()}, Value: g.or(depth)}}
	case 1:
		return &statementSyntax{Update: &updateSyntax{Table: g.source(), Changes: g.changes(depth), Where: g.where(depth), Returning: g.returning()}}
	case 2:
		return &statementSyntax{FromUpdate: &fromUpdateSyntax{Table: g.source(), Changes: g.changes(depth), Where: g.where(depth), Returning: g.returning()}}
	case 3:
		return &statementSyntax{Delete: &deleteSyntax{Table: g.source(), Where: g.where(depth), Returning: g.returning()}}
	case 4:
		return &statementSyntax{Exists: &existsSyntax{g.selection(depth)}}
	case 5:
		return &statementSyntax{Expression: g.or(depth)}
	}
	return &statementSyntax{Select: g.selection(depth)}
}

func (g treeGenerator) selection(depth int) *selectSyntax {
	s := &selectSyntax{
		Quantifier: rapid.SampledFrom([]string{"", "", "ALL", "DISTINCT"}).Draw(g.t, "quantifier"),
		From:       g.source(),
		Where:      g.where(depth),
	}
	s.Items = some(g, 1, 3, func() *selectItemSyntax {
		if g.maybe() {
			return &selectItemSyntax{Star: true}
		}
		item := &selectItemSyntax{Expression: g.or(depth)}
		if g.choose(4) == 0 {
			item.Alias = g.name()
		}
		return item
	})
	if g.choose(8) == 0 {
		s.More = some(g, 1, 2, g.source)
	}
	clause := func() *clauseSyntax {
		if g.choose(8) > 0 {
			return nil
		}
		return &clauseSyntax{Terms: some(g, 1, 2, func() *orSyntax { return g.or(depth) })}
	}
	s.Group, s.Having, s.Limit = clause(), clause(), clause()
	s.Order = some(g, 0, 2, func() *orderSyntax {
		return &orderSyntax{Path: g.simplePath(depth), Direction: rapid.SampledFrom([]string{"", "ASC", "DESC"}).Draw(g.t, "direction")}
	})
	return s
}

func (g treeGenerator) parts() []*partSyntax {
	return some(g, 1, 3, func() *partSyntax { return &partSyntax{Name: g.name()} })
}

func (g treeGenerator) source() *sourceSyntax {
	s := &sourceSyntax{Path: g.parts()}
	if g.choose(8) == 0 {
		s.Alias = g.name()
	}
	return s
}

func (g treeGenerator) where(depth int) *orSyntax {
	if g.maybe() {
		return nil
	}
	return g.or(depth)
}

func (g treeGenerator) returning() *returningSyntax {
	if g.maybe() {
		return nil
	}
	return &returningSyntax{
		Scope: rapid.SampledFrom([]string{"ALL", "MODIFIED"}).Draw(g.t, "scope"),
		Image: rapid.SampledFrom([]string{"OLD", "NEW"}).Draw(g.t, "image"),
	}
}

func (g treeGenerator) changes(depth int) []*changeSyntax {
	return some(g, 1, 3, func() *changeSyntax {
		if g.maybe() {
			return &changeSyntax{Remove: some(g, 1, 2, func() *simplePathSyntax { return g.simplePath(depth) })}
		}
		return &changeSyntax{Set: some(g, 1, 2, func() *assignmentSyntax {
			return &assignmentSyntax{Path: g.simplePath(depth), Value: g.or(depth)}
		})}
	})
}

func (g treeGenerator) simplePath(depth int) *simplePathSyntax {
	return &simplePathSyntax{Name: g.name(), Steps: g.steps(depth)}
}

func (g treeGenerator) steps(depth int) []*stepSyntax {
	return some(g, 0, 2, func() *stepSyntax {
		switch g.choose(5) {
		case 0:
			return &stepSyntax{Star: true}
		case 1:
			return &stepSyntax{Each: true}
		case 2:
			return &stepSyntax{Index: g.or(depth - 2)}
		case 3:
			return &stepSyntax{Index: &orSyntax{Alone: strconv.Itoa(g.choose(3))}}
		}
		return &stepSyntax{Name: g.name()}
	})
}

func (g treeGenerator) or(depth int) *orSyntax {
	most := max(1, min(2, depth)) // inner expressions are small
	return &orSyntax{Terms: some(g, 1, most, func() *andSyntax {
		return &andSyntax{Terms: some(g, 1, most, func() *relationSyntax {
			return &relationSyntax{
				Not:  some(g, 0, 1, func() string { return "NOT" }),
				Left: g.sum(depth),
				More: some(g, 0, most, func() *compareSyntax { return g.compare(depth) }),
			}
		})}
	})}
}

func (g treeGenerator) compare(depth int) *compareSyntax {
	switch g.choose(4) {
	case 0:
		return &compareSyntax{Is: &isSyntax{Not: g.maybe(), Type: rapid.SampledFrom([]string{"NULL", "MISSING", "LIST", "DOUBLE PRECISION"}).Draw(g.t, "type")}}
	case 1:
		return &compareSyntax{NotRange: g.between(depth)}
	case 2:
		return &compareSyntax{Range: g.between(depth)}
	}
	comparators := []string{"=", "<>", "!=", "<", "<=", ">", ">="}
	return &compareSyntax{Comparator: rapid.SampledFrom(comparators).Draw(g.t, "comparator"), Right: g.sum(depth)}
}

func (g treeGenerator) between(depth int) *rangeSyntax {
	switch g.choose(3) {
	case 0:
		return &rangeSyntax{Low: g.sum(depth), High: g.sum(depth)}
	case 1:
		return &rangeSyntax{In: g.sum(depth)}
	}
	return &rangeSyntax{Like: g.sum(depth)}
}

func (g treeGenerator) sum(depth int) *sumSyntax {
	return &sumSyntax{
		Left: g.operand(depth),
		More: some(g, 0, 1, func() *addendSyntax {
			operators := []string{"+", "-", "||", "*", "/", "%"}
			return &addendSyntax{Operator: rapid.SampledFrom(operators).Draw(g.t, "operator"), Right: g.operand(depth)}
		}),
	}
}

func (g treeGenerator) operand(depth int) *operandSyntax {
	u := &operandSyntax{
		Signs: some(g, 0, 1, func() string { return rapid.SampledFrom([]string{"+", "-"}).Draw(g.t, "sign") }),
	}
	inner := func(least int) []*orSyntax { return some(g, least, 2, func() *orSyntax { return g.or(depth - 1) }) }
	kinds := 2
	if depth > 0 {
		kinds, u.Steps = 8, g.steps(depth)
	}
	switch g.choose(kinds) {
	case 0:
		u.Name = g.name()
	case 1:
		u.Literal = g.literal()
	case 2:
		u.Name, u.Call = g.name(), &callSyntax{Open: "(", Args: inner(0)}
	case 3:
		u.Function, u.Args = "SIZE", &callSyntax{Open: "(", Star: true}
	case 4:
		u.Group = inner(1)
	case 5:
		u.List = &listSyntax{Open: "[", Elements: inner(0)}
	case 6:
		u.Bag = &bagSyntax{Open: "<<", Members: inner(0)}
	default:
		u.Struct = &structSyntax{Open: "{", Fields: some(g, 0, 2, func() *fieldSyntax {
			return &fieldSyntax{Name: "'f'", Value: g.or(depth - 1)}
		})}
	}
	return u
}
