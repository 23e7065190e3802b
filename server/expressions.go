package server

import (
	"strings"

	"github.com/stator-db/stator/expression"
	"github.com/stator-db/stator/server/internal/api"
)

// A member is an optional member of a request and whether it was sent.
type member struct {
	name string
	sent bool
}

func anySent(members []member) bool {
	for _, m := range members {
		if m.sent {
			return true
		}
	}
	return false
}

// checkMixing refuses requests with both expression and legacy members.
func (p phrasing) checkMixing(legacy, expressions []member) error {
	if !anySent(legacy) || !anySent(expressions) {
		return nil
	}
	return p.fault("Can not use both expression and non-expression parameters in the same request: Non-expression parameters: " +
		sentNames(legacy) + " Expression parameters: " + sentNames(expressions))
}

// sentNames lists the members that were sent: {Expected, ConditionalOperator}.
func sentNames(members []member) string {
	names := make([]string, 0, len(members))
	for _, m := range members {
		if m.sent {
			names = append(names, m.name)
		}
	}
	return "{" + strings.Join(names, ", ") + "}"
}

// checkOrphans refuses placeholders in a request without an expression that could
// use them. names tells whether there is any expression, values whether there is
// one that takes values; suffix is what some operations add about values.
func (p phrasing) checkOrphans(in placeholders, names, values bool, suffix string) error {
	if in.names != nil && !names {
		return p.fault("ExpressionAttributeNames can only be specified when using expressions")
	}
	if in.values.Values != nil && !values {
		return p.fault("ExpressionAttributeValues can only be specified when using expressions" + suffix)
	}
	return nil
}

// placeholders are the members ExpressionAttributeNames and ExpressionAttributeValues.
type placeholders struct {
	names  map[string]string
	values api.ExpressionAttributeValues
}

// binder judges the placeholders themselves and returns what binds expressions to them.
func (p phrasing) binder(in placeholders) (*expression.Binder, error) {
	if in.names != nil && len(in.names) == 0 {
		return nil, p.fault("ExpressionAttributeNames must not be empty")
	}
	b := expression.NewBinder(in.names, in.values.Values)
	if err := b.CheckPlaceholders(); err != nil { // names before values
		return nil, err
	}
	if in.values.Values != nil && len(in.values.Values) == 0 {
		return nil, p.fault("ExpressionAttributeValues must not be empty")
	}
	if in.values.Invalid != nil {
		return nil, p.placeholderValue(in.values.InvalidKey, in.values.Invalid)
	}
	return b, nil
}

// bindCondition binds a condition or filter, or returns nil if there is none.
func bindCondition(b *expression.Binder, kind expression.Kind, text api.Optional[string]) (*expression.Condition, error) {
	if !text.Present {
		return nil, nil
	}
	return b.Condition(kind, text.Value)
}

// bindProjection binds a ProjectionExpression, or returns nil if there is none.
func bindProjection(b *expression.Binder, text api.Optional[string]) (*expression.Projection, error) {
	if !text.Present {
		return nil, nil
	}
	return b.Projection(text.Value)
}
