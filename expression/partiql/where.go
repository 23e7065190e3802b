package partiql

import (
	"github.com/stator-db/stator/expression"
	"github.com/stator-db/stator/storage/item"
)

// Where is a bound WHERE clause.
type Where struct{ root *condition }

// Condition returns the clause as a condition on an item.
func (w *Where) Condition() *expression.Condition { return expression.NewCondition(w.root.test) }

// parts are the conditions that all have to hold.
func (w *Where) parts() []*condition {
	if w == nil {
		return nil
	}
	if w.root.kind == conjunction {
		return w.root.of
	}
	return []*condition{w.root}
}

// ItemKey is what a clause says about the key of one item.
type ItemKey struct {
	Key item.Item // those key attributes that the clause fixes
	// Complete is set if all of them are.
	Complete bool
	// Conflict is the first key attribute that is compared with two different
	// values; Key has the first of them.
	Conflict string
	// Rest is what else has to hold, in written order.
	Rest []expression.Test
}

// ItemKey finds the equalities that fix the item's key, of which names are the
// attributes. With single set, an IN with one value is such an equality, too.
func (w *Where) ItemKey(names []string, single bool) ItemKey {
	var k ItemKey
	fixed := make(map[string]item.Value, len(names))
	for _, p := range w.parts() {
		name, v := p.equality(names, single)
		switch first := fixed[name]; {
		case v == nil:
			k.Rest = append(k.Rest, p.test)
		case first == nil:
			fixed[name] = v
		case !item.Equal(first, v):
			k.Rest = append(k.Rest, p.test)
			if k.Conflict == "" {
				k.Conflict = name
			}
		}
	}
	b := item.NewBuilder()
	for name, v := range fixed {
		b.Set(name, v)
	}
	k.Key, k.Complete = b.Item(), len(fixed) == len(names)
	return k
}

// equality returns the key attribute and the value that it must have, nil if c
// does not say so.
func (c *condition) equality(names []string, single bool) (name string, v item.Value) {
	k := c.key
	if k == nil || k.In && (!single || len(k.Values) != 1) || !k.In && k.Op != expression.KeyEq {
		return "", nil
	}
	for _, n := range names {
		if n == k.Name {
			return n, k.Values[0]
		}
	}
	return "", nil
}

// Branch is one of the reads that a clause amounts to: a partition, and in it
// what all of Sort admit.
type Branch struct {
	Hash expression.KeyTerm
	Sort []expression.KeyTerm
	// Negated is set if the branch also has a negated condition on the sort key.
	Negated bool
}

// Keyed reports whether the clause fixes the partition key, by equality or IN,
// whichever way it holds.
func (w *Where) Keyed(hash string) bool { return w != nil && w.root.keyed(hash) }

func (c *condition) keyed(hash string) bool {
	switch c.kind {
	case conjunction:
		for _, of := range c.of {
			if of.keyed(hash) {
				return true
			}
		}
		return false
	case disjunction:
		for _, of := range c.of {
			if !of.keyed(hash) {
				return false
			}
		}
		return true
	}
	return c.key != nil && c.key.Name == hash && (c.key.In || c.key.Op == expression.KeyEq)
}

// Branches takes a clause that is Keyed apart into reads; sort is the sort key,
// empty if there is none. Together they cover everything that fulfils the
// clause, which still has to be tested on what they find. It reports false if
// they are more than limit.
func (w *Where) Branches(hash, sort string, limit int) ([]Branch, bool) {
	e := expander{hash: hash, sort: sort, limit: limit}
	ways, ok := e.expand(w.root)
	if !ok {
		return nil, false
	}
	var branches []Branch
	for _, parts := range ways {
		read, ok := e.branches(parts)
		if branches = append(branches, read...); !ok || len(branches) > limit {
			return nil, false
		}
	}
	return branches, true
}

type expander struct {
	hash, sort string
	limit      int
}

