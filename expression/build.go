package expression

import (
	"fmt"
	"slices"

	"github.com/stator-db/stator/storage/item"
)

// This file builds conditions, updates and projections from parts, for a
// language that has a grammar of its own. What can be wrong with the parts is
// reported as an [*Error] whose text has no "Invalid ...Expression: " in front.

// Operand is an operand of a test, made by [PathOperand], [ValueOperand],
// [SizeOperand] or [TestOperand].
type Operand struct {
	operand
	paths []Path
}

// PathOperand stands for the value that p leads to.
func PathOperand(p Path) Operand { return Operand{operand{path: p}, []Path{p}} }

// ValueOperand stands for v itself.
func ValueOperand(v item.Value) Operand { return Operand{operand: operand{value: v}} }

// SizeOperand stands for the size of o, a path or a value (Developer Guide,
// function size).
func SizeOperand(o Operand) (Operand, error) {
	var b conditionBinder
	switch t := o.literalType(); t {
	case item.N, item.BOOL, item.NULL:
		b.operandType("size", t)
	}
	o.sizeOf = true
	return o, b.err()
}

// TestOperand stands for the truth of t, a BOOL.
func TestOperand(t Test) Operand { return Operand{operand{truth: t.root}, t.paths} }

// IsPath reports whether o is a path and nothing else.
func (o Operand) IsPath() bool { return o.isPath() }

// Path returns the path of an operand that IsPath.
func (o Operand) Path() Path { return o.path }

// Value returns the value that o stands for; ok is false if o is none that is
// known without an item.
func (o Operand) Value() (v item.Value, ok bool) {
	return o.value, o.path == nil && o.truth == nil && !o.sizeOf
}

// Test is a condition, or a part of one.
type Test struct {
	root  predicate
	paths []Path
}

// Paths returns every document path in t. The caller must not change it.
func (t Test) Paths() []Path { return t.paths }

// NewCondition returns the condition that t is.
func NewCondition(t Test) *Condition { return &Condition{root: t.root, paths: t.paths} }

// All holds if every one of tests does, which must not be empty.
func All(tests ...Test) Test {
	if len(tests) == 1 {
		return tests[0]
	}
	roots, paths := unpack(tests)
	return Test{conjunction(roots), paths}
}

// Any holds if at least one of tests does, which must not be empty.
func Any(tests ...Test) Test {
	if len(tests) == 1 {
		return tests[0]
	}
	roots, paths := unpack(tests)
	return Test{disjunction(roots), paths}
}

func unpack(tests []Test) (roots []predicate, paths []Path) {
	for _, t := range tests {
		roots = append(roots, t.root)
		paths = append(paths, t.paths...)
	}
	return roots, paths
}

// Not holds if t does not.
func Not(t Test) Test { return Test{negation{t.root}, t.paths} }

// Exists holds if p leads to a value.
func Exists(p Path) Test { return Test{attributeExists{p}, []Path{p}} }

// IsType holds if p leads to a value of type t.
func IsType(p Path, t item.Type) Test { return Test{&attributeType{p, t}, []Path{p}} }

// difference is <> of two values that must both be present, unlike that of
// condition expressions.
type difference struct{ left, right operand }

func (d *difference) eval(it item.Item) bool {
	left, right := d.left.resolve(it), d.right.resolve(it)
	return left.stored() != nil && right.stored() != nil && !left.equal(right)
}

// Compare relates two operands with = <> < <= > or >=. If an operand is missing
// it does not hold, whatever the operator.
func Compare(operator string, left, right Operand) (Test, error) {
	paths := slices.Concat(left.paths, right.paths)
	op := parseComparator(operator)
	if op == notEqual {
		return Test{&difference{left.operand, right.operand}, paths}, nil
	}
	var b conditionBinder
	if op.ordering() {
		b.ordered(operator, &left.operand, &right.operand)
	}
	return Test{&comparison{operator: op, left: left.operand, right: right.operand}, paths}, b.err()
}

// Between holds if of is at least low and at most high.
func Between(of, low, high Operand) (Test, error) {
	var b conditionBinder
	b.ordered("BETWEEN", &of.operand, &low.operand, &high.operand)
	b.bounds(&low.operand, &high.operand)
	return Test{&between{of.operand, low.operand, high.operand}, slices.Concat(of.paths, low.paths, high.paths)}, b.err()
}

// In holds if of equals one of among.
func In(of Operand, among []Operand) (Test, error) {
	if len(among) > maxInOperands {
		return Test{}, &Error{Text: fmt.Sprintf("The IN operator is provided with too many operands; number of operands: %d", len(among))}
	}
	p, paths := &membership{of: of.operand}, of.paths
	for _, o := range among {
		p.among = append(p.among, o.operand)
		paths = append(paths[:len(paths):len(paths)], o.paths...)
	}
	return Test{p, paths}, nil
}

// IsTestFunction reports whether name is a function that [Call] knows.
func IsTestFunction(name string) bool { return useOf(name) == useCondition }

