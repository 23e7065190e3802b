package partiql

import (
	"strconv"

	"github.com/stator-db/stator/expression"
	"github.com/stator-db/stator/storage/item"
)

// Kind says what a statement does.
type Kind int

// The statements. An EXISTS is a condition in a transaction of writes.
const (
	Select Kind = iota
	Insert
	Update
	Delete
	Exists
)

// Command is a statement with the values of its parameters.
type Command struct {
	Kind  Kind
	Table string // name or ARN
	Index string // empty reads the table; never set for Insert

	// Fault is what is wrong with the select list. It counts only after the index
	// has been looked at.
	Fault error

	// Columns are what Select and Exists project; nil is everything.
	Columns []expression.Column
	Order   []Order
	Where   *Where // nil is everything; not of Insert

	Item   item.Item          // of Insert
	Update *expression.Update // of Update

	Returning Returning
}

// Order is a term of ORDER BY.
type Order struct {
	Attribute  string
	Descending bool
}

// Returning is a RETURNING clause; the zero value is none.
type Returning struct {
	All, Modified bool // the whole item, or what the statement changed
	New           bool // after the statement, else before it
}

// IsWrite reports whether the command belongs among writes.
func (c *Command) IsWrite() bool { return c.Kind != Select }

// Bind fills in the parameters, in the order in which they are written, and
// translates the statement. The command keeps the values. The error is an
// [*Error].
func (s *Statement) Bind(parameters []item.Value) (*Command, error) {
	if len(parameters) != s.parameters {
		return nil, errorf("Number of parameters in request and statement don't match.")
	}
	b := &binder{parameters: parameters}
	c, fault := b.command(s.syntax)
	if fault != nil {
		return nil, fault
	}
	return c, nil
}

func (b *binder) parameter(text string) item.Value {
	i, err := strconv.Atoi(text[1:])
	if err != nil || i >= len(b.parameters) {
		return nil
	}
	return b.parameters[i]
}

func (b *binder) command(s *statementSyntax) (*Command, *Error) {
	switch {
	case s.Select != nil:
		return b.selection(Select, s.Select)
	case s.Exists != nil:
		return b.selection(Exists, s.Exists.Select)
	case s.Insert != nil:
		return b.insert(s.Insert)
	case s.Delete != nil:
		c := newCommand(Delete, s.Delete.Table.Path, s.Delete.Returning)
		return c, b.where(c, s.Delete.Where)
	case s.Update != nil:
		return b.change(s.Update.Table, s.Update.Changes, s.Update.Where, s.Update.Returning)
	}
	u := s.FromUpdate
	return b.change(u.Table, u.Changes, u.Where, u.Returning)
}

func newCommand(kind Kind, source []*partSyntax, r *returningSyntax) *Command {
	c := &Command{Kind: kind, Table: unquote(source[0].Name)}
	if len(source) > 1 {
		c.Index = unquote(source[1].Name)
	}
	if r != nil {
		c.Returning = Returning{All: r.Scope == "ALL", Modified: r.Scope == "MODIFIED", New: r.Image == "NEW"}
	}
	return c
}

func (b *binder) where(c *Command, n *orSyntax) *Error {
	if n == nil {
		return nil
	}
	root, fault := b.or(n)
	c.Where = &Where{root}
	return fault
}

func (b *binder) change(source *sourceSyntax, changes []*changeSyntax, where *orSyntax, r *returningSyntax) (*Command, *Error) {
	c := newCommand(Update, source.Path, r)
	var fault *Error
	if c.Update, fault = b.update(changes); fault != nil {
		return nil, fault
	}
	return c, b.where(c, where)
}

func (b *binder) selection(kind Kind, s *selectSyntax) (*Command, *Error) {
	c := newCommand(kind, s.From.Path, nil)
	if fault := b.where(c, s.Where); fault != nil {
		return nil, fault
	}
	for _, o := range s.Order {
		if len(o.Path.Steps) > 0 {
			return nil, errorf("Argument to ORDER BY must be of type VariableReference. Type: Path")
		}
		c.Order = append(c.Order, Order{Attribute: unquote(o.Path.Name), Descending: o.Direction == "DESC"})
	}
	c.Columns, c.Fault = columns(s.Items)
	return c, nil
}

// columns binds a select list; nil is everything.
func columns(items []*selectItemSyntax) ([]expression.Column, error) {
	if items[0].Star {
		return nil, nil
	}
	columns := make([]expression.Column, 0, len(items))
	seen := make(map[string]bool, len(items))
	for _, i := range items {
		u := i.Expression.operand()
		if !u.isPath() {
			return nil, errorf("Unexpected path component%s", at(i.Pos, i.Expression.first()))
		}
		p, fault := path(u.Name, u.Steps)
		if fault != nil {
			return nil, fault
		}
		name := columnName(p)
		if seen[name] {
			return nil, errorf("Duplicate identifiers in select clause: %s", name)
		}
		seen[name] = true
		columns = append(columns, expression.Column{Path: p, Name: name})
	}
	return columns, nil
}

// insert binds an INSERT. Its values are literals or parameters.
func (b *binder) insert(s *insertSyntax) (*Command, *Error) {
	c := newCommand(Insert, s.Into.Path[:1], nil)
	t := s.Value.operand().term()
	if t == nil || t.Struct == nil {
		return nil, errorf("Unsupported format in item expression. Please use struct format {...} to express item values for insert statement.")
	}
	it := item.NewBuilder()
	for _, f := range t.Struct.Fields {
		name, fault := f.key()
		switch {
		case fault != nil:
			return nil, fault
		case name == "":
			return nil, errorf("Empty attribute name")
		}
		var v item.Value
		if p := f.Value.operand().parameter(); p != "" {
			v = b.parameter(p)
		} else if v, fault = literal(f.Value, "root", 0); fault != nil {
			return nil, fault
		}
		it.Set(name, v)
	}
	c.Item = it.Item()
	return c, nil
}
