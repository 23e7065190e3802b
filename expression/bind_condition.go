package expression

import (
	"encoding/base64"

	"github.com/stator-db/stator/storage/item"
)

// Condition parses and binds a condition or filter expression; kind says which
// of the two it is. The error is an [*Error].
func (b *Binder) Condition(kind Kind, text string) (*Condition, error) {
	tree, fault := conditions.parse(kind, text)
	if fault != nil {
		return nil, fault
	}
	cb := conditionBinder{binder: b, paths: make([]Path, 0, 2)}
	root := cb.or(tree)
	if cb.fault != "" {
		return nil, invalid(kind, cb.fault)
	}
	return &Condition{root: root, paths: cb.paths}, nil
}

// conditionBinder binds one condition. The tests in it are checked one after
// the other in written order, and the first that has any fault decides.
type conditionBinder struct {
	binder *Binder
	paths  []Path
	fault  string

	// of the test being bound
	faults
}

func (b *conditionBinder) or(n *orSyntax) predicate {
	if len(n.Terms) == 1 {
		return b.and(n.Terms[0])
	}
	terms := make(disjunction, 0, len(n.Terms))
	for _, t := range n.Terms {
		terms = append(terms, b.and(t))
	}
	return terms
}

func (b *conditionBinder) and(n *andSyntax) predicate {
	if len(n.Terms) == 1 {
		return b.factor(n.Terms[0])
	}
	terms := make(conjunction, 0, len(n.Terms))
	for _, t := range n.Terms {
		terms = append(terms, b.factor(t))
	}
	return terms
}

func (b *conditionBinder) factor(n *factorSyntax) predicate {
	switch {
	case n.Not != nil:
		return negation{b.factor(n.Not)}
	case n.Group != nil:
		return b.or(n.Group)
	}
	if b.fault != "" {
		return nil // an earlier test has decided
	}
	p := b.test(n.Test)
	b.fault = b.first(conditionBindFaults)
	return p
}

func (b *conditionBinder) test(t *testSyntax) predicate {
	if call := t.condition(); call != nil {
		return b.function(call)
	}
	first, relation := t.comparison()
	left := b.operand(first)
	switch {
	case relation.Low != nil:
		p := &between{of: left, low: b.operand(relation.Low), high: b.operand(relation.High)}
		b.distinct("BETWEEN", &p.of, &p.low, &p.high)
		b.ordered("BETWEEN", &p.of, &p.low, &p.high)
		b.bounds(&p.low, &p.high)
		return p
	case relation.In != nil:
		p := &membership{of: left, among: make([]operand, 0, len(relation.In))}
		for _, o := range relation.In {
			p.among = append(p.among, b.operand(o))
			b.distinct("IN", &p.of, &p.among[len(p.among)-1])
		}
		return p
	}
	p := &comparison{operator: parseComparator(relation.Comparator), left: left, right: b.operand(relation.Right)}
	b.distinct(relation.Comparator, &p.left, &p.right)
	if p.operator.ordering() {
		b.ordered(relation.Comparator, &p.left, &p.right)
	}
	return p
}

// operand binds an operand. Its faults are noted; what it returns in that case
// does not matter.
func (b *conditionBinder) operand(o *operandSyntax) operand {
	switch {
	case o.Path != nil:
		p := b.binder.path(o.Path, &b.faults)
		b.paths = append(b.paths, p)
		return operand{path: p}
	case o.Value != "":
		return operand{value: b.binder.value(o.Value, &b.faults)}
	}
	args := b.args(o.Call, 1)
	if args == nil {
		return operand{sizeOf: true}
	}
	of := args[0]
	switch of.literalType() {
	case item.N, item.BOOL, item.NULL:
		b.operandType("size", of.literalType())
	}
	of.sizeOf = true
	return of
}

// args binds the arguments of a function that takes count of them; nil means
// there are more or fewer.
func (b *conditionBinder) args(call *callSyntax, count int) []operand {
	args := make([]operand, 0, 2)
	for _, o := range call.Args {
		args = append(args, b.operand(o))
	}
	if len(args) != count {
		b.note(operandCount, "Incorrect number of operands for operator or function; operator or function: %s, number of operands: %d",
			call.Name, len(args))
		return nil
	}
	return args
}

