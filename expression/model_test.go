package expression

import (
	"fmt"
	"maps"
	"math/big"
	"slices"
	"strings"
	"unicode/utf16"

	"pgregory.net/rapid"

	"github.com/stator-db/stator/storage/item"
)

// node is an attribute value the way a textbook would hold it. The model
// evaluators work on nodes and share nothing with the code under test but the
// syntax trees.
type node struct {
	kind   item.Type
	text   string   // S, B
	number *big.Rat // N
	truth  bool     // BOOL
	fields map[string]*node
	list   []*node // L, and the members of sets
}

// value returns the stored form of n.
func (n *node) value() item.Value {
	if n == nil {
		return nil
	}
	switch n.kind {
	case item.S:
		return item.String(n.text)
	case item.B:
		return item.Binary([]byte(n.text))
	case item.N:
		number, err := item.ParseNumber([]byte(n.number.FloatString(4)))
		if err != nil {
			panic(err)
		}
		return item.NumberValue(number)
	case item.BOOL:
		return item.Bool(n.truth)
	case item.NULL:
		return item.Null()
	case item.M:
		fields := map[string]item.Value{}
		for name, f := range n.fields {
			fields[name] = f.value()
		}
		return item.Map(fields)
	}
	var elems []item.Value
	for _, e := range n.list {
		elems = append(elems, e.value())
	}
	if n.kind == item.L {
		return item.List(elems...)
	}
	return item.Set(n.kind, elems...)
}

// item returns the stored form of a map as an item.
func (n *node) item() item.Item {
	if n == nil {
		return nil
	}
	b := item.NewBuilder()
	for name, f := range n.fields {
		b.Set(name, f.value())
	}
	return b.Item()
}

func (n *node) isSet() bool { return n.kind == item.SS || n.kind == item.NS || n.kind == item.BS }

func (n *node) clone() *node {
	if n == nil {
		return nil
	}
	c := *n
	c.fields = map[string]*node{}
	for name, f := range n.fields {
		c.fields[name] = f.clone()
	}
	c.list = nil
	for _, e := range n.list {
		c.list = append(c.list, e.clone())
	}
	return &c
}

func (n *node) equal(m *node) bool {
	if n == nil || m == nil || n.kind != m.kind || n.text != m.text || n.truth != m.truth || len(n.list) != len(m.list) {
		return false
	}
	switch n.kind {
	case item.N:
		return n.number.Cmp(m.number) == 0
	case item.M:
		return maps.EqualFunc(n.fields, m.fields, (*node).equal)
	case item.L:
		return slices.EqualFunc(n.list, m.list, (*node).equal)
	}
	for _, member := range n.list {
		if !slices.ContainsFunc(m.list, member.equal) {
			return false
		}
	}
	return true
}

// compare is -1, 0 or 1; ok is false if there is no order.
func (n *node) compare(m *node) (order int, ok bool) {
	if n == nil || m == nil || n.kind != m.kind {
		return 0, false
	}
	switch n.kind {
	case item.S, item.B:
		return strings.Compare(n.text, m.text), true
	case item.N:
		return n.number.Cmp(m.number), true
	}
	return 0, false
}

// model evaluates expressions the slow way.
type model struct {
	item   *node // an M, or nil
	names  map[string]string
	values map[string]*node
}

func (m *model) name(name string) string {
	if isAlias(name) {
		return m.names[name]
	}
	return name
}

func (m *model) path(p *pathSyntax) *node {
	if m.item == nil {
		return nil
	}
	n := m.item.fields[m.name(p.Head)]
	for _, s := range p.Steps {
		if n == nil {
			return nil
		}
		if s.Index == "" {
			n = n.fields[m.name(s.Name)]
			continue
		}
		var i int
		fmt.Sscan(s.Index, &i)
		if n.kind != item.L || i >= len(n.list) {
			return nil
		}
		n = n.list[i]
	}
	return n
}

func (m *model) operand(o *operandSyntax) *node {
	switch {
	case o.Value != "":
		return m.values[o.Value]
	case o.Path != nil:
		return m.path(o.Path)
	}
	of := m.operand(o.Call.Args[0])
	if of == nil {
		return nil
	}
	size := 0
	switch of.kind {
	case item.S:
		size = len(utf16.Encode([]rune(of.text)))
	case item.B:
		size = len(of.text)
	case item.M:
		size = len(of.fields)
	case item.L, item.SS, item.NS, item.BS:
		size = len(of.list)
	default:
		return nil
	}
	return &node{kind: item.N, number: big.NewRat(int64(size), 1)}
}

func (m *model) or(n *orSyntax) bool { return slices.ContainsFunc(n.Terms, m.and) }

func (m *model) and(n *andSyntax) bool {
	return !slices.ContainsFunc(n.Terms, func(f *factorSyntax) bool { return !m.factor(f) })
}

