package expression

import (
	"github.com/stator-db/stator/storage/item"
)

// KeyCondition is a bound key condition expression: conditions on attributes
// that must all hold. Whether the attributes are the key's, and whether the
// operators and types suit them, is not known here.
type KeyCondition struct {
	Conditions []KeyTerm // in written order, no attribute twice
}

// KeyTerm is a condition on one key attribute.
type KeyTerm struct {
	Name   string
	Op     KeyOp
	Values []item.Value // two for KeyBetween, else one
}

// KeyOp is the operator of a [KeyTerm].
type KeyOp int

// The operators of key conditions. The attribute is always the first operand:
// ":v < sk" becomes KeyGt.
const (
	KeyEq KeyOp = iota
	KeyLt
	KeyLe
	KeyGt
	KeyGe
	KeyBetween // from the first value to the second, both included
	KeyBeginsWith
)

// keyOps maps comparators, as written with the attribute first and last.
var keyOps = [...]struct{ first, last KeyOp }{
	equal: {KeyEq, KeyEq}, less: {KeyLt, KeyGt}, lessOrEqual: {KeyLe, KeyGe}, greater: {KeyGt, KeyLt}, greaterOrEqual: {KeyGe, KeyLe},
}

// KeyCondition parses and binds a key condition expression (Query API,
// KeyConditionExpression). The error is an [*Error]; its Structure is set if
// the text is a well-formed condition but not one that a key can have.
func (b *Binder) KeyCondition(text string) (*KeyCondition, error) {
	c, err := b.Condition(KindKeyCondition, text)
	if err != nil {
		return nil, err
	}
	kc := &KeyCondition{Conditions: make([]KeyTerm, 0, 2)}
	if fault := kc.add(c.root); fault != "" {
		return nil, &Error{Text: fault, Structure: true}
	}
	return kc, nil
}

// add appends the terms that p consists of, or says why p is none.
func (kc *KeyCondition) add(p predicate) (fault string) {
	const unusable = "Invalid operator used in KeyConditionExpression: "
	switch p := p.(type) {
	case conjunction:
		for _, term := range p {
			if fault := kc.add(term); fault != "" {
				return fault
			}
		}
		return ""
	case disjunction:
		return unusable + "OR"
	case negation:
		return unusable + "NOT"
	case *membership:
		return unusable + "IN"
	case attributeExists:
		return unusable + "attribute_exists"
	case attributeNotExists:
		return unusable + "attribute_not_exists"
	case *attributeType:
		return unusable + "attribute_type"
	case *contains:
		return unusable + "contains"
	case *comparison:
		if p.operator == notEqual {
			return unusable + "<>"
		}
		op := keyOps[p.operator].first
		if p.left.path == nil {
			op = keyOps[p.operator].last
		}
		return kc.addTerm(op, "", &p.left, &p.right)
	case *between:
		return kc.addTerm(KeyBetween, "BETWEEN", &p.of, &p.low, &p.high)
	case *beginsWith:
		return kc.addTerm(KeyBeginsWith, "begins_with", &p.of, &p.prefix)
	}
	return ""
}

// addTerm appends a term with the given operands. If operator is not empty,
// the attribute must be the first of them.
func (kc *KeyCondition) addTerm(op KeyOp, operator string, operands ...*operand) (fault string) {
	const misshaped = "Invalid condition in KeyConditionExpression: "
	if operator != "" && operands[0].path == nil {
		return misshaped + operator + " operator must have the key attribute as its first operand"
	}
	term := KeyTerm{Op: op, Values: make([]item.Value, 0, len(operands)-1)}
	named := false
	for _, o := range operands {
		switch {
		case o.sizeOf:
			return "KeyConditionExpressions cannot contain nested operations"
		case o.path == nil:
			term.Values = append(term.Values, o.value)
			continue
		case named:
			return misshaped + "Multiple attribute names used in one condition"
		case len(o.path) > 1:
			return "Invalid KeyConditionExpression: KeyConditionExpressions cannot have conditions on nested attributes"
		}
		term.Name, named = o.path[0].Name, true
	}
	if !named {
		return misshaped + "No key attribute specified"
	}
	for _, earlier := range kc.Conditions {
		if earlier.Name == term.Name {
			return "Invalid KeyConditionExpression: KeyConditionExpressions must only contain one condition per key"
		}
	}
	kc.Conditions = append(kc.Conditions, term)
	return ""
}