// function binds a function that is a condition.
func (b *conditionBinder) function(call *callSyntax) predicate {
	count := 2
	switch call.Name {
	case "attribute_exists", "attribute_not_exists":
		count = 1
	}
	args := b.args(call, count)
	if args == nil {
		return nil
	}
	switch call.Name {
	case "attribute_exists":
		b.documentPath(call.Name, &args[0])
		return attributeExists{args[0].path}
	case "attribute_not_exists":
		b.documentPath(call.Name, &args[0])
		return attributeNotExists{args[0].path}
	}
	b.distinct(call.Name, &args[0], &args[1])
	switch call.Name {
	case "attribute_type":
		b.documentPath(call.Name, &args[0])
		return &attributeType{path: args[0].path, is: b.typeName(&args[1])}
	case "begins_with":
		for i := range args {
			if t := args[i].literalType(); t != 0 && t != item.S && t != item.B {
				b.operandType(call.Name, t)
			}
		}
		return &beginsWith{of: args[0], prefix: args[1]}
	}
	return &contains{of: args[0], part: args[1]}
}

// typeName reads the second argument of attribute_type.
func (b *conditionBinder) typeName(o *operand) item.Type {
	switch t := o.literalType(); {
	case o.isPath():
		b.note(operandType, "Incorrect operand type for operator or function; operator or function: attribute_type, "+
			"operand type: {NS,SS,L,BS,N,M,B,BOOL,NULL,S}")
		return 0
	case t != item.S:
		b.operandType("attribute_type", t)
		return 0
	}
	t, ok := item.ParseType(string(o.value.Bytes()))
	if !ok {
		b.note(operandType, "Invalid attribute type name found; type: %s, valid types: {B,NULL,SS,BOOL,L,BS,N,NS,S,M}", o.value.Bytes())
	}
	return t
}

func (b *conditionBinder) operandType(operator string, t item.Type) {
	if t == 0 {
		return // the operand itself is faulty
	}
	b.note(operandType, "Incorrect operand type for operator or function; operator or function: %s, operand type: %v", operator, t)
}

func (b *conditionBinder) documentPath(function string, o *operand) {
	if !o.isPath() {
		b.note(operandType, "Operator or function requires a document path; operator or function: %s", function)
	}
}

// distinct checks that the first operand is not a path that occurs again.
func (b *conditionBinder) distinct(operator string, first *operand, others ...*operand) {
	if !first.isPath() {
		return
	}
	for _, o := range others {
		if o.isPath() && o.path.equal(first.path) {
			b.note(operandsNotDistinct, "The first operand must be distinct from the remaining operands for this operator or function; "+
				"operator: %s, first operand: %v", operator, first.path)
		}
	}
}

// ordered checks that literal operands have an order.
func (b *conditionBinder) ordered(operator string, operands ...*operand) {
	for _, o := range operands {
		if t := o.literalType(); t != 0 && !isOrdered(t) {
			b.operandType(operator, t)
		}
	}
}

// bounds checks the bounds of BETWEEN if both are literals.
func (b *conditionBinder) bounds(low, high *operand) {
	if low.sizeOf || high.sizeOf || !isOrdered(low.literalType()) || !isOrdered(high.literalType()) {
		return
	}
	order, same := item.Compare(low.value, high.value)
	switch {
	case !same:
		b.note(operandType, "The BETWEEN operator requires same data type for lower and upper bounds; "+
			"lower bound operand: %s, upper bound operand: %s", printScalar(low.value), printScalar(high.value))
	case order > 0:
		b.note(operandType, "The BETWEEN operator requires upper bound to be greater than or equal to lower bound; "+
			"lower bound operand: %s, upper bound operand: %s", printScalar(low.value), printScalar(high.value))
	}
}

// printScalar prints an S, N or B as errors do: AttributeValue: {S:a}.
func printScalar(v item.Value) string {
	text := string(v.Bytes())
	if v.Type() == item.B {
		text = base64.StdEncoding.EncodeToString(v.Bytes())
	}
	return "AttributeValue: {" + v.Type().String() + ":" + text + "}"
}
