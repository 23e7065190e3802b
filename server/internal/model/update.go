package model

import (
	"cmp"
	"slices"
)

// SetValue is the right side of SET. Op says what the other fields mean:
//
//	""               Operand
//	+ -              Args[0] and Args[1]
//	if_not_exists    Operand, a path, else Args[0]
//	list_append      Args[0] and Args[1]
type SetValue struct {
	Op      string
	Operand Operand
	Args    []*SetValue
}

// Action is one action of an update. By is what ADD adds and DELETE takes away.
type Action struct {
	Verb   string // SET, REMOVE, ADD or DELETE
	Target Path
	Set    *SetValue // of SET
	By     *Value    // of ADD and DELETE
}

// Update is an update expression.
type Update []Action

// Targets lists the paths that the update changes.
func (u Update) Targets() []Path {
	var paths []Path
	for _, a := range u {
		paths = append(paths, a.Target)
	}
	return paths
}

// Clashes reports whether two of the targets cannot stand in one update.
func (u Update) Clashes() bool { return clash(u.Targets()) }

// resolve computes the right side of SET from the item as it was.
func (s *SetValue) resolve(old Item) (*Value, error) {
	switch s.Op {
	case "":
		if v := s.Operand.value(old); v != nil {
			return v, nil
		}
		return nil, ErrValidation
	case "if_not_exists":
		if v := s.Operand.value(old); v != nil {
			return v, nil
		}
		return s.Args[0].resolve(old)
	}
	a, err := s.Args[0].resolve(old)
	if err != nil {
		return nil, err
	}
	b, err := s.Args[1].resolve(old)
	if err != nil {
		return nil, err
	}
	switch {
	case s.Op == "list_append" && a.Kind == "L" && b.Kind == "L":
		return List(slices.Concat(a.Elements, b.Elements)...), nil
	case s.Op != "list_append" && a.Kind == "N" && b.Kind == "N":
		if sum, ok := add(a, b, s.Op == "-"); ok {
			return sum, nil
		}
	}
	return nil, ErrValidation
}

// node is a value while an update changes it. List elements keep their places
// until all is done, so that every index means the place in the old list.
type node struct {
	value  *Value // of anything but an M or L
	fields map[string]*node
	list   []*node // nil is a removed element
	beyond []past  // elements to append
	kind   string
}

type past struct {
	index int
	node  *node
}

func open(v *Value) *node {
	n := &node{value: v, kind: v.Kind}
	switch v.Kind {
	case "M":
		n.fields = map[string]*node{}
		for name, field := range v.Fields {
			n.fields[name] = open(field)
		}
	case "L":
		for _, element := range v.Elements {
			n.list = append(n.list, open(element))
		}
	}
	return n
}

func (n *node) close() *Value {
	switch n.kind {
	case "M":
		fields := map[string]*Value{}
		for name, field := range n.fields {
			fields[name] = field.close()
		}
		return Map(fields)
	case "L":
		elements := []*Value{}
		for _, element := range n.list {
			if element != nil {
				elements = append(elements, element.close())
			}
		}
		slices.SortFunc(n.beyond, func(a, b past) int { return cmp.Compare(a.index, b.index) })
		for _, p := range n.beyond {
			elements = append(elements, p.node.close())
		}
		return List(elements...)
	}
	return n.value
}

// child finds what a step leads to, which may be nothing; ok is false if there is
// no such place.
func (n *node) child(s Step) (child *node, ok bool) {
	switch {
	case s.IsIndex && n.kind == "L":
		if s.Index < len(n.list) {
			return n.list[s.Index], true
		}
		return nil, true
	case !s.IsIndex && n.kind == "M":
		return n.fields[s.Name], true
	}
	return nil, false
}

// put sets what a step leads to; nil removes it.
func (n *node) put(s Step, child *node) {
	switch {
	case !s.IsIndex && child == nil:
		delete(n.fields, s.Name)
	case !s.IsIndex:
		n.fields[s.Name] = child
	case s.Index < len(n.list):
		n.list[s.Index] = child
	case child != nil:
		n.beyond = append(n.beyond, past{s.Index, child})
	}
}

// Writes reports whether the update can leave a value. One that only takes away
// creates no item.
func (u Update) Writes() bool {
	return slices.ContainsFunc(u, func(a Action) bool { return a.Verb == "SET" || a.Verb == "ADD" })
}

// Apply returns what the update makes of old, which is the item before it, or the
// key if there is none.
func (u Update) Apply(old Item) (Item, error) {
	root := open(Map(old))
	for _, a := range u {
		var by *Value
		switch a.Verb {
		case "SET":
			var err error
			if by, err = a.Set.resolve(old); err != nil {
				return nil, err
			}
		case "ADD", "DELETE":
			by = a.By
		}
		parent := root
		for _, s := range a.Target[:len(a.Target)-1] {
			next, ok := parent.child(s)
			if !ok || next == nil {
				return nil, ErrValidation
			}
			parent = next
		}
		last := a.Target[len(a.Target)-1]
		target, ok := parent.child(last)
		if !ok {
			return nil, ErrValidation
		}
		var have *Value
		if target != nil {
			have = target.value
		}
		v, err := a.change(have, by)
		if err != nil {
			return nil, err
		}
		if v == nil {
			parent.put(last, nil)
		} else {
			parent.put(last, open(v))
		}
	}
	return root.close().Fields, nil
}

// change is what an action makes of the value it finds, nil being none.
func (a Action) change(v, by *Value) (*Value, error) {
	switch a.Verb {
	case "SET":
		return by, nil
	case "REMOVE":
		return nil, nil
	}
	switch {
	case v == nil && a.Verb == "ADD":
		return by, nil
	case v == nil:
		return nil, nil
	case v.Kind != by.Kind:
		return nil, ErrValidation
	case v.Kind == "N":
		sum, ok := add(v, by, false)
		if !ok {
			return nil, ErrValidation
		}
		return sum, nil
	}
	var members []*Value
	for _, member := range v.Elements {
		if a.Verb == "ADD" || !by.has(member) {
			members = append(members, member)
		}
	}
	if a.Verb == "ADD" {
		for _, member := range by.Elements {
			if !v.has(member) {
				members = append(members, member)
			}
		}
	}
	if len(members) == 0 {
		return nil, nil
	}
	return Set(members...), nil
}
