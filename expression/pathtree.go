package expression

import (
	"cmp"
	"slices"
)

// pathTree is a set of paths of which none is a prefix of another, merged into
// a tree. A node stands for the step that leads to it; the root stands for the
// item. Children of one node are all names or all indexes.
type pathTree struct {
	step     Step
	children []*pathTree
	index    map[Step]*pathTree // of children while paths are inserted and there are many

	// path is the position, in the order of insertion, of the path that ends
	// here, or, for an inner node, of the first one that passes through.
	path int
}

func (t *pathTree) isLeaf() bool { return len(t.children) == 0 }

// byIndex reports whether the children of t are list elements.
func (t *pathTree) byIndex() bool { return len(t.children) > 0 && t.children[0].step.IsIndex }

// newPathTree merges paths. It notes overlapping and conflicting paths in f;
// the tree is usable only if there are none.
func newPathTree(paths []Path, f *faults) *pathTree {
	root := &pathTree{}
	for i, p := range paths {
		other, class := root.insert(p, i)
		switch class {
		case pathsOverlap:
			f.note(pathsOverlap, "Two document paths overlap with each other; must remove or rewrite one of these paths; "+
				"path one: %v, path two: %v", paths[other], p)
		case pathsConflict:
			f.note(pathsConflict, "Two document paths conflict with each other; must remove or rewrite one of these paths; "+
				"path one: %v, path two: %v", paths[other], p)
		}
	}
	root.sort()
	return root
}

// insert adds p as the i-th path. If that is not possible it returns the
// position of an earlier path and what stands between the two.
func (t *pathTree) insert(p Path, i int) (other int, class faultClass) {
	fresh := false
	for depth, s := range p {
		if depth > 0 && !fresh && t.isLeaf() {
			return t.path, pathsOverlap
		}
		if !t.isLeaf() && t.byIndex() != s.IsIndex {
			return t.children[0].path, pathsConflict
		}
		next := t.child(s)
		if fresh = next == nil; fresh {
			next = t.addChild(s, i)
		}
		t = next
	}
	if !fresh {
		return t.path, pathsOverlap
	}
	return 0, faultClasses
}

func (t *pathTree) child(s Step) *pathTree {
	if t.index != nil {
		return t.index[s]
	}
	for _, c := range t.children {
		if c.step == s {
			return c
		}
	}
	return nil
}

// manyChildren is where looking through the children takes longer than hashing.
// AttributeUpdates can have as many as fit in a request.
const manyChildren = 32

func (t *pathTree) addChild(s Step, path int) *pathTree {
	c := &pathTree{step: s, path: path}
	t.children = append(t.children, c)
	switch {
	case t.index != nil:
		t.index[s] = c
	case len(t.children) > manyChildren:
		t.index = make(map[Step]*pathTree, 2*len(t.children))
		for _, c := range t.children {
			t.index[c.step] = c
		}
	}
	return c
}

// sort puts the children of every node in ascending order, as stored values
// have them.
func (t *pathTree) sort() {
	t.index = nil
	slices.SortFunc(t.children, func(a, b *pathTree) int {
		return cmp.Or(cmp.Compare(a.step.Index, b.step.Index), cmp.Compare(a.step.Name, b.step.Name))
	})
	for _, c := range t.children {
		c.sort()
	}
}
