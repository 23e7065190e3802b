package model

import "slices"

// Step goes into a map or, with IsIndex, into a list.
type Step struct {
	Name    string
	Index   int
	IsIndex bool
}

// Path is a document path; its first step is an attribute.
type Path []Step

// Resolve finds what the path leads to, or nil.
func (p Path) Resolve(it Item) *Value {
	if it == nil {
		return nil
	}
	v := Map(it)
	for _, s := range p {
		switch {
		case s.IsIndex && v.Kind == "L" && s.Index < len(v.Elements):
			v = v.Elements[s.Index]
		case !s.IsIndex && v.Kind == "M" && v.Fields[s.Name] != nil:
			v = v.Fields[s.Name]
		default:
			return nil
		}
	}
	return v
}

// Clash reports whether two paths cannot stand in one update or projection: they
// are equal, one leads to a place inside the other's, or they take the same node
// for a map and for a list.
func (p Path) Clash(q Path) bool {
	for i := range min(len(p), len(q)) {
		if p[i].IsIndex != q[i].IsIndex {
			return true
		}
		if p[i] != q[i] {
			return false
		}
	}
	return true
}

// clash reports whether any two of the paths clash.
func clash(paths []Path) bool {
	for i, p := range paths {
		if slices.ContainsFunc(paths[:i], p.Clash) {
			return true
		}
	}
	return false
}

// Project returns what a projection by the paths leaves of the item.
func Project(it Item, paths []Path) Item {
	v := project(Map(it), paths)
	if v == nil {
		return Item{}
	}
	return v.Fields
}

// project keeps what the paths lead to from v on; nil if that is nothing.
func project(v *Value, paths []Path) *Value {
	if slices.ContainsFunc(paths, func(p Path) bool { return len(p) == 0 }) {
		return v
	}
	under := func(s Step) (rest []Path) {
		for _, p := range paths {
			if p[0] == s {
				rest = append(rest, p[1:])
			}
		}
		return rest
	}
	switch v.Kind {
	case "M":
		fields := map[string]*Value{}
		for name, field := range v.Fields {
			if rest := under(Step{Name: name}); rest != nil {
				if kept := project(field, rest); kept != nil {
					fields[name] = kept
				}
			}
		}
		if len(fields) > 0 {
			return Map(fields)
		}
	case "L":
		var elements []*Value
		for i, element := range v.Elements {
			if rest := under(Step{Index: i, IsIndex: true}); rest != nil {
				if kept := project(element, rest); kept != nil {
					elements = append(elements, kept)
				}
			}
		}
		if len(elements) > 0 {
			return List(elements...)
		}
	}
	return nil
}
