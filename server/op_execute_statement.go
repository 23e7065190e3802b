package server

import (
	"github.com/stator-db/stator/expression/partiql"
	"github.com/stator-db/stator/server/internal/api"
	"github.com/stator-db/stator/storage/item"
)

// serveExecuteStatement answers ExecuteStatement; its checks come in the service's
// order.
func serveExecuteStatement(c *call) error {
	var in api.ExecuteStatementInput
	if err := c.decode(&in); err != nil {
		return err
	}
	command, err := bindStatement(in.Statement.Value, in.Parameters)
	if err != nil {
		return err
	}
	if command.Kind == partiql.Exists {
		return existsMisplaced()
	}
	var position item.Item
	hash := hashStatement(&in)
	if in.NextToken.Present {
		if position, err = nextPosition(in.NextToken.Value, hash); err != nil {
			return err
		}
		if command.IsWrite() {
			return badNextToken()
		}
	}
	s, err := c.findStatement(command, in.ConsistentRead.Value)
	if err != nil {
		return err
	}
	if command.IsWrite() {
		return c.executeWrite(&s, &in)
	}
	return c.executeSelect(&s, &in, hash, position)
}

func (c *call) executeSelect(s *statement, in *api.ExecuteStatementInput, hash statementHash, after item.Item) error {
	p, err := c.planSelect(s, consistencyOf(in.ConsistentRead), int(in.Limit.Value))
	if err != nil {
		return err
	}
	if after != nil {
		if err := checkPosition(s.table, s.index, after); err != nil {
			return err
		}
	}
	c.out = append(c.out, `{"Items":[`...)
	if err := p.rows(after); err != nil {
		return err
	}
	p.traced()
	c.out = append(c.out, ']')
	if p.lastKey != nil {
		c.out = append(appendName(c.out, "NextToken"), '"')
		c.out = append(appendNextToken(c.out, hash, p.lastKey), '"')
		c.out = append(appendName(c.out, "LastEvaluatedKey"), p.lastKey...)
	}
	if mode := in.ReturnConsumedCapacity.Value; wantsCapacity(mode) {
		cost := p.cost()
		c.out = cost.appendMember(c.out, s.Table, mode)
	}
	c.out = append(c.out, '}')
	return nil
}

func (c *call) executeWrite(s *statement, in *api.ExecuteStatementInput) error {
	w, err := s.planWrite()
	if err != nil {
		return err
	}
	w.WantFailed = in.ReturnValuesOnConditionCheckFailure.Value == returnAllOld
	answer := s.returned(w)
	result, err := c.dbWrite(w)
	if err != nil {
		return s.writeFault(err)
	}
	c.out = append(c.out, `{"Items":[`...)
	if it := answer.attributes(&result); it.Len() > 0 {
		c.out = it.AppendJSON(c.out)
	}
	c.out = append(c.out, ']')
	if mode := in.ReturnConsumedCapacity.Value; wantsCapacity(mode) {
		var cost consumption
		cost.write(&result)
		c.out = cost.appendMember(c.out, s.Table, mode)
	}
	c.out = append(c.out, '}')
	return nil
}
