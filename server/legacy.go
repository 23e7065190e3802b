package server

import (
	"github.com/stator-db/stator/expression"
	"github.com/stator-db/stator/server/internal/api"
	"github.com/stator-db/stator/storage/item"
)

// legacyOperator says how many arguments a ComparisonOperator takes and of which
// types (API Reference, "Condition").
type legacyOperator struct {
	min, max int // arguments; max 0 is no limit if min is 1
	types    []item.Type
	key      expression.KeyOp // in KeyConditions
}

var (
	anyType      []item.Type // nil allows every type
	orderedTypes = []item.Type{item.S, item.N, item.B}
	memberTypes  = []item.Type{item.S, item.N, item.B, item.BOOL, item.NULL}
	prefixTypes  = []item.Type{item.S, item.B}
)

var legacyOperators = map[string]legacyOperator{
	"EQ":           {min: 1, max: 1, types: anyType, key: expression.KeyEq},
	"NE":           {min: 1, max: 1, types: anyType, key: unindexable},
	"LE":           {min: 1, max: 1, types: orderedTypes, key: expression.KeyLe},
	"LT":           {min: 1, max: 1, types: orderedTypes, key: expression.KeyLt},
	"GE":           {min: 1, max: 1, types: orderedTypes, key: expression.KeyGe},
	"GT":           {min: 1, max: 1, types: orderedTypes, key: expression.KeyGt},
	"NOT_NULL":     {key: unindexable},
	"NULL":         {key: unindexable},
	"CONTAINS":     {min: 1, max: 1, types: memberTypes, key: unindexable},
	"NOT_CONTAINS": {min: 1, max: 1, types: memberTypes, key: unindexable},
	"BEGINS_WITH":  {min: 1, max: 1, types: prefixTypes, key: expression.KeyBeginsWith},
	"IN":           {min: 1, types: orderedTypes, key: unindexable},
	"BETWEEN":      {min: 2, max: 2, types: orderedTypes, key: expression.KeyBetween},
}

func (o legacyOperator) takes(arguments int) bool {
	return arguments >= o.min && (arguments <= o.max || o.max == 0 && o.min > 0)
}

func (o legacyOperator) allows(t item.Type) bool {
	if o.types == nil {
		return true
	}
	for _, allowed := range o.types {
		if t == allowed {
			return true
		}
	}
	return false
}

// comparison judges one legacy condition: its values, their number and types.
func (p phrasing) comparison(attribute, op string, list []api.AttributeValue) (expression.Comparison, error) {
	none := expression.Comparison{}
	values := make([]item.Value, len(list))
	for i := range list {
		if fault := list[i].Invalid; fault != nil {
			return none, p.value(fault)
		}
		values[i] = list[i].Value
	}
	o := legacyOperators[op]
	if !o.takes(len(values)) {
		return none, p.parameter("Invalid number of argument(s) for the " + op + " ComparisonOperator")
	}
	for _, v := range values {
		if v.Type() != values[0].Type() {
			return none, p.parameter("AttributeValues inside AttributeValueList must be of same type")
		}
	}
	if len(values) > 0 && !o.allows(values[0].Type()) {
		return none, p.parameter("ComparisonOperator " + op + " is not valid for " + values[0].Type().String() + " AttributeValue type")
	}
	if op == "BETWEEN" {
		if cmp, _ := item.Compare(values[0], values[1]); cmp > 0 {
			return none, p.fault("The BETWEEN condition was provided a range where the lower bound is greater than the upper bound")
		}
	}
	return expression.Comparison{Attribute: attribute, Op: op, Values: values}, nil
}

// checkConditionalOperator refuses an operator that has nothing to combine.
func (p phrasing) checkConditionalOperator(op api.Optional[string], conditions int) error {
	if op.Present && conditions < 2 {
		return p.fault("ConditionalOperator can only be used when Filter or Expected has two or more elements")
	}
	return nil
}

// expected turns Expected and ConditionalOperator into a condition; nil if there
// is nothing to check.
func (p phrasing) expected(in api.Map[api.ExpectedAttributeValue], op api.Optional[string]) (*expression.Condition, error) {
	terms := make([]expression.Comparison, 0, len(in))
	for i := range in {
		term, err := p.expectation(in[i].Key, &in[i].Value)
		if err != nil {
			return nil, err
		}
		terms = append(terms, term)
	}
	if err := p.checkConditionalOperator(op, len(in)); err != nil {
		return nil, err
	}
	if len(terms) == 0 {
		return nil, nil
	}
	return expression.NewLegacyCondition(terms, op.Value == "OR"), nil
}

