package server_test

import (
	"slices"

	"pgregory.net/rapid"

	"github.com/stator-db/stator/server/internal/model"
)

// The attributes that keys of tables and indexes are made of have their types for
// good; d, l, m, s and the two that need placeholders may be anything.
var (
	indexKeys = []model.KeyAttribute{{Name: "a", Type: "S"}, {Name: "b", Type: "N"}, {Name: "c", Type: "B"}, {Name: "g", Type: "S"}}
	freeNames = []string{"d", "m", "l", "s", "x.y", "name"}
)

// Few values, so that keys meet again; equal numbers in several spellings, and
// strings that are prefixes of each other.
var (
	hashPool = map[string][]*model.Value{
		"S": stringValues("p", "q", "p\x00", "é"),
		"N": numberValues("1", "2", "1.0", "-1", "1e30"),
		"B": binaryValues("\x00", "\x00\x00", "\xff", "ab"),
	}
	sortPool = map[string][]*model.Value{
		"S": stringValues("a", "ab", "b", "a\x00", "10", "2", "é", "😀", "\uffff", "abc"),
		"N": numberValues("0", "1", "-1", "2.5", "10", "1e20", "-1e20", "0.001", "1.0", "-0", "99", "1E-130", "-9.5e125", "+2.50"),
		"B": binaryValues("\x00", "a", "ab", "\xff", "\x00\xff", "b", "\xff\xff", "a\x00"),
	}
	valuePool = map[string][]*model.Value{
		"S": stringValues("a", "ab", "", "b", "é😀", "abab", "p"),
		"N": numberValues("1", "0", "2", "-1", "1.0", "2.5", "10", "-3.25", "0.1", "1e20", "00042", ".5", "5.", "-0",
			"99999999999999999999999999999999999999", "1e-130", "9.9e125", "-0015.789e6", "123456789.987654321"),
		"B": binaryValues("", "a", "ab", "\x00", "\xff\xfe"),
	}
)

func stringValues(texts ...string) (vs []*model.Value) {
	for _, text := range texts {
		vs = append(vs, model.String(text))
	}
	return vs
}

func numberValues(texts ...string) (vs []*model.Value) {
	for _, text := range texts {
		vs = append(vs, model.Number(text))
	}
	return vs
}

func binaryValues(texts ...string) (vs []*model.Value) {
	for _, text := range texts {
		vs = append(vs, model.Binary(text))
	}
	return vs
}

func pick[T any](t *rapid.T, label string, of ...T) T { return rapid.SampledFrom(of).Draw(t, label) }

// oneIn is true in one of n cases, and shrinks to false.
func oneIn(t *rapid.T, n int, label string) bool { return rapid.IntRange(0, n-1).Draw(t, label) == n-1 }

func drawSome[T any](t *rapid.T, label string, low, high int, draw func() T) (all []T) {
	for range rapid.IntRange(low, high).Draw(t, label) {
		all = append(all, draw())
	}
	return all
}

func drawScalar(t *rapid.T, kinds ...string) *model.Value {
	return pick(t, "scalar", valuePool[pick(t, "kind", kinds...)]...)
}

func drawSet(t *rapid.T, kinds ...string) *model.Value {
	kind := pick(t, "set of", kinds...)
	var members []*model.Value
	for _, v := range drawSome(t, "members", 1, 3, func() *model.Value { return drawScalar(t, kind) }) {
		if !slices.ContainsFunc(members, v.Equal) {
			members = append(members, v)
		}
	}
	return model.Set(members...)
}

func drawList(t *rapid.T, depth int) *model.Value {
	return model.List(drawSome(t, "length", 0, 4, func() *model.Value { return drawValue(t, depth-1) })...)
}

func drawMap(t *rapid.T, depth int) *model.Value {
	fields := map[string]*model.Value{}
	for _, name := range []string{"k", "j", "name"} {
		if !oneIn(t, 3, "no "+name) {
			fields[name] = drawValue(t, depth-1)
		}
	}
	return model.Map(fields)
}

