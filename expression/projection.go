package expression

import (
	"slices"

	"github.com/stator-db/stator/storage/item"
)

// Projection is a bound projection expression. It is immutable and safe for
// concurrent use.
type Projection struct {
	paths []Path
	names []string // top-level attributes, sorted
	tree  *pathTree

	// flat is set if all paths name top-level attributes
	flat bool

	// columns is set if values come out under names of their own; then there is
	// no tree
	columns []Column
}

// Projection parses and binds a projection expression. The error is an
// [*Error].
func (b *Binder) Projection(text string) (*Projection, error) {
	syntax, fault := projections.parse(KindProjection, text)
	if fault != nil {
		return nil, fault
	}
	var f faults
	p := newProjection(b.paths(syntax.Paths, &f), &f)
	if text := f.first(projectionBindFaults); text != "" {
		return nil, invalid(KindProjection, text)
	}
	return p, nil
}

// NewAttributeList returns the projection on top-level attributes that the
// legacy parameter AttributesToGet stands for. The names must be distinct.
func NewAttributeList(names []string) *Projection {
	paths := make([]Path, len(names))
	for i, name := range names {
		paths[i] = Path{{Name: name}}
	}
	var ignored faults // a repeated name changes nothing
	return newProjection(paths, &ignored)
}

func newProjection(paths []Path, f *faults) *Projection {
	p := &Projection{paths: paths, tree: newPathTree(paths, f), flat: true}
	p.names = make([]string, 0, len(p.tree.children))
	for _, c := range p.tree.children {
		p.names = append(p.names, c.step.Name)
		p.flat = p.flat && c.isLeaf()
	}
	return p
}

// Paths returns the projected paths in written order. The caller must not
// change it.
func (p *Projection) Paths() []Path { return p.paths }

// TopLevel returns the names of the top-level attributes that the projection
// reads, sorted and without repetition. The caller must not change it.
func (p *Projection) TopLevel() []string { return p.names }

// Apply returns the part of it that the paths lead to (Developer Guide, "Using
// projection expressions"). Nesting is kept, so the value at a.b is found at
// a.b in the result; list elements move up to fill the gaps between them.
// Paths that lead nowhere are left out, with the maps and lists that would be
// empty. The result is an item without attributes if nothing is left, and nil
// if it is nil.
func (p *Projection) Apply(it item.Item) item.Item {
	if it == nil {
		return nil
	}
	switch {
	case p.columns != nil:
		return applyColumns(p.columns, it)
	case p.flat:
		return it.Project(p.names)
	}
	b := item.NewBuilder()
	for _, c := range p.tree.children {
		if v := c.project(it.Get(c.step.Name)); v != nil {
			b.Set(c.step.Name, v)
		}
	}
	return b.Item()
}

// ProjectPaths returns the part of it that paths lead to, as
// [Projection.Apply] does. It serves the ReturnValues modes UPDATED_OLD and
// UPDATED_NEW, whose result is the projection of the old or new item on the
// targets of the update.
func ProjectPaths(it item.Item, paths []Path) item.Item {
	var ignored faults // of paths that overlap, the earlier one counts
	return newProjection(paths, &ignored).Apply(it)
}

// project returns the part of v that the paths of t lead to, nil if none does.
// Children and stored entries have the same order, so one pass does it.
func (t *pathTree) project(v item.Value) item.Value {
	if t.isLeaf() || v == nil {
		return v
	}
	if t.byIndex() {
		return t.projectList(v)
	}
	return t.projectMap(v)
}

func (t *pathTree) projectList(v item.Value) item.Value {
	if v.Type() != item.L {
		return nil
	}
	wanted, i := t.children, 0
	var kept []item.Value
	for elem := range v.Elements() {
		if i == wanted[0].step.Index {
			if part := wanted[0].project(elem); part != nil {
				kept = append(kept, part)
			}
			if wanted = wanted[1:]; len(wanted) == 0 {
				break
			}
		}
		i++
	}
	if len(kept) == 0 {
		return nil
	}
	return item.List(kept...)
}

func (t *pathTree) projectMap(v item.Value) item.Value {
	if v.Type() != item.M {
		return nil
	}
	wanted := t.children
	kept := make(map[string]item.Value, len(wanted))
	for name, field := range v.Fields() {
		skip := slices.IndexFunc(wanted, func(c *pathTree) bool { return c.step.Name >= string(name) })
		if skip < 0 {
			break
		}
		if wanted = wanted[skip:]; wanted[0].step.Name == string(name) {
			if part := wanted[0].project(field); part != nil {
				kept[wanted[0].step.Name] = part
			}
		}
	}
	if len(kept) == 0 {
		return nil
	}
	return item.Map(kept)
}