// expectation judges one entry of Expected, which is either an operator with
// arguments or the older Value and Exists.
func (p phrasing) expectation(attribute string, e *api.ExpectedAttributeValue) (expression.Comparison, error) {
	none := expression.Comparison{}
	op, hasOperator := e.ComparisonOperator.Value, e.ComparisonOperator.Present
	suffix := " for Attribute: " + attribute
	switch {
	case e.Value.Invalid != nil:
		return none, p.value(e.Value.Invalid)
	case e.Value.Present && e.AttributeValueList != nil:
		return none, p.parameter("Value and AttributeValueList cannot be used together" + suffix)
	case hasOperator && e.Exists.Present:
		return none, p.parameter("Exists and ComparisonOperator cannot be used together" + suffix)
	case hasOperator && !e.Value.Present && e.AttributeValueList == nil && op != "NULL" && op != "NOT_NULL":
		return none, p.parameter("Value or AttributeValueList must be used with ComparisonOperator: " + op + suffix)
	case hasOperator && e.Value.Present:
		return p.comparison(attribute, op, []api.AttributeValue{e.Value})
	case hasOperator:
		return p.comparison(attribute, op, e.AttributeValueList)
	case e.AttributeValueList != nil:
		return none, p.parameter("AttributeValueList can only be used with a ComparisonOperator" + suffix)
	case !e.Value.Present && !e.Exists.Present:
		return none, p.parameter("Value must be provided when Exists is null" + suffix)
	case !e.Value.Present && e.Exists.Value:
		return none, p.parameter("Value must be provided when Exists is true" + suffix)
	case e.Value.Present && !e.Exists.Or(true):
		return none, p.parameter("Value cannot be used when Exists is false" + suffix)
	case e.Value.Present:
		return expression.Comparison{Attribute: attribute, Op: "EQ", Values: []item.Value{e.Value.Value}}, nil
	}
	return expression.Comparison{Attribute: attribute, Op: "NULL"}, nil
}

// filters judges the entries of QueryFilter, ScanFilter or KeyConditions.
func (p phrasing) filters(in api.Map[api.Condition]) ([]expression.Comparison, error) {
	terms := make([]expression.Comparison, 0, len(in))
	for i := range in {
		e := &in[i].Value
		term, err := p.comparison(in[i].Key, e.ComparisonOperator.Value, e.AttributeValueList)
		if err != nil {
			return nil, err
		}
		terms = append(terms, term)
	}
	return terms, nil
}

// attributeUpdates turns AttributeUpdates into an update.
func (p phrasing) attributeUpdates(in api.Map[api.AttributeValueUpdate]) (*expression.Update, error) {
	actions := make([]expression.LegacyAction, 0, len(in))
	for i := range in {
		e := &in[i].Value
		action, v := e.Action.Or("PUT"), e.Value.Value
		switch {
		case expression.NameFault(in[i].Key) != "":
			return nil, p.fault(expression.NameFault(in[i].Key))
		case e.Value.Invalid != nil:
			return nil, p.value(e.Value.Invalid)
		case !e.Value.Present && action != "DELETE":
			return nil, p.parameter("Only DELETE action is allowed when no attribute value is specified")
		case e.Value.Present && action == "DELETE" && !isSet(v.Type()):
			return nil, p.parameter("DELETE action with value is not supported for the type " + v.Type().String())
		case action == "ADD" && v.Type() != item.N && v.Type() != item.L && !isSet(v.Type()):
			return nil, p.parameter("ADD action is not supported for the type " + v.Type().String())
		}
		actions = append(actions, expression.LegacyAction{Attribute: in[i].Key, Action: action, Value: v})
	}
	return expression.NewLegacyUpdate(actions), nil
}

func isSet(t item.Type) bool { return t == item.SS || t == item.NS || t == item.BS }

// attributesToGet turns AttributesToGet into a projection; nil if it is absent.
func (p phrasing) attributesToGet(names []string) (*expression.Projection, error) {
	if err := p.checkAttributesToGet(names); err != nil || names == nil {
		return nil, err
	}
	return expression.NewAttributeList(names), nil
}

// checkAttributesToGet refuses a name that is there twice or cannot be one.
func (p phrasing) checkAttributesToGet(names []string) error {
	seen := make(map[string]bool, len(names))
	for _, name := range names {
		if fault := expression.NameFault(name); fault != "" {
			return p.fault(fault)
		}
		if seen[name] {
			return p.parameter("Duplicate value in attribute name: " + name)
		}
		seen[name] = true
	}
	return nil
}

// keyConditions turns the entries of KeyConditions into key terms.
func (p phrasing) keyConditions(in api.Map[api.Condition]) ([]expression.KeyTerm, error) {
	comparisons, err := p.filters(in)
	if err != nil {
		return nil, err
	}
	terms := make([]expression.KeyTerm, len(comparisons))
	for i, c := range comparisons {
		terms[i] = expression.KeyTerm{Name: c.Attribute, Op: legacyOperators[c.Op].key, Values: c.Values}
	}
	return terms, nil
}
