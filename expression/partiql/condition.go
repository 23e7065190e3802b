package partiql

import (
	"github.com/stator-db/stator/expression"
	"github.com/stator-db/stator/storage/item"
)

// condition is a node of a bound WHERE clause. Beside the test that it is, it
// keeps the structure by which keys are found.
type condition struct {
	kind condKind
	of   []*condition // of conjunctions and disjunctions
	test expression.Test
	key  *keyTest // of comparisons of a top-level attribute with values
}

type condKind int

const (
	leaf condKind = iota // also negations: what is inside them fixes no key
	conjunction
	disjunction
)

// keyTest is a comparison that can restrict what is read. In stands for any of
// Values, else they are as in [expression.KeyTerm].
type keyTest struct {
	expression.KeyTerm
	In bool
}

// binder translates one statement with its parameters.
type binder struct{ parameters []item.Value }

func (b *binder) or(n *orSyntax) (*condition, *Error) {
	terms := n.terms()
	if len(terms) == 1 {
		return b.and(terms[0])
	}
	c := &condition{kind: disjunction}
	for _, t := range terms {
		of, fault := b.and(t)
		if fault != nil {
			return nil, fault
		}
		c.add(of)
	}
	c.test = expression.Any(c.tests()...)
	return c, nil
}

func (b *binder) and(n *andSyntax) (*condition, *Error) {
	if len(n.Terms) == 1 {
		return b.relation(n.Terms[0])
	}
	c := &condition{kind: conjunction}
	for _, t := range n.Terms {
		of, fault := b.relation(t)
		if fault != nil {
			return nil, fault
		}
		c.add(of)
	}
	c.test = expression.All(c.tests()...)
	return c, nil
}

// add appends a part; parts of the same kind in parentheses are taken in.
func (c *condition) add(part *condition) {
	if part.kind == c.kind {
		c.of = append(c.of, part.of...)
		return
	}
	c.of = append(c.of, part)
}

func (c *condition) tests() []expression.Test { return testsOf(c.of) }

func testsOf(parts []*condition) []expression.Test {
	tests := make([]expression.Test, len(parts))
	for i, p := range parts {
		tests[i] = p.test
	}
	return tests
}

// relation binds comparisons, or an operand that is a condition by itself.
func (b *binder) relation(n *relationSyntax) (*condition, *Error) {
	c, fault := b.positive(n)
	if fault != nil || len(n.Not) == 0 {
		return c, fault
	}
	t := c.test
	for range n.Not {
		t = expression.Not(t)
	}
	return &condition{test: t}, nil
}

// positive is relation without the NOT.
func (b *binder) positive(n *relationSyntax) (*condition, *Error) {
	if len(n.More) == 0 {
		return b.truth(n.Left)
	}
	left, fault := b.operand(n.Left)
	if fault != nil {
		return nil, fault
	}
	var c *condition
	for i, m := range n.More {
		if i > 0 {
			left = expression.TestOperand(c.test)
		}
		if c, fault = b.compare(left, m); fault != nil {
			return nil, fault
		}
	}
	return c, nil
}

// truth binds an operand that must be a condition.
func (b *binder) truth(n *sumSyntax) (*condition, *Error) {
	u := n.operand()
	if inner := u.group(); inner != nil {
		return b.or(inner)
	}
	if _, call := u.call(); call != nil {
		return b.function(u)
	}
	if u.term() != nil && u.parameter() == "" {
		return nil, errorf("Unsupported token in expression: %s", n.operation())
	}
	return nil, errorf("Unsupported operator in Condition Expression. Operator: %s", n.operation())
}

func unrecognized(u *operandSyntax) *Error {
	name, _ := u.call()
	return errorf("Unrecognized function: %s%s", u.functionName(), at(u.Pos, name))
}

// function binds a function that is a condition.
func (b *binder) function(u *operandSyntax) (*condition, *Error) {
	name := u.functionName()
	_, call := u.call()
	if !expression.IsTestFunction(name) || call.Star {
		return nil, unrecognized(u)
	}
	args, fault := b.arguments(call)
	if fault != nil {
		return nil, fault
	}
	t, err := expression.Call(name, args)
	c := &condition{test: t}
	if err == nil && name == "begins_with" && isAttribute(args[0]) && isLiteral(args[1]) {
		c.key = &keyTest{KeyTerm: expression.KeyTerm{Name: args[0].Path()[0].Name, Op: expression.KeyBeginsWith, Values: literals(args[1:])}}
	}
	return c, fromExpression(err)
}