// drawValue draws any value; containers hold others, depth levels deep.
func drawValue(t *rapid.T, depth int) *model.Value {
	kinds := []string{"N", "S", "B", "BOOL", "NULL", "set"}
	if depth > 0 {
		kinds = append(kinds, "L", "M")
	}
	switch kind := pick(t, "type", kinds...); kind {
	case "BOOL":
		return model.Bool(rapid.Bool().Draw(t, "bool"))
	case "NULL":
		return model.Null()
	case "set":
		return drawSet(t, "S", "N", "B")
	case "L":
		return drawList(t, depth)
	case "M":
		return drawMap(t, depth)
	default:
		return drawScalar(t, kind)
	}
}

// drawKeyValue draws a value that an index key of the attribute may have, and
// sometimes one that it may not.
func drawKeyValue(t *rapid.T, k model.KeyAttribute) *model.Value {
	if oneIn(t, 16, "misfit") {
		return drawValue(t, 1)
	}
	if k.Name == "g" {
		return pick(t, "g", hashPool[k.Type][:2]...)
	}
	return pick(t, k.Name, sortPool[k.Type]...)
}

func drawKey(t *rapid.T, table *model.Table) model.Item {
	key := model.Item{}
	for _, k := range table.Key.Hash {
		key[k.Name] = pick(t, k.Name, hashPool[k.Type]...)
	}
	for _, k := range table.Key.Range {
		key[k.Name] = pick(t, k.Name, sortPool[k.Type]...)
	}
	return key
}

// drawTarget is drawKey, but more often the key of an item that exists.
func drawTarget(t *rapid.T, table *model.Table) model.Item {
	if items := sortedItems(table); len(items) > 0 && !oneIn(t, 3, "any key") {
		return table.KeyOf(pick(t, "item", items...))
	}
	return drawKey(t, table)
}

func drawItem(t *rapid.T, table *model.Table) model.Item {
	it := drawKey(t, table)
	for _, k := range indexKeys {
		if !oneIn(t, 4, "no "+k.Name) {
			it[k.Name] = drawKeyValue(t, k)
		}
	}
	for _, name := range freeNames {
		if oneIn(t, 3, "no "+name) {
			continue
		}
		switch {
		case name == "m" && !oneIn(t, 5, "no map"):
			it[name] = drawMap(t, 2)
		case name == "l" && !oneIn(t, 5, "no list"):
			it[name] = drawList(t, 2)
		case name == "s" && !oneIn(t, 5, "no set"):
			it[name] = drawSet(t, "S", "N", "B")
		default:
			it[name] = drawValue(t, 1)
		}
	}
	return it
}

func path(name string, steps ...any) model.Path {
	p := model.Path{{Name: name}}
	for _, s := range steps {
		if i, ok := s.(int); ok {
			p = append(p, model.Step{Index: i, IsIndex: true})
		} else {
			p = append(p, model.Step{Name: s.(string)})
		}
	}
	return p
}

// innerPaths lead into attributes that are no keys.
var innerPaths = []model.Path{
	path("m", "k"), path("m", "j"), path("m", "name"), path("m", "k", "k"), path("m", "j", 0), path("m", "j", 0, "k"),
	path("l", 0), path("l", 1), path("l", 2), path("l", 7), path("l", 0, "k"), path("l", 1, 1), path("d", "k"), path("d", 0),
	path("x.y", "k"), path("m", 0), path("l", "k"),
}

// topPaths are attributes by name.
func topPaths(names ...string) (paths []model.Path) {
	for _, name := range names {
		paths = append(paths, path(name))
	}
	return paths
}

func allPaths() []model.Path {
	return append(topPaths("pk", "sk", "a", "b", "c", "g", "d", "m", "l", "s", "x.y", "name"), innerPaths...)
}

// drawPaths draws the paths of a projection.
func drawPaths(t *rapid.T) (paths []model.Path) {
	for _, p := range drawSome(t, "paths", 1, 5, func() model.Path { return pick(t, "path", allPaths()...) }) {
		if !slices.ContainsFunc(paths, p.Clash) {
			paths = append(paths, p)
		}
	}
	return paths
}