// expand returns the ways in which c can hold, as conditions that then all have
// to. A disjunction without the key in it is one condition.
func (e *expander) expand(c *condition) ([][]*condition, bool) {
	switch {
	case c.kind == disjunction && e.restricts(c):
		var ways [][]*condition
		for _, of := range c.of {
			more, ok := e.expand(of)
			if ways = append(ways, more...); !ok || len(ways) > e.limit {
				return nil, false
			}
		}
		return ways, true
	case c.kind == conjunction:
		ways := [][]*condition{nil}
		for _, of := range c.of {
			more, ok := e.expand(of)
			if !ok || len(ways)*len(more) > e.limit {
				return nil, false
			}
			ways = product(ways, more)
		}
		return ways, true
	}
	return [][]*condition{{c}}, true
}

func product(ways, more [][]*condition) [][]*condition {
	all := make([][]*condition, 0, len(ways)*len(more))
	for _, w := range ways {
		for _, m := range more {
			all = append(all, append(w[:len(w):len(w)], m...))
		}
	}
	return all
}

// restricts reports whether a condition on the key decides about c.
func (e *expander) restricts(c *condition) bool {
	if c.kind == leaf {
		return c.key != nil && (c.key.Name == e.hash || c.key.Name == e.sort)
	}
	for _, of := range c.of {
		if e.restricts(of) {
			return true
		}
	}
	return false
}

// branches returns the reads for conditions that all have to hold: one for each
// pair of values that IN gives to partition and sort key.
func (e *expander) branches(parts []*condition) ([]Branch, bool) {
	reads := []Branch{{}}
	for _, p := range parts {
		k := p.key
		switch {
		case k == nil:
			if e.sort != "" && p.kind == leaf && mentions(p.test, e.sort) {
				for i := range reads {
					reads[i].Negated = true
				}
			}
			continue
		case k.Name == e.sort, k.Name == e.hash && (k.In || k.Op == expression.KeyEq):
		default:
			continue
		}
		terms := []expression.KeyTerm{k.KeyTerm}
		if k.In {
			terms = terms[:0]
			for _, v := range k.Values {
				terms = append(terms, expression.KeyTerm{Name: k.Name, Op: expression.KeyEq, Values: []item.Value{v}})
			}
		}
		if len(reads)*len(terms) > e.limit {
			return nil, false
		}
		reads = e.narrow(reads, terms)
	}
	return reads, true
}

// narrow returns reads with each of terms added. A second condition on the
// partition key is left to the test of what is found, unless the two contradict
// each other.
func (e *expander) narrow(reads []Branch, terms []expression.KeyTerm) []Branch {
	narrowed := make([]Branch, 0, len(reads)*len(terms))
	for _, r := range reads {
		for _, t := range terms {
			n := r
			switch {
			case t.Name == e.sort:
				n.Sort = append(r.Sort[:len(r.Sort):len(r.Sort)], t)
			case r.Hash.Values == nil:
				n.Hash = t
			case !item.Equal(r.Hash.Values[0], t.Values[0]):
				continue
			}
			narrowed = append(narrowed, n)
		}
	}
	return narrowed
}

func mentions(t expression.Test, name string) bool {
	for _, p := range t.Paths() {
		if p[0].Name == name {
			return true
		}
	}
	return false
}

// Filtered lists, in written order and without repeats, the attributes other
// than names that the clause tests, if it fixes the partition key for all of
// them: by a condition that always has to hold.
func (w *Where) Filtered(hash string, names []string) []string {
	always := false
	for _, p := range w.parts() {
		always = always || p.kind == leaf && p.keyed(hash)
	}
	if !always {
		return nil
	}
	e := expander{hash: hash}
	seen := make(map[string]bool, len(names))
	for _, n := range names {
		seen[n] = true
	}
	var filtered []string
	for _, p := range w.parts() {
		if p.kind == disjunction && e.restricts(p) {
			continue
		}
		for _, path := range p.test.Paths() {
			if name := path[0].Name; !seen[name] {
				seen[name] = true
				filtered = append(filtered, name)
			}
		}
	}
	return filtered
}