func (b *binder) arguments(call *callSyntax) ([]expression.Operand, *Error) {
	args := make([]expression.Operand, 0, 2)
	for _, a := range call.Args {
		o, fault := b.expression(a)
		if fault != nil {
			return nil, fault
		}
		args = append(args, o)
	}
	return args, nil
}

// expression binds an operand that may be a condition.
func (b *binder) expression(n *orSyntax) (expression.Operand, *Error) {
	if s := n.sum(); s != nil {
		return b.operand(s)
	}
	c, fault := b.or(n)
	if fault != nil {
		return expression.Operand{}, fault
	}
	return expression.TestOperand(c.test), nil
}

// operand binds an operand of a comparison.
func (b *binder) operand(n *sumSyntax) (expression.Operand, *Error) {
	none := expression.Operand{}
	u := n.operand()
	if u == nil {
		return none, errorf("Unsupported operator in Condition Expression. Operator: %s", n.More[0].Operator)
	}
	if inner := u.group(); inner != nil {
		return b.expression(inner)
	}
	if u.isPath() {
		p, fault := path(u.Name, u.Steps)
		return expression.PathOperand(p), fault
	}
	if len(u.Steps) > 0 {
		return none, unexpectedComponent(u.Steps[0])
	}
	if _, call := u.call(); call != nil {
		return b.call(u, call)
	}
	v, fault := b.value(u)
	return expression.ValueOperand(v), fault
}

// call binds a function as an operand.
func (b *binder) call(u *operandSyntax, call *callSyntax) (expression.Operand, *Error) {
	none := expression.Operand{}
	if u.functionName() != "size" {
		c, fault := b.function(u)
		if fault != nil {
			return none, fault
		}
		return expression.TestOperand(c.test), nil
	}
	args, fault := b.arguments(call)
	if fault != nil {
		return none, fault
	}
	if len(args) != 1 {
		return none, errorf("Incorrect number of operands for operator or function; operator or function: size, number of operands: %d", len(args))
	}
	o, err := expression.SizeOperand(args[0])
	return o, fromExpression(err)
}

// value binds a literal or a parameter.
func (b *binder) value(u *operandSyntax) (item.Value, *Error) {
	if p := u.parameter(); p != "" {
		return b.parameter(p), nil
	}
	return literalOperand(u, "root", 0)
}

// compare binds a comparison whose first operand is bound.
func (b *binder) compare(left expression.Operand, n *compareSyntax) (*condition, *Error) {
	switch {
	case n.Comparator != "":
		right, fault := b.operand(n.Right)
		if fault != nil {
			return nil, fault
		}
		operator := n.Comparator
		if operator == "!=" {
			operator = "<>"
		}
		t, err := expression.Compare(operator, left, right)
		return &condition{test: t, key: comparisonKey(operator, left, right)}, fromExpression(err)
	case n.Is != nil:
		return isTest(left, n.Is)
	case n.NotRange != nil:
		c, fault := b.between(left, n.NotRange)
		if fault != nil {
			return nil, fault
		}
		return &condition{test: expression.Not(c.test)}, nil
	}
	return b.between(left, n.Range)
}

// between binds BETWEEN and IN.
func (b *binder) between(left expression.Operand, n *rangeSyntax) (*condition, *Error) {
	switch {
	case n.Low != nil:
		low, fault := b.operand(n.Low)
		if fault != nil {
			return nil, fault
		}
		high, fault := b.operand(n.High)
		if fault != nil {
			return nil, fault
		}
		t, err := expression.Between(left, low, high)
		c := &condition{test: t}
		if isAttribute(left) && isLiteral(low) && isLiteral(high) {
			values := literals([]expression.Operand{low, high})
			c.key = &keyTest{KeyTerm: expression.KeyTerm{Name: left.Path()[0].Name, Op: expression.KeyBetween, Values: values}}
		}
		return c, fromExpression(err)
	case n.In != nil:
		among, fault := b.among(n.In)
		if fault != nil {
			return nil, fault
		}
		t, err := expression.In(left, among)
		c := &condition{test: t}
		if values := literals(among); isAttribute(left) && len(values) == len(among) {
			c.key = &keyTest{KeyTerm: expression.KeyTerm{Name: left.Path()[0].Name, Values: values}, In: true}
		}
		return c, fromExpression(err)
	}
	return nil, errorf("Unsupported operator in Condition Expression. Operator: LIKE")
}