// drawCondition draws a condition that uses the paths.
func drawCondition(t *rapid.T, paths []model.Path, depth int) *model.Condition {
	ops := []string{"=", "<>", "<", "<=", ">", ">=", "BETWEEN", "IN", "attribute_exists", "attribute_not_exists",
		"attribute_type", "begins_with", "contains"}
	if depth > 0 {
		ops = append(ops, "AND", "OR", "NOT", "AND", "OR")
	}
	c := &model.Condition{Op: pick(t, "operator", ops...)}
	switch c.Op {
	case "AND", "OR":
		c.Parts = drawSome(t, "parts", 2, 3, func() *model.Condition { return drawCondition(t, paths, depth-1) })
		return c
	case "NOT":
		c.Parts = []*model.Condition{drawCondition(t, paths, depth-1)}
		return c
	}
	first := model.Operand{Path: pick(t, "first", paths...)}
	literal := func(v *model.Value) model.Operand { return model.Operand{Literal: v} }
	// other is another path than the first, or a literal.
	other := func(v *model.Value) model.Operand {
		if p := pick(t, "other", paths...); oneIn(t, 4, "path") && !samePath(p, first.Path) {
			return model.Operand{Path: p}
		}
		return literal(v)
	}
	scalars := []string{"S", "N", "B"}
	switch c.Op {
	case "=", "<>", "<", "<=", ">", ">=", "BETWEEN":
		if first.Size = oneIn(t, 4, "size"); first.Size {
			scalars = []string{"N"}
		}
	}
	c.Operands = []model.Operand{first}
	switch c.Op {
	case "=", "<>":
		if first.Size {
			c.Operands = append(c.Operands, literal(drawScalar(t, "N")))
		} else {
			c.Operands = append(c.Operands, other(drawValue(t, 1)))
		}
	case "IN":
		c.Operands = append(c.Operands, drawSome(t, "operands", 1, 4, func() model.Operand { return other(drawValue(t, 1)) })...)
	case "<", "<=", ">", ">=":
		c.Operands = append(c.Operands, other(drawScalar(t, scalars...)))
	case "BETWEEN":
		kind := pick(t, "bounds", scalars...)
		low, high := drawScalar(t, kind), drawScalar(t, kind)
		if order, _ := low.Compare(high); order > 0 {
			low, high = high, low
		}
		c.Operands = append(c.Operands, literal(low), other(high))
	case "attribute_type":
		c.Operands = append(c.Operands, literal(model.String(pick(t, "type", "N", "S", "B", "BOOL", "NULL", "L", "M", "SS", "NS", "BS"))))
	case "begins_with":
		c.Operands = append(c.Operands, other(drawScalar(t, "S", "B")))
	case "contains":
		c.Operands = append(c.Operands, other(drawValue(t, 1)))
	}
	return c
}

func samePath(p, q model.Path) bool { return slices.Equal(p, q) }

// drawUpdate draws an update, mostly one that can be done to the item, which may be
// nil.
func drawUpdate(t *rapid.T, old model.Item) model.Update {
	var u model.Update
	for _, a := range drawSome(t, "actions", 1, 4, func() model.Action { return drawAction(t, old) }) {
		clashes := slices.ContainsFunc(u.Targets(), a.Target.Clash)
		if !clashes || oneIn(t, 16, "clash") {
			u = append(u, a)
		}
	}
	return u
}

// drawFitting draws one of the paths, mostly one that fits.
func drawFitting(t *rapid.T, label string, paths []model.Path, fits func(model.Path) bool) model.Path {
	if !oneIn(t, 12, "any path") {
		some := slices.DeleteFunc(slices.Clone(paths), func(p model.Path) bool { return !fits(p) })
		if len(some) > 0 {
			paths = some
		}
	}
	return pick(t, label, paths...)
}

