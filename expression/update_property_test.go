package expression

import (
	"math/big"
	"slices"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/stator-db/stator/storage/item"
)

// change is an action whose operands have been read.
type change struct {
	clause string
	path   *pathSyntax
	by     *node
}

// update applies an update in the slow way: read everything, find every
// target, change the targets that are there, and only then append to lists and
// drop what was removed. The result is nil if the update fails.
func (m *model) update(tree *updateSyntax, base *node) *node {
	var changes []change
	for _, c := range tree.Clauses {
		for _, a := range c.Set {
			v := m.sum(a.Value)
			if v == nil {
				return nil
			}
			changes = append(changes, change{"SET", a.Path, v})
		}
		for _, p := range c.Remove {
			changes = append(changes, change{"REMOVE", p, nil})
		}
		for _, a := range c.Add {
			changes = append(changes, change{"ADD", a.Path, m.values[a.Value]})
		}
		for _, a := range c.Delete {
			changes = append(changes, change{"DELETE", a.Path, m.values[a.Value]})
		}
	}
	last := func(c change) (index int) {
		index = -1
		if n := len(c.path.Steps); n > 0 && c.path.Steps[n-1].Index != "" {
			index, _ = strconv.Atoi(c.path.Steps[n-1].Index)
		}
		return index
	}
	slices.SortStableFunc(changes, func(a, b change) int { return last(a) - last(b) })

	removed := &node{} // marks list elements until the end
	result := base.clone()
	in := &model{item: result, names: m.names}
	parents := make([]*node, len(changes))
	lengths := map[*node]int{}
	for i, c := range changes {
		parent := result
		if n := len(c.path.Steps); n > 0 {
			parent = in.path(&pathSyntax{Head: c.path.Head, Steps: c.path.Steps[:n-1]})
		}
		index := last(c)
		if parent == nil || index < 0 && parent.kind != item.M || index >= 0 && parent.kind != item.L {
			return nil
		}
		parents[i], lengths[parent] = parent, len(parent.list)
	}
	for i, c := range changes {
		parent, index := parents[i], last(c)
		name := c.path.Head
		if n := len(c.path.Steps); n > 0 {
			name = c.path.Steps[n-1].Name
		}
		if index < 0 {
			name = m.name(name)
		}
		var before *node
		if index < 0 {
			before = parent.fields[name]
		} else if index < lengths[parent] {
			before = parent.list[index]
		}
		after, ok := modelChange(c.clause, before, c.by)
		if !ok {
			return nil
		}
		switch {
		case index < 0 && after == nil:
			delete(parent.fields, name)
		case index < 0:
			parent.fields[name] = after
		case index < lengths[parent] && after == nil:
			parent.list[index] = removed
		case index < lengths[parent]:
			parent.list[index] = after
		case after != nil:
			parent.list = append(parent.list, after)
		}
	}
	for parent := range lengths {
		parent.list = slices.DeleteFunc(parent.list, func(n *node) bool { return n == removed })
	}
	return result
}

// modelChange returns what an action makes of a value.
func modelChange(clause string, before, by *node) (after *node, ok bool) {
	switch {
	case clause == "SET":
		return by.clone(), true
	case clause == "REMOVE":
		return nil, true
	case before == nil && clause == "ADD":
		return by.clone(), true
	case before == nil:
		return nil, true
	case before.kind != by.kind:
		return nil, false
	case by.kind == item.N:
		return &node{kind: item.N, number: new(big.Rat).Add(before.number, by.number)}, true
	}
	result := &node{kind: by.kind}
	for _, member := range before.list {
		if clause == "ADD" || !slices.ContainsFunc(by.list, member.equal) {
			result.list = append(result.list, member)
		}
	}
	for _, member := range by.list {
		if clause == "ADD" && !slices.ContainsFunc(before.list, member.equal) {
			result.list = append(result.list, member)
		}
	}
	if len(result.list) == 0 {
		return nil, true
	}
	return result, true
}