func (m *model) factor(f *factorSyntax) bool {
	switch {
	case f.Not != nil:
		return !m.factor(f.Not)
	case f.Group != nil:
		return m.or(f.Group)
	}
	if call := f.Test.condition(); call != nil {
		return m.function(call)
	}
	first, relation := f.Test.comparison()
	left := m.operand(first)
	var others []*node
	for _, o := range relation.operands() {
		others = append(others, m.operand(o))
	}
	if relation.In != nil {
		return slices.ContainsFunc(others, left.equal)
	}
	order, ok := left.compare(others[0])
	if relation.Low != nil {
		high, ok2 := left.compare(others[1])
		return ok && ok2 && order >= 0 && high <= 0
	}
	switch relation.Comparator {
	case "=":
		return left.equal(others[0])
	case "<>":
		return !left.equal(others[0])
	case "<":
		return ok && order < 0
	case "<=":
		return ok && order <= 0
	case ">":
		return ok && order > 0
	}
	return ok && order >= 0
}

func (m *model) function(call *callSyntax) bool {
	first := m.operand(call.Args[0])
	switch call.Name {
	case "attribute_exists":
		return first != nil
	case "attribute_not_exists":
		return first == nil
	}
	second := m.operand(call.Args[1])
	if first == nil || second == nil {
		return false
	}
	isText := first.kind == item.S || first.kind == item.B
	switch call.Name {
	case "attribute_type":
		return first.kind.String() == second.text
	case "begins_with":
		return isText && second.kind == first.kind && strings.HasPrefix(first.text, second.text)
	}
	if isText {
		return second.kind == first.kind && strings.Contains(first.text, second.text)
	}
	return (first.kind == item.L || first.isSet()) && slices.ContainsFunc(first.list, second.equal)
}

// The worlds of random tests are small, so that expressions meet what they
// look for.

var (
	worldNames  = []string{"a", "b", "c"}
	worldScalar = []*node{
		{kind: item.S, text: ""}, {kind: item.S, text: "x"}, {kind: item.S, text: "xy"}, {kind: item.S, text: "é😀"}, {kind: item.S, text: "N"},
		{kind: item.B, text: ""}, {kind: item.B, text: "x"}, {kind: item.B, text: "xy"},
		{kind: item.N, number: big.NewRat(0, 1)}, {kind: item.N, number: big.NewRat(1, 1)}, {kind: item.N, number: big.NewRat(2, 1)},
		{kind: item.N, number: big.NewRat(-3, 2)}, {kind: item.N, number: big.NewRat(10, 1)},
		{kind: item.BOOL, truth: true}, {kind: item.BOOL}, {kind: item.NULL},
	}
)

func genNode(t *rapid.T, depth int) *node {
	switch n := rapid.IntRange(0, 8).Draw(t, "node"); {
	case n == 0 && depth > 0:
		return genMap(t, depth-1)
	case n == 1 && depth > 0:
		l := &node{kind: item.L}
		for range rapid.IntRange(0, 3).Draw(t, "length") {
			l.list = append(l.list, genNode(t, depth-1))
		}
		return l
	case n == 2:
		member := rapid.SampledFrom([]item.Type{item.S, item.N, item.B}).Draw(t, "members")
		s := &node{kind: member - item.S + item.SS}
		for _, scalar := range worldScalar {
			if scalar.kind == member && rapid.Bool().Draw(t, "member") {
				s.list = append(s.list, scalar)
			}
		}
		if len(s.list) > 0 {
			return s
		}
	}
	return rapid.SampledFrom(worldScalar).Draw(t, "scalar")
}

func genMap(t *rapid.T, depth int) *node {
	m := &node{kind: item.M, fields: map[string]*node{}}
	for _, name := range worldNames {
		if rapid.Bool().Draw(t, "present") {
			m.fields[name] = genNode(t, depth)
		}
	}
	return m
}

// genWorld draws an item or nil, and values for the placeholders :0 to :4.
func genWorld(t *rapid.T) *model {
	m := &model{names: map[string]string{"#a": "a", "#b": "b"}, values: map[string]*node{}}
	if rapid.IntRange(0, 9).Draw(t, "no item") > 0 {
		m.item = genMap(t, 3)
	}
	for i := range 5 {
		m.values[fmt.Sprintf(":%d", i)] = genNode(t, 1)
	}
	return m
}

func (m *model) binder() *Binder {
	values := map[string]item.Value{}
	for placeholder, n := range m.values {
		values[placeholder] = n.value()
	}
	return NewBinder(m.names, values)
}

func genWorldPath(t *rapid.T) *pathSyntax {
	names := rapid.SampledFrom(append(worldNames, "#a", "#b"))
	p := &pathSyntax{Head: names.Draw(t, "head")}
	for range rapid.SampledFrom([]int{0, 0, 0, 1, 1, 2}).Draw(t, "steps") {
		if rapid.Bool().Draw(t, "index") {
			p.Steps = append(p.Steps, &stepSyntax{Index: fmt.Sprint(rapid.IntRange(0, 4).Draw(t, "i"))})
		} else {
			p.Steps = append(p.Steps, &stepSyntax{Name: names.Draw(t, "name")})
		}
	}
	return p
}

var genWorldValue = rapid.SampledFrom([]string{":0", ":1", ":2", ":3", ":4"})