// among binds what follows IN: a list in parentheses or brackets, a set, or a
// parameter that is a list.
func (b *binder) among(n *sumSyntax) ([]expression.Operand, *Error) {
	u := n.operand()
	var members []*orSyntax
	switch {
	case u.term() == nil || u.Name != "" || u.Function != "":
		return nil, errorf("Unsupported operator in Condition Expression. Operator: IN")
	case u.Group != nil:
		members = u.Group
		if len(members) == 1 { // x IN ([1, 2]) is x IN [1, 2]
			if inner := members[0].operand().term(); inner != nil && inner.List != nil {
				members = inner.List.Elements
			}
		}
	case u.List != nil:
		members = u.List.Elements
	case u.Bag != nil:
		members = u.Bag.Members
	default:
		v, fault := b.value(u)
		if fault != nil {
			return nil, fault
		}
		var among []expression.Operand
		for e := range v.Elements() {
			among = append(among, expression.ValueOperand(e))
		}
		if among == nil {
			return nil, errorf("Incorrect operand type for operator or function; operator or function: IN, operand type: %v", v.Type())
		}
		return among, nil
	}
	among := make([]expression.Operand, 0, len(members))
	for _, m := range members {
		o, fault := b.expression(m)
		if fault != nil {
			return nil, fault
		}
		among = append(among, o)
	}
	return among, nil
}

// isTypes are the types that IS tests for.
var isTypes = map[string]item.Type{
	"NULL": item.NULL, "BOOL": item.BOOL, "BOOLEAN": item.BOOL, "BLOB": item.B, "STRING": item.S,
	"NUMERIC": item.N, "STRUCT": item.M, "TUPLE": item.M, "LIST": item.L,
}

func isTest(left expression.Operand, n *isSyntax) (*condition, *Error) {
	if !left.IsPath() {
		return nil, errorf("Operator or function requires a document path; operator or function: IS")
	}
	var t expression.Test
	switch is, known := isTypes[n.Type]; {
	case n.Type == "MISSING":
		t = expression.Not(expression.Exists(left.Path()))
	case known:
		t = expression.IsType(left.Path(), is)
	default:
		return nil, errorf("Unsupported data type for IS operator: %s. Supported data types are [MISSING, NULL, BOOLEAN, BLOB, STRING, NUMERIC, STRUCT, TUPLE, LIST]", n.Type)
	}
	if n.Not {
		t = expression.Not(t)
	}
	return &condition{test: t}, nil
}

// comparisonKey returns what a comparison says about an attribute, nil if it
// cannot restrict what is read.
func comparisonKey(operator string, left, right expression.Operand) *keyTest {
	ops := map[string][2]expression.KeyOp{
		"=": {expression.KeyEq, expression.KeyEq}, "<": {expression.KeyLt, expression.KeyGt}, "<=": {expression.KeyLe, expression.KeyGe},
		">": {expression.KeyGt, expression.KeyLt}, ">=": {expression.KeyGe, expression.KeyLe},
	}
	op, known := ops[operator]
	switch {
	case !known:
		return nil
	case isAttribute(left) && isLiteral(right):
		v, _ := right.Value()
		return &keyTest{KeyTerm: expression.KeyTerm{Name: left.Path()[0].Name, Op: op[0], Values: []item.Value{v}}}
	case isAttribute(right) && isLiteral(left):
		v, _ := left.Value()
		return &keyTest{KeyTerm: expression.KeyTerm{Name: right.Path()[0].Name, Op: op[1], Values: []item.Value{v}}}
	}
	return nil
}

func isAttribute(o expression.Operand) bool { return o.IsPath() && len(o.Path()) == 1 }

func isLiteral(o expression.Operand) bool {
	_, ok := o.Value()
	return ok
}

// literals returns the values of those operands that are literals.
func literals(operands []expression.Operand) []item.Value {
	values := make([]item.Value, 0, len(operands))
	for _, o := range operands {
		if v, ok := o.Value(); ok {
			values = append(values, v)
		}
	}
	return values
}
