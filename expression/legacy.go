package expression

import (
	"github.com/stator-db/stator/storage/item"
)

// Comparison is one entry of a legacy condition parameter (Expected,
// QueryFilter, ScanFilter, KeyConditions): a condition on a top-level
// attribute.
type Comparison struct {
	Attribute string
	Op        string       // a value of the ComparisonOperator enumeration, such as "EQ"
	Values    []item.Value // as many as Op takes
}

// NewLegacyCondition returns the condition that the entries of Expected,
// QueryFilter or ScanFilter stand for: that all of terms hold, or at least one
// if or is set (ConditionalOperator). The number and types of the values must
// have been checked. Of Expected, Exists true means the operator EQ, and Exists
// false means NULL. A term with an unknown operator never holds.
func NewLegacyCondition(terms []Comparison, or bool) *Condition {
	c := &Condition{}
	predicates := make([]predicate, 0, len(terms))
	for _, t := range terms {
		path := Path{{Name: t.Attribute}}
		c.paths = append(c.paths, path)
		predicates = append(predicates, legacyPredicate(t, path))
	}
	switch {
	case len(predicates) == 1:
		c.root = predicates[0]
	case or:
		c.root = disjunction(predicates)
	default:
		c.root = conjunction(predicates)
	}
	return c
}

var legacyComparators = map[string]comparator{
	"EQ": equal, "NE": notEqual, "LT": less, "LE": lessOrEqual, "GT": greater, "GE": greaterOrEqual,
}

func legacyPredicate(t Comparison, path Path) predicate {
	of := operand{path: path}
	values := make([]operand, len(t.Values))
	for i, v := range t.Values {
		values[i].value = v
	}
	switch len(values) {
	case 0:
		switch t.Op {
		case "NULL":
			return attributeNotExists{path}
		case "NOT_NULL":
			return attributeExists{path}
		}
	case 1:
		if op, ok := legacyComparators[t.Op]; ok {
			return &comparison{operator: op, left: of, right: values[0]}
		}
		switch t.Op {
		case "CONTAINS":
			return &contains{of: of, part: values[0]}
		case "NOT_CONTAINS":
			// Without the attribute both CONTAINS and its opposite are false.
			return conjunction{attributeExists{path}, negation{&contains{of: of, part: values[0]}}}
		case "BEGINS_WITH":
			return &beginsWith{of: of, prefix: values[0]}
		}
	case 2:
		if t.Op == "BETWEEN" {
			return &between{of: of, low: values[0], high: values[1]}
		}
	}
	if t.Op == "IN" {
		return &membership{of: of, among: values}
	}
	return disjunction(nil)
}

// LegacyAction is one entry of AttributeUpdates: a change of a top-level
// attribute.
type LegacyAction struct {
	Attribute string
	Action    string     // PUT, ADD or DELETE
	Value     item.Value // nil only with DELETE, which then removes the attribute
}

// NewLegacyUpdate returns the update that AttributeUpdates stands for. The
// attributes must be distinct, and whether an action accepts the type of its
// value must have been checked. Unlike an update expression it can ADD a list,
// which is appended.
func NewLegacyUpdate(actions []LegacyAction) *Update {
	u := &Update{legacy: true}
	for _, a := range actions {
		act := action{verb: verbSet, value: literalValue(a.Value)}
		switch {
		case a.Value == nil:
			act = action{verb: verbRemove}
		case a.Action == "ADD":
			act.verb = verbAdd
		case a.Action == "DELETE":
			act.verb = verbDelete
		}
		u.add(Path{{Name: a.Attribute}}, act)
	}
	u.paths = u.targets
	var ignored faults // of a repeated attribute, the first action counts
	u.tree = newPathTree(u.targets, &ignored)
	return u
}