// drawPlace draws a target that has, or could have, a value of one of the kinds.
func drawPlace(t *rapid.T, old model.Item, tops []string, kinds ...string) model.Path {
	paths := append(topPaths(tops...), innerPaths...)
	return drawFitting(t, "target", paths, func(p model.Path) bool {
		if v := p.Resolve(old); v != nil {
			return kinds == nil || slices.Contains(kinds, v.Kind)
		}
		last := p[len(p)-1]
		if len(p) == 1 {
			return true
		}
		parent := p[:len(p)-1].Resolve(old)
		return parent != nil && (parent.Kind == "L" && last.IsIndex || parent.Kind == "M" && !last.IsIndex)
	})
}

func drawAction(t *rapid.T, old model.Item) model.Action {
	a := model.Action{Verb: pick(t, "verb", "SET", "REMOVE", "ADD", "DELETE", "SET", "SET")}
	tops := slices.Concat(freeNames, []string{"a", "b", "c", "g"})
	switch a.Verb {
	case "REMOVE":
		a.Target = drawPlace(t, old, tops)
		return a
	case "ADD":
		if rapid.Bool().Draw(t, "to number") {
			a.Target, a.By = drawPlace(t, old, []string{"b", "d"}, "N"), drawScalar(t, "N")
			return a
		}
		fallthrough
	case "DELETE":
		kind := []string{pick(t, "set", "SS", "NS", "BS")}
		a.Target, a.By = drawPlace(t, old, []string{"s", "d"}, kind...), drawSet(t, kind[0][:1])
		return a
	}
	if oneIn(t, 24, "key") {
		a.Target, a.Set = path(pick(t, "target", "pk", "sk")), literalSet(model.String("p"))
		return a
	}
	if oneIn(t, 3, "index key") {
		k := pick(t, "target", indexKeys...)
		a.Target, a.Set = path(k.Name), literalSet(drawKeyValue(t, k))
		if oneIn(t, 3, "copied") {
			a.Set = drawOperand(t, old, topPaths("a", "b", "c", "g", "d", "pk"), k.Type)
		}
		return a
	}
	a.Target, a.Set = drawPlace(t, old, freeNames), drawSetValue(t, old)
	return a
}

func literalSet(v *model.Value) *model.SetValue {
	return &model.SetValue{Operand: model.Operand{Literal: v}}
}

// drawOperand draws a path to something in the item, of one of the kinds if given.
func drawOperand(t *rapid.T, old model.Item, paths []model.Path, kinds ...string) *model.SetValue {
	return &model.SetValue{Operand: model.Operand{Path: drawFitting(t, "from", paths, func(p model.Path) bool {
		v := p.Resolve(old)
		return v != nil && (kinds == nil || slices.Contains(kinds, v.Kind))
	})}}
}

func drawSetValue(t *rapid.T, old model.Item) *model.SetValue {
	orElse := func(p *model.SetValue, v *model.Value) *model.SetValue {
		return &model.SetValue{Op: "if_not_exists", Operand: p.Operand, Args: []*model.SetValue{literalSet(v)}}
	}
	s := &model.SetValue{}
	var left, right *model.SetValue
	switch pick(t, "value", "literal", "path", "if_not_exists", "arithmetic", "list_append") {
	case "path":
		return drawOperand(t, old, allPaths())
	case "if_not_exists":
		return orElse(drawOperand(t, old, allPaths()), drawValue(t, 2))
	case "arithmetic":
		s.Op = pick(t, "sign", "+", "-")
		left, right = drawOperand(t, old, allPaths(), "N"), literalSet(drawScalar(t, "N"))
		if rapid.Bool().Draw(t, "guarded") {
			left = orElse(left, drawScalar(t, "N"))
		}
	case "list_append":
		s.Op = "list_append"
		left, right = drawOperand(t, old, allPaths(), "L"), literalSet(drawList(t, 1))
		if rapid.Bool().Draw(t, "guarded") {
			left = orElse(left, model.List())
		}
	default:
		return literalSet(drawValue(t, 2))
	}
	if s.Args = []*model.SetValue{left, right}; oneIn(t, 3, "turned") {
		s.Args = []*model.SetValue{right, left}
	}
	return s
}