// Call is one of the functions attribute_exists, attribute_not_exists,
// attribute_type, begins_with and contains.
func Call(name string, args []Operand) (Test, error) {
	var b conditionBinder
	count := 2
	if name == "attribute_exists" || name == "attribute_not_exists" {
		count = 1
	}
	if len(args) != count {
		b.note(operandCount, "Incorrect number of operands for operator or function; operator or function: %s, number of operands: %d",
			name, len(args))
		return Test{}, b.err()
	}
	t := Test{paths: args[0].paths}
	if count == 2 {
		t.paths = slices.Concat(args[0].paths, args[1].paths)
	}
	switch name {
	case "attribute_exists":
		b.documentPath(name, &args[0].operand)
		t.root = attributeExists{args[0].path}
	case "attribute_not_exists":
		b.documentPath(name, &args[0].operand)
		t.root = attributeNotExists{args[0].path}
	case "attribute_type":
		b.documentPath(name, &args[0].operand)
		t.root = &attributeType{path: args[0].path, is: b.typeName(&args[1].operand)}
	case "begins_with":
		for i := range args {
			if is := args[i].literalType(); is != 0 && is != item.S && is != item.B {
				b.operandType(name, is)
			}
		}
		t.root = &beginsWith{of: args[0].operand, prefix: args[1].operand}
	default:
		t.root = &contains{of: args[0].operand, part: args[1].operand}
	}
	return t, b.err()
}

// err returns the fault that counts, nil if there is none.
func (f *faults) err() error {
	if text := f.first(conditionBindFaults); text != "" {
		return &Error{Text: text}
	}
	return nil
}

// SetValue is a value to assign, made by [SetLiteral], [SetPath], [SetSum] or
// [SetListAppend].
type SetValue struct {
	value setValue
	is    item.Type // 0 if that depends on the item
	paths []Path
}

// SetLiteral is v itself.
func SetLiteral(v item.Value) SetValue { return SetValue{value: literalValue(v), is: v.Type()} }

// SetPath is the value that p leads to, which must exist.
func SetPath(p Path) SetValue { return SetValue{value: pathValue(p), paths: []Path{p}} }

// SetSum is left + right, or left - right; operator is the sign.
func SetSum(operator string, left, right SetValue) (SetValue, error) {
	var b updateBinder
	b.require(operator, item.N, left.is, right.is)
	v := &sum{left: left.value, right: right.value, subtract: operator == "-"}
	return SetValue{v, item.N, slices.Concat(left.paths, right.paths)}, b.err()
}

// SetListAppend is the list of the elements of first and then those of second.
func SetListAppend(first, second SetValue) (SetValue, error) {
	var b updateBinder
	b.require("list_append", item.L, first.is, second.is)
	v := &listAppend{first: first.value, second: second.value}
	return SetValue{v, item.L, slices.Concat(first.paths, second.paths)}, b.err()
}

// UpdateBuilder collects the actions of an update.
type UpdateBuilder struct{ update Update }

func (b *UpdateBuilder) add(target Path, a action, operands []Path) {
	b.update.add(target, a)
	b.update.paths = append(append(b.update.paths, target), operands...)
}

// Set assigns v to target.
func (b *UpdateBuilder) Set(target Path, v SetValue) {
	b.add(target, action{verb: verbSet, value: v.value}, v.paths)
}

// Remove removes what is at target.
func (b *UpdateBuilder) Remove(target Path) { b.add(target, action{verb: verbRemove}, nil) }

// AddMembers adds the members of set to the set at target, creating it.
func (b *UpdateBuilder) AddMembers(target Path, set item.Value) {
	b.add(target, action{verb: verbAdd, value: literalValue(set)}, nil)
}

// DeleteMembers takes the members of set out of the set at target.
func (b *UpdateBuilder) DeleteMembers(target Path, set item.Value) {
	b.add(target, action{verb: verbDelete, value: literalValue(set)}, nil)
}

// Update returns the update. It is an error if targets overlap.
func (b *UpdateBuilder) Update() (*Update, error) {
	u := b.update
	var f faults
	u.tree = newPathTree(u.targets, &f)
	if text := f.first(updateBindFaults); text != "" {
		return nil, &Error{Text: text}
	}
	return &u, nil
}

// Column is a value of a projection and the name it comes out under.
type Column struct {
	Path Path
	Name string
}

// NewColumns returns the projection on columns, whose names must be distinct.
// Values that are missing are left out.
func NewColumns(columns []Column) *Projection {
	p := &Projection{columns: columns, flat: true}
	for _, c := range columns {
		p.paths = append(p.paths, c.Path)
		p.names = append(p.names, c.Path[0].Name)
		p.flat = p.flat && len(c.Path) == 1
	}
	slices.Sort(p.names)
	p.names = slices.Compact(p.names)
	if p.flat {
		p.columns = nil // then the names are those of the attributes
	}
	return p
}

func applyColumns(columns []Column, it item.Item) item.Item {
	b := item.NewBuilder()
	for _, c := range columns {
		if v := c.Path.resolve(it); v != nil {
			b.Set(c.Name, v)
		}
	}
	return b.Item()
}

// Equal reports whether both lead to the same place.
func (p Path) Equal(q Path) bool { return p.equal(q) }
