package server

import (
	"github.com/stator-db/stator/expression"
	"github.com/stator-db/stator/partition"
	"github.com/stator-db/stator/server/internal/api"
)

// serveScan answers Scan. Its checks stand in the order in which the service
// reports faults.
func serveScan(c *call) error {
	var in api.ScanInput
	if err := c.decode(&in); err != nil {
		return err
	}
	filter, projection, err := bindScan(&in)
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
	if err := c.checkScanPosition(t, ix, &in); err != nil {
		return err
	}
	p := page{
		c:          c,
		filter:     filter,
		projection: projection,
		read: partition.Read{
			Table:       t,
			Index:       ix,
			Consistency: consistencyOf(in.ConsistentRead),
			Segment:     int(in.Segment.Value),
			Segments:    int(in.TotalSegments.Value),
			After:       in.ExclusiveStartKey.Item,
		},
		limit: int(in.Limit.Value),
	}
	if err := checkConditionPaths(t, filter); err != nil {
		return err
	}
	if err := checkProjectionPaths(t, projection); err != nil {
		return err
	}
	if err := p.planAttributes(in.Select.Value); err != nil {
		return err
	}
	return p.serve(in.TableName.Value, in.ReturnConsumedCapacity.Value)
}

// bindScan makes the request checks of Scan and binds its expressions or their
// legacy forms.
func bindScan(in *api.ScanInput) (filter *expression.Condition, projection *expression.Projection, err error) {
	p := olderPhrasing
	holders := placeholders{in.ExpressionAttributeNames, in.ExpressionAttributeValues}
	legacy := [...]member{
		{"AttributesToGet", in.AttributesToGet != nil},
		{"ScanFilter", in.ScanFilter != nil},
		{"ConditionalOperator", in.ConditionalOperator.Present},
	}
	expressions := [...]member{
		{"ProjectionExpression", in.ProjectionExpression.Present},
		{"FilterExpression", in.FilterExpression.Present},
	}
	if err := p.checkMixing(legacy[:], expressions[:]); err != nil {
		return nil, nil, err
	}
	if err := p.checkOrphans(holders, anySent(expressions[:]), in.FilterExpression.Present, ": FilterExpression is null"); err != nil {
		return nil, nil, err
	}
	if projection, err = p.attributesToGet(in.AttributesToGet); err != nil {
		return nil, nil, err
	}
	terms, err := p.filters(in.ScanFilter)
	if err != nil {
		return nil, nil, err
	}
	if err := p.checkConditionalOperator(in.ConditionalOperator, len(terms)); err != nil {
		return nil, nil, err
	}
	if len(terms) > 0 {
		filter = expression.NewLegacyCondition(terms, in.ConditionalOperator.Value == "OR")
	}
	if err := p.checkStartValues(&in.ExclusiveStartKey); err != nil {
		return nil, nil, err
	}
	if err := checkSegments(in.Segment, in.TotalSegments); err != nil {
		return nil, nil, err
	}
	if anySent(expressions[:]) {
		if filter, projection, err = p.scanExpressions(in, holders); err != nil {
			return nil, nil, err
		}
	}
	err = checkSelect(in.Select, in.IndexName.Present, in.AttributesToGet != nil, in.ProjectionExpression.Present, validationText)
	return filter, projection, err
}

func (p phrasing) scanExpressions(in *api.ScanInput, holders placeholders) (filter *expression.Condition, projection *expression.Projection, err error) {
	b, err := p.binder(holders)
	if err != nil {
		return nil, nil, err
	}
	if filter, err = bindCondition(b, expression.KindFilter, in.FilterExpression); err != nil {
		return nil, nil, err
	}
	if projection, err = bindProjection(b, in.ProjectionExpression); err != nil {
		return nil, nil, err
	}
	return filter, projection, b.Unused()
}

// checkSegments judges the members of a parallel scan, which come both or not at all.
func checkSegments(segment, total api.Optional[int64]) error {
	switch {
	case segment.Present && !total.Present:
		return validationText("The TotalSegments parameter is required but was not present in the request when Segment parameter is present")
	case total.Present && !segment.Present:
		return validationText("The Segment parameter is required but was not present in the request when parameter TotalSegments is present")
	case total.Present && segment.Value >= total.Value:
		return validation("The Segment parameter is zero-based and must be less than parameter TotalSegments: Segment: %d is not less than TotalSegments: %d",
			segment.Value, total.Value)
	}
	return nil
}

// checkScanPosition judges ExclusiveStartKey against the schema and the segment.
func (c *call) checkScanPosition(t *partition.Table, ix *partition.Index, in *api.ScanInput) error {
	if !in.ExclusiveStartKey.Present {
		return nil
	}
	start := in.ExclusiveStartKey.Item
	if err := checkScanStart(t, ix, start); err != nil {
		return err
	}
	if in.TotalSegments.Present && int64(c.s.db.SegmentOf(t, ix, start, int(in.TotalSegments.Value))) != in.Segment.Value {
		return validation("%s: Invalid ExclusiveStartKey. Please use ExclusiveStartKey with correct Segment. TotalSegments: %d Segment: %d",
			badStartKey, in.TotalSegments.Value, in.Segment.Value)
	}
	return nil
}
