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
		at := slices.IndexFunc(t.children, func(c *pathTree) bool { return c.step == s })
		if fresh = at < 0; fresh {
			at = len(t.children)
			t.children = append(t.children, &pathTree{step: s, path: i})
		}
		t = t.children[at]
	}
	if !fresh {
		return t.path, pathsOverlap
	}
	return 0, faultClasses
}

// sort puts the children of every node in ascending order, as stored values
// have them.
func (t *pathTree) sort() {
	slices.SortFunc(t.children, func(a, b *pathTree) int {
		return cmp.Or(cmp.Compare(a.step.Index, b.step.Index), cmp.Compare(a.step.Name, b.step.Name))
	})
	for _, c := range t.children {
		c.sort()
	}
}
