package server

import (
	"errors"

	"github.com/stator-db/stator/expression/partiql"
	"github.com/stator-db/stator/partition"
	"github.com/stator-db/stator/server/internal/api"
	"github.com/stator-db/stator/storage/item"
)

// serveBatchExecuteStatement answers BatchExecuteStatement; its checks come in
// the service's order. Statements fail one by one, unless they cannot be together in one
// batch.
func serveBatchExecuteStatement(c *call) error {
	var in api.BatchExecuteStatementInput
	if err := c.decode(&in); err != nil {
		return err
	}
	members := make([]batchStatement, len(in.Statements))
	reads, writes := false, false
	for i := range members {
		m := &members[i]
		m.in = &in.Statements[i]
		if m.command, m.err = bindStatement(m.in.Statement.Value, m.in.Parameters); m.err == nil {
			writes = writes || m.command.IsWrite()
			reads = reads || !m.command.IsWrite()
		}
	}
	if reads && writes {
		return validationText("Read and write requests together in the same batch is not supported.")
	}
	for i := range members {
		if m := &members[i]; m.err == nil {
			m.err = c.planBatchStatement(m)
		}
	}
	if err := checkRepeatedStatements(members); err != nil {
		return err
	}
	if writes {
		c.writeBatchStatements(members)
	}
	c.out = append(c.out, `{"Responses":[`...)
	for i := range members {
		c.answerBatchStatement(&members[i])
	}
	c.out = append(c.out, ']')
	if costs := batchCosts(members); len(costs) > 0 {
		c.out = costs.appendMember(c.out, in.ReturnConsumedCapacity.Value)
	}
	c.out = append(c.out, '}')
	return nil
}

// A batchStatement is one statement of a BatchExecuteStatement.
type batchStatement struct {
	in      *api.BatchStatementRequest
	command *partiql.Command
	err     error // why it is not executed, or failed

	statement
	key    item.Item        // of a SELECT
	write  *partition.Write // of others
	answer writeAnswer
	result partition.WriteResult
	ran    bool
	units  units // of a read, or a write whose condition was false
}

// planBatchStatement looks up the table and finds the one item of the statement.
func (c *call) planBatchStatement(m *batchStatement) (err error) {
	if m.command.Kind == partiql.Exists {
		return existsMisplaced()
	}
	if m.statement, err = c.findStatement(m.command, m.in.ConsistentRead.Value); err != nil {
		return err
	}
	if m.command.IsWrite() {
		if m.write, err = m.planWrite(); err == nil {
			m.write.WantFailed = true // for its size: the answer does not show it
			m.answer = m.returned(m.write)
		}
		return err
	}
	if _, err := c.planSelect(&m.statement, partition.Eventual, 0); err != nil {
		return err
	}
	key, single := m.itemKey()
	if !single || m.index != nil {
		return validationText("Select statements within BatchExecuteStatement must specify the primary key in the where clause.")
	}
	m.key = key
	return checkKey(m.table, key)
}

// checkRepeatedStatements refuses two statements on one item.
func checkRepeatedStatements(members []batchStatement) error {
	seen := make(map[batchKey]struct{}, len(members))
	var buf []byte
	for i := range members {
		m := &members[i]
		key := m.key
		switch {
		case m.err != nil:
			continue
		case m.write != nil:
			key = m.write.Item
		}
		buf = appendKeyIdentity(buf[:0], m.table, key)
		id := batchKey{m.table.ID, string(buf)}
		if _, again := seen[id]; again {
			return repeatedKey()
		}
		seen[id] = struct{}{}
	}
	return nil
}

// writeBatchStatements executes the statements side by side.
func (c *call) writeBatchStatements(members []batchStatement) {
	var writes []*partition.Write
	var of []*batchStatement
	for i := range members {
		if m := &members[i]; m.err == nil {
			writes, of = append(writes, m.write), append(of, m)
		}
	}
	results, errs := c.dbWriteAll(writes)
	for i, m := range of {
		m.ran, m.result = true, results[i]
		if errs[i] == nil {
			continue
		}
		m.err = m.writeFault(errs[i])
		if failed, ok := errors.AsType[*partition.ConditionFailed](errs[i]); ok {
			m.units = writeUnits(failed.Item.Size(), m.write.Item.Size())
		}
	}
}

// answerBatchStatement appends the response to a statement, after reading the item
// if it is a SELECT.
func (c *call) answerBatchStatement(m *batchStatement) {
	c.out = append(appendElement(c.out), '{')
	begin := len(c.out)
	if m.err == nil && m.write == nil {
		m.ran = true
		c.readBatchStatement(m)
	}
	if m.err != nil {
		c.out = c.appendStatementError(c.out[:begin], m.err)
	} else if it := m.answer.attributes(&m.result); it.Len() > 0 {
		c.out = it.AppendJSON(appendName(c.out, "Item"))
	}
	if m.ran {
		c.out = appendString(appendName(c.out, "TableName"), m.command.Table)
	}
	c.out = append(c.out, '}')
}

func (c *call) readBatchStatement(m *batchStatement) {
	consistency := consistencyOf(m.in.ConsistentRead)
	projection := m.projection()
	size := 0
	m.err = c.dbGet(m.table, m.key, consistency, func(it item.Item) error {
		size = it.Size()
		if projection != nil {
			it = projection.Apply(it)
		}
		c.out = it.AppendJSON(appendName(c.out, "Item"))
		return nil
	})
	m.units = readUnits(size, consistency)
}

// statementCodes are the values of the API shape BatchStatementErrorCodeEnum by
// the exception that the statement would have met alone.
var statementCodes = map[string]string{
	"AccessDeniedException":                    "AccessDenied",
	"ConditionalCheckFailedException":          "ConditionalCheckFailed",
	"DuplicateItemException":                   "DuplicateItem",
	"ItemCollectionSizeLimitExceededException": "ItemCollectionSizeLimitExceeded",
	"ProvisionedThroughputExceededException":   "ProvisionedThroughputExceeded",
	"RequestLimitExceeded":                     "RequestLimitExceeded",
	"ResourceNotFoundException":                "ResourceNotFound",
	"ThrottlingException":                      "ThrottlingError",
	"TransactionConflictException":             "TransactionConflict",
	"ValidationException":                      "ValidationError",
}

// appendStatementError appends the member Error of a statement.
func (c *call) appendStatementError(dst []byte, err error) []byte {
	e := c.toAPIError(err)
	code, known := statementCodes[e.name()]
	if !known {
		code = "InternalServerError"
	}
	dst = append(appendName(dst, "Error"), `{"Code":"`...)
	dst = append(dst, code...)
	dst = append(dst, `","Message":`...)
	return append(appendString(dst, e.Message), '}')
}

// batchCosts adds up the costs of the statements by table. A table without any
// that succeeded is left out.
func batchCosts(members []batchStatement) transactCosts {
	var costs transactCosts
	for i := range members {
		if m := &members[i]; m.err == nil {
			costs.of(m.table, m.command.Table)
		}
	}
	for i := range members {
		m := &members[i]
		for n := range costs {
			switch {
			case !m.ran || costs[n].table != m.table.ID:
			case m.err == nil && m.write != nil:
				costs[n].write(&m.result)
			default:
				costs[n].consumption.table += m.units
			}
		}
	}
	return costs
}
