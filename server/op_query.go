package server

import (
	"errors"

	"github.com/stator-db/stator/expression"
	"github.com/stator-db/stator/partition"
	"github.com/stator-db/stator/server/internal/api"
)

// serveQuery answers Query. Its checks stand in the order in which the service
// reports faults: the request without the table, table and index, key conditions
// together with the start key, filter and projection.
func serveQuery(c *call) error {
	var in api.QueryInput
	if err := c.decode(&in); err != nil {
		return err
	}
	q, err := bindQuery(&in)
	if err != nil {
		return err
	}

	t, err := c.table(in.TableName.Value)
	if err != nil {
		return err
	}
	ix, err := readIndex(t, in.IndexName, in.ConsistentRead.Value)
	if err != nil {
		return err
	}
	r, err := q.planRange(t, ix, &in.ExclusiveStartKey)
	if err != nil {
		return err
	}
	if err := q.checkPaths(t, ix); err != nil {
		return err
	}
	p := page{
		c:          c,
		filter:     q.filter,
		projection: q.projection,
		read: partition.Read{
			Table:       t,
			Index:       ix,
			Consistency: consistencyOf(in.ConsistentRead),
			Hash:        r.hash,
			Sort:        r.sort,
			Reverse:     !in.ScanIndexForward.Or(true),
			After:       in.ExclusiveStartKey.Item,
		},
		limit: int(in.Limit.Value),
	}
	if err := p.planAttributes(in.Select.Value); err != nil {
		return err
	}
	return p.serve(in.TableName.Value, in.ReturnConsumedCapacity.Value)
}

// A boundQuery is a Query whose expressions, or their legacy forms, are bound.
type boundQuery struct {
	keys         []expression.KeyTerm
	filter       *expression.Condition
	legacyFilter bool // filter comes from QueryFilter
	projection   *expression.Projection
}

// bindQuery makes the request checks of Query.
func bindQuery(in *api.QueryInput) (*boundQuery, error) {
	p := readPhrasing
	holders := placeholders{in.ExpressionAttributeNames, in.ExpressionAttributeValues}
	if err := p.checkQueryMembers(in, holders); err != nil {
		return nil, err
	}
	q := &boundQuery{}
	if err := q.bindLegacy(p, in); err != nil {
		return nil, err
	}
	if err := p.checkStartValues(&in.ExclusiveStartKey); err != nil {
		return nil, err
	}
	if in.KeyConditions == nil && !in.KeyConditionExpression.Present {
		return nil, validationText("Either the KeyConditions or KeyConditionExpression parameter must be specified in the request.")
	}
	if err := q.bindExpressions(p, in, holders); err != nil {
		return nil, err
	}
	if in.KeyConditions != nil && (len(in.KeyConditions) == 0 || len(in.KeyConditions) > 2) {
		return nil, validationText("Conditions can be of length 1 or 2 only")
	}
	missingList := writePhrasing.fault // here Query already has the envelope
	return q, checkSelect(in.Select, in.IndexName.Present, in.AttributesToGet != nil, in.ProjectionExpression.Present, missingList)
}

// checkQueryMembers judges which members come together. KeyConditions beside
// expressions that are not about the key is legal.
func (p phrasing) checkQueryMembers(in *api.QueryInput, holders placeholders) error {
	legacy := [...]member{
		{"AttributesToGet", in.AttributesToGet != nil},
		{"QueryFilter", in.QueryFilter != nil},
		{"ConditionalOperator", in.ConditionalOperator.Present},
		{"KeyConditions", in.KeyConditions != nil && in.KeyConditionExpression.Present},
	}
	expressions := [...]member{
		{"ProjectionExpression", in.ProjectionExpression.Present},
		{"FilterExpression", in.FilterExpression.Present},
		{"KeyConditionExpression", in.KeyConditionExpression.Present},
	}
	if err := p.checkMixing(legacy[:], expressions[:]); err != nil {
		return err
	}
	return p.checkOrphans(holders, anySent(expressions[:]), anySent(expressions[1:]),
		": FilterExpression and KeyConditionExpression are null")
}

// bindLegacy takes the conditions and the projection from legacy members.
func (q *boundQuery) bindLegacy(p phrasing, in *api.QueryInput) error {
	terms, err := p.filters(in.QueryFilter)
	if err != nil {
		return err
	}
	if q.keys, err = p.keyConditions(in.KeyConditions); err != nil {
		return err
	}
	if err := p.checkConditionalOperator(in.ConditionalOperator, len(terms)); err != nil {
		return err
	}
	if len(terms) > 0 {
		q.filter, q.legacyFilter = expression.NewLegacyCondition(terms, in.ConditionalOperator.Value == "OR"), true
	}
	q.projection, err = p.attributesToGet(in.AttributesToGet)
	return err
}

// bindExpressions binds the expressions. A key condition of the wrong shape is
// reported only when everything else has been found in order.
func (q *boundQuery) bindExpressions(p phrasing, in *api.QueryInput, holders placeholders) error {
	if !in.KeyConditionExpression.Present && !in.FilterExpression.Present && !in.ProjectionExpression.Present {
		return nil
	}
	b, err := p.binder(holders)
	if err != nil {
		return err
	}
	var misshaped error
	if in.KeyConditionExpression.Present {
		condition, err := b.KeyCondition(in.KeyConditionExpression.Value)
		fault, _ := errors.AsType[*expression.Error](err)
		switch {
		case err == nil:
			q.keys = condition.Conditions
		case fault != nil && fault.Structure:
			misshaped = err
		default:
			return err
		}
	}
	if in.FilterExpression.Present {
		if q.filter, err = b.Condition(expression.KindFilter, in.FilterExpression.Value); err != nil {
			return err
		}
	}
	if in.ProjectionExpression.Present {
		if q.projection, err = b.Projection(in.ProjectionExpression.Value); err != nil {
			return err
		}
	}
	if err := b.Unused(); err != nil {
		return err
	}
	return misshaped
}

// planRange turns key conditions and ExclusiveStartKey into the range to read.
func (q *boundQuery) planRange(t *partition.Table, ix *partition.Index, start *api.AttributeMap) (queryRange, error) {
	if !start.Present {
		return planQueryRange(t, ix, q.keys, nil)
	}
	if start.Item.Len() != len(t.KeyNames(ix)) {
		return queryRange{}, validationText(badStartKey)
	}
	r, err := planQueryRange(t, ix, q.keys, start.Item)
	if err != nil {
		return queryRange{}, err
	}
	if err := checkStartKeyValues(t, ix, start.Item); err != nil {
		return queryRange{}, err
	}
	schema := t.Key
	if ix != nil {
		schema = ix.Key
	}
	return r, checkQueryStart(schema, &r, start.Item)
}

// checkPaths judges projection and filter against the schema: what the key
// conditions decide is not for the filter, and keys are scalars.
func (q *boundQuery) checkPaths(t *partition.Table, ix *partition.Index) error {
	if err := checkProjectionPaths(t, q.projection); err != nil {
		return err
	}
	if q.filter == nil {
		return nil
	}
	paths := q.filter.Paths()
	schema, kind := t.Key, "Filter Expression"
	if ix != nil {
		schema = ix.Key
	}
	if q.legacyFilter {
		kind = "QueryFilter"
	}
	for _, path := range paths {
		if hasKeyAttribute(schema, path[0].Name) {
			return validation("%s can only contain non-primary key attributes: Primary key attribute: %s", kind, path[0].Name)
		}
	}
	return checkKeyPaths(t, paths)
}
