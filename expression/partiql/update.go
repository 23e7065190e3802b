package partiql

import (
	"strings"

	"github.com/stator-db/stator/expression"
	"github.com/stator-db/stator/storage/item"
)

// update binds the SET and REMOVE clauses of an UPDATE, as one update: values
// are those of the item before it.
func (b *binder) update(changes []*changeSyntax) (*expression.Update, *Error) {
	var u expression.UpdateBuilder
	for _, c := range changes {
		for _, a := range c.Set {
			target, fault := path(a.Path.Name, a.Path.Steps)
			if fault != nil {
				return nil, fault
			}
			if fault := b.assign(&u, target, a.Value); fault != nil {
				return nil, fault
			}
		}
		for _, p := range c.Remove {
			target, fault := path(p.Name, p.Steps)
			if fault != nil {
				return nil, fault
			}
			u.Remove(target)
		}
	}
	update, err := u.Update()
	return update, fromExpression(err)
}

// assign binds one assignment. Two functions may only change the set that is
// assigned to, and so are actions rather than values.
func (b *binder) assign(u *expression.UpdateBuilder, target expression.Path, value *orSyntax) *Error {
	operand := value.operand()
	if name, call := operand.call(); call != nil {
		switch operand.functionName() {
		case "set_add":
			set, fault := b.members(operand, name, call, target)
			if fault == nil {
				u.AddMembers(target, set)
			}
			return fault
		case "set_delete":
			set, fault := b.members(operand, name, call, target)
			if fault == nil {
				u.DeleteMembers(target, set)
			}
			return fault
		}
	}
	v, fault := b.setValue(value)
	if fault == nil {
		u.Set(target, v)
	}
	return fault
}

// members binds the arguments of set_add or set_delete, which must be the target
// and a set.
func (b *binder) members(u *operandSyntax, written string, call *callSyntax, target expression.Path) (item.Value, *Error) {
	name := strings.ToUpper(u.functionName())
	if len(call.Args) != 2 {
		return nil, errorf("%s must have exactly two arguments%s", name, at(u.Pos, written))
	}
	first := call.Args[0].operand()
	isTarget := first.isPath()
	if isTarget {
		p, fault := path(first.Name, first.Steps)
		if fault != nil {
			return nil, fault
		}
		isTarget = p.Equal(target)
	}
	if !isTarget {
		return nil, errorf("The first argument to %s must equal the assignment value%s", name, at(u.Pos, written))
	}
	var set item.Value
	if second := call.Args[1].operand(); second.term() != nil && second.Name == "" && second.Function == "" {
		var fault *Error
		if set, fault = b.value(second); fault != nil {
			return nil, fault
		}
	}
	switch set.Type() {
	case item.SS, item.NS, item.BS:
		return set, nil
	}
	return nil, errorf("The second argument to %s must be a value with type SET%s", name, at(first.Pos, first.Name))
}

// setValue binds a value to assign.
func (b *binder) setValue(n *orSyntax) (expression.SetValue, *Error) {
	none := expression.SetValue{}
	s := n.sum()
	if s == nil {
		return none, errorf("Unsupported operator in Update Expression. Operator: %s", n.operation())
	}
	v, fault := b.setTerm(s.Left)
	if fault != nil {
		return none, fault
	}
	for _, m := range s.More {
		right, fault := b.setTerm(m.Right)
		if fault != nil {
			return none, fault
		}
		if m.Operator != "+" && m.Operator != "-" {
			return none, errorf("Unsupported operator in Update Expression. Operator: %s", m.Operator)
		}
		var err error
		if v, err = expression.SetSum(m.Operator, v, right); err != nil {
			return none, fromExpression(err)
		}
	}
	return v, nil
}

func (b *binder) setTerm(u *operandSyntax) (expression.SetValue, *Error) {
	none := expression.SetValue{}
	if inner := u.group(); inner != nil {
		return b.setValue(inner)
	}
	if u.isPath() {
		p, fault := path(u.Name, u.Steps)
		return expression.SetPath(p), fault
	}
	if len(u.Steps) > 0 {
		return none, unexpectedComponent(u.Steps[0])
	}
	_, call := u.call()
	if call == nil {
		v, fault := b.value(u)
		return expression.SetLiteral(v), fault
	}
	switch u.functionName() {
	case "list_append":
		return b.listAppend(call)
	case "set_add", "set_delete":
		return none, unsupportedValue(u, "root")
	}
	return none, unrecognized(u)
}

func (b *binder) listAppend(call *callSyntax) (expression.SetValue, *Error) {
	none := expression.SetValue{}
	if len(call.Args) != 2 {
		return none, errorf("Incorrect number of operands for operator or function; operator or function: list_append, number of operands: %d", len(call.Args))
	}
	first, fault := b.setValue(call.Args[0])
	if fault != nil {
		return none, fault
	}
	second, fault := b.setValue(call.Args[1])
	if fault != nil {
		return none, fault
	}
	v, err := expression.SetListAppend(first, second)
	return v, fromExpression(err)
}