func (m *model) sum(s *sumSyntax) *node {
	left := m.term(s.Left)
	if s.More == nil {
		return left
	}
	right := m.term(s.More.Right)
	if left == nil || right == nil || left.kind != item.N || right.kind != item.N {
		return nil
	}
	n := new(big.Rat).Set(right.number)
	if s.More.Operator == "-" {
		n.Neg(n)
	}
	return &node{kind: item.N, number: n.Add(left.number, n)}
}

func (m *model) term(t *termSyntax) *node {
	switch {
	case t.Group != nil:
		return m.sum(t.Group)
	case t.Value != "":
		return m.values[t.Value]
	case t.Path != nil:
		return m.path(t.Path)
	}
	first := m.term(t.Call.Args[0])
	if t.Call.Name == "if_not_exists" {
		if first != nil {
			return first
		}
		return m.term(t.Call.Args[1])
	}
	second := m.term(t.Call.Args[1])
	if first == nil || second == nil || first.kind != item.L || second.kind != item.L {
		return nil
	}
	return &node{kind: item.L, list: slices.Concat(first.list, second.list)}
}

func genWorldTerm(t *rapid.T, depth int) *termSyntax {
	switch n := rapid.IntRange(0, 7).Draw(t, "term"); {
	case n == 0 && depth > 0:
		return &termSyntax{Call: &setCallSyntax{Name: "if_not_exists",
			Args: []*termSyntax{{Path: genWorldPath(t)}, genWorldTerm(t, depth-1)}}}
	case n == 1 && depth > 0:
		return &termSyntax{Call: &setCallSyntax{Name: "list_append",
			Args: []*termSyntax{genWorldTerm(t, depth-1), genWorldTerm(t, depth-1)}}}
	case n <= 5:
		return &termSyntax{Value: genWorldValue.Draw(t, "value")}
	}
	return &termSyntax{Path: genWorldPath(t)}
}

func genWorldUpdate(t *rapid.T) *updateSyntax {
	tree := &updateSyntax{}
	keywords := rapid.Permutation([]string{"SET", "REMOVE", "ADD", "DELETE"}).Draw(t, "clauses")
	for _, keyword := range keywords[:rapid.IntRange(1, 3).Draw(t, "count")] {
		c := &clauseSyntax{}
		for range rapid.IntRange(1, 3).Draw(t, "actions") {
			path := genWorldPath(t)
			switch keyword {
			case "SET":
				value := &sumSyntax{Left: genWorldTerm(t, 2)}
				if rapid.IntRange(0, 3).Draw(t, "sum") == 0 {
					value.More = &addendSyntax{Operator: rapid.SampledFrom([]string{"+", "-"}).Draw(t, "operator"), Right: genWorldTerm(t, 1)}
				}
				c.Set = append(c.Set, &assignmentSyntax{Path: path, Value: value})
			case "REMOVE":
				c.Remove = append(c.Remove, path)
			case "ADD":
				c.Add = append(c.Add, &changeSyntax{Path: path, Value: genWorldValue.Draw(t, "value")})
			case "DELETE":
				c.Delete = append(c.Delete, &changeSyntax{Path: path, Value: genWorldValue.Draw(t, "value")})
			}
		}
		tree.Clauses = append(tree.Clauses, c)
	}
	return tree
}

// TestUpdateAgainstModel applies random updates to random items.
func TestUpdateAgainstModel(t *testing.T) {
	applied := 0
	rapid.Check(t, func(t *rapid.T) {
		world := genWorld(t)
		base := world.item
		if base == nil {
			base = &node{kind: item.M, fields: map[string]*node{"pk": {kind: item.S, text: "p"}}}
		}
		for range 20 {
			tree := genWorldUpdate(t)
			text := tree.String()
			u, err := world.binder().Update(text)
			if err != nil {
				continue // overlapping paths, or literals of unsuitable types
			}
			got, err := u.Apply(base.item())
			want := world.update(tree, base)
			if want == nil {
				require.Error(t, err, "%s\non %s", text, showItem(base.item()))
				continue
			}
			require.NoError(t, err, "%s\non %s", text, showItem(base.item()))
			require.Equal(t, showItem(want.item()), showItem(got), "%s\non %s", text, showItem(base.item()))
			require.NoError(t, item.Valid(got))
			applied++
		}
	})
	require.Greater(t, applied, 20, "hardly any update succeeds, so nothing is tested")
}
