package expression

import (
	"github.com/stator-db/stator/storage/item"
)

// Update parses and binds an update expression. The error is an [*Error].
func (b *Binder) Update(text string) (*Update, error) {
	tree, fault := updates.parse(KindUpdate, text)
	if fault != nil {
		return nil, fault
	}
	actions := 0
	for _, clause := range tree.Clauses {
		actions += len(clause.Set) + len(clause.Remove) + len(clause.Add) + len(clause.Delete)
	}
	ub := updateBinder{binder: b, update: &Update{
		actions: make([]action, 0, actions),
		targets: make([]Path, 0, actions),
		paths:   make([]Path, 0, 2*actions), // most operands are literals or one path
	}}
	for _, clause := range tree.Clauses {
		ub.clause(clause)
	}
	ub.update.tree = newPathTree(ub.update.targets, &ub.faults)
	if text := ub.first(updateBindFaults); text != "" {
		return nil, invalid(KindUpdate, text)
	}
	return ub.update, nil
}

// updateBinder binds one update. The whole expression is looked through for
// one class of faults before the next class counts.
type updateBinder struct {
	binder *Binder
	update *Update
	faults
}

func (b *updateBinder) path(p *pathSyntax) Path {
	path := b.binder.path(p, &b.faults)
	b.update.paths = append(b.update.paths, path)
	return path
}

func (b *updateBinder) clause(c *clauseSyntax) {
	for _, a := range c.Set {
		target := b.path(a.Path)
		value, _ := b.sum(a.Value)
		b.update.add(target, action{verb: verbSet, value: value})
	}
	for _, p := range c.Remove {
		b.update.add(b.path(p), action{verb: verbRemove})
	}
	for _, a := range c.Add {
		b.change(verbAdd, a)
	}
	for _, a := range c.Delete {
		b.change(verbDelete, a)
	}
}

func (u *Update) add(target Path, a action) {
	u.targets = append(u.targets, target)
	u.actions = append(u.actions, a)
}

// longTypeNames are the names of types that the errors of ADD and DELETE use.
var longTypeNames = [...]string{item.S: "STRING", item.N: "NUMBER", item.B: "BINARY", item.BOOL: "BOOLEAN", item.NULL: "NULL",
	item.M: "MAP", item.L: "LIST"}

// change binds an action of ADD, which takes numbers and sets, or DELETE, which
// takes sets.
func (b *updateBinder) change(verb verb, c *changeSyntax) {
	target := b.path(c.Path)
	v := b.binder.value(c.Value, &b.faults)
	switch t := v.Type(); {
	case t == 0, t == item.SS, t == item.NS, t == item.BS, t == item.N && verb == verbAdd:
	default:
		operator := "ADD"
		if verb == verbDelete {
			operator = "DELETE"
		}
		b.note(clauseOperandType, "Incorrect operand type for operator or function; operator: %s, operand type: %s", operator, longTypeNames[t])
	}
	b.update.add(target, action{verb: verb, value: literalValue(v)})
}

// sum binds a value to assign and returns its type, 0 if that depends on the
// item.
func (b *updateBinder) sum(s *sumSyntax) (setValue, item.Type) {
	left, leftType := b.term(s.Left)
	if s.More == nil {
		return left, leftType
	}
	right, rightType := b.term(s.More.Right)
	b.require(s.More.Operator, item.N, leftType, rightType)
	return &sum{left: left, right: right, subtract: s.More.Operator == "-"}, item.N
}

// require notes a fault if one of types is known and is not t.
func (b *updateBinder) require(operator string, t item.Type, types ...item.Type) {
	for _, u := range types {
		if u != 0 && u != t {
			b.note(operandType, "Incorrect operand type for operator or function; operator or function: %s, operand type: %v", operator, u)
		}
	}
}

func (b *updateBinder) term(t *termSyntax) (setValue, item.Type) {
	switch {
	case t.Group != nil:
		return b.sum(t.Group)
	case t.Value != "":
		v := b.binder.value(t.Value, &b.faults)
		return literalValue(v), v.Type()
	case t.Path != nil:
		return pathValue(b.path(t.Path)), 0
	}
	args := make([]setValue, len(t.Call.Args))
	types := make([]item.Type, len(t.Call.Args))
	for i, arg := range t.Call.Args {
		args[i], types[i] = b.term(arg)
	}
	if len(args) != 2 {
		b.note(operandCount, "Incorrect number of operands for operator or function; operator or function: %s, number of operands: %d",
			t.Call.Name, len(args))
		return nil, 0
	}
	if t.Call.Name == "list_append" {
		b.require("list_append", item.L, types...)
		return &listAppend{first: args[0], second: args[1]}, item.L
	}
	path, ok := args[0].(pathValue)
	if !ok {
		b.note(operandType, "Operator or function requires a document path; operator or function: if_not_exists")
	}
	return &ifNotExists{path: Path(path), fallback: args[1]}, 0
}
