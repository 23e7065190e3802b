package server

import (
	"errors"

	"github.com/stator-db/stator/expression"
	"github.com/stator-db/stator/expression/partiql"
	"github.com/stator-db/stator/partition"
	"github.com/stator-db/stator/server/internal/api"
	"github.com/stator-db/stator/storage/item"
)

// serveExecuteTransaction answers ExecuteTransaction; its checks come in the
// service's order.
func serveExecuteTransaction(c *call) error {
	var in api.ExecuteTransactionInput
	if err := c.decode(&in); err != nil {
		return err
	}
	statements, err := bindTransactStatements(&in)
	if err != nil {
		return err
	}
	if statements[0].IsWrite() {
		return c.transactWriteStatements(&in, statements)
	}
	return c.transactReadStatements(&in, statements)
}

// bindTransactStatements makes the request checks of ExecuteTransaction that need
// no table.
func bindTransactStatements(in *api.ExecuteTransactionInput) ([]statement, error) {
	statements := make([]statement, len(in.TransactStatements))
	for i := range statements {
		member := &in.TransactStatements[i]
		command, err := bindStatement(member.Statement.Value, member.Parameters)
		if _, ok := errors.AsType[badParameter](err); ok {
			return nil, err
		}
		if err != nil {
			return nil, inStatement(i, err)
		}
		statements[i].Command = command
	}
	for _, s := range statements {
		if s.IsWrite() != statements[0].IsWrite() {
			return nil, validationText("ExecuteTransaction API does not support both read and write operations in the same request.")
		}
	}
	for i, s := range statements {
		if err := checkTransactStatement(s.Command); err != nil {
			return nil, inStatement(i, err)
		}
	}
	return statements, nil
}

func checkTransactStatement(s *partiql.Command) error {
	switch {
	case s.Returning != partiql.Returning{}:
		return validationText("RETURNING clause is not supported in ExecuteTransaction.")
	case s.Index == "":
		return statementFault(s.Fault)
	case s.Kind == partiql.Select, s.Kind == partiql.Exists:
		return validationText("Reads on indices are not supported within transactions.")
	}
	return validationText("This operation is not supported on an index")
}

// inStatement says which statement of a transaction has the fault.
func inStatement(i int, err error) error {
	fault, ok := errors.AsType[*apiError](err)
	if !ok || fault.name() != "ValidationException" {
		return err
	}
	return validation("Validation failed in TransactStatements[%d]: %s", i, fault.Message)
}

// findTransactStatements looks up the tables and the items. Each statement has one
// item; faults of its key are for the caller to judge.
func (c *call) findTransactStatements(statements []statement, find func(s *statement) (item.Item, error)) ([]item.Item, error) {
	for i := range statements {
		var err error
		if statements[i], err = c.findStatement(statements[i].Command, false); err != nil {
			return nil, inStatement(i, err)
		}
	}
	keys := make([]item.Item, len(statements))
	for i := range statements {
		var err error
		if keys[i], err = find(&statements[i]); err != nil {
			return nil, inStatement(i, err)
		}
	}
	var seen transactKeys
	for i, s := range statements {
		if err := seen.add(s.table, keys[i]); err != nil {
			return nil, err
		}
	}
	for i, s := range statements {
		if err := checkEmptyKey(s.table.Key, keys[i]); err != nil {
			return nil, err
		}
	}
	return keys, nil
}

// readKey is the key of a SELECT in a transaction.
func (s *statement) readKey() (item.Item, error) {
	key, single := s.itemKey()
	if !single {
		return nil, validationText("Select statements within ExecuteTransaction must specify the primary key in the where clause.")
	}
	return key, nil
}

func (c *call) transactReadStatements(in *api.ExecuteTransactionInput, statements []statement) error {
	keys, err := c.findTransactStatements(statements, (*statement).readKey)
	if err != nil {
		return err
	}
	reads := make([]partition.KeyRead, len(statements))
	projections := make([]*expression.Projection, len(statements))
	reasons := make([]error, len(statements))
	faults := false
	for i := range statements {
		s := &statements[i]
		reads[i] = partition.KeyRead{Table: s.table, Key: keys[i]}
		projections[i] = s.projection()
		if reasons[i] = checkKey(s.table, keys[i]); reasons[i] == nil {
			reasons[i] = checkProjectionPaths(s.table, projections[i])
		}
		faults = faults || reasons[i] != nil
	}
	if faults {
		return &partition.TransactionCanceled{Reasons: reasons}
	}

	var costs transactCosts
	size := 0
	c.out = append(c.out, `{"Responses":[`...)
	err = c.dbTransactGet(reads, func(i int, it item.Item) error {
		if size += it.Size(); size > maxTransactSize {
			return transactionTooLarge()
		}
		costs.of(statements[i].table, statements[i].Table).transactRead(it.Size())
		if c.out = append(appendElement(c.out), '{'); it != nil {
			if projections[i] != nil {
				it = projections[i].Apply(it)
			}
			c.out = it.AppendJSON(appendName(c.out, "Item"))
		}
		c.out = append(c.out, '}')
		return nil
	})
	if err != nil {
		return err
	}
	c.out = append(c.out, ']')
	c.out = costs.appendMember(c.out, in.ReturnConsumedCapacity.Value)
	c.out = append(c.out, '}')
	return nil
}

// writtenKey is the key, as far as it is there, of a statement in a transaction
// that writes.
func (s *statement) writtenKey() (item.Item, error) {
	if s.Kind == partiql.Insert {
		if s.Item.Size() > partition.MaxItemSize {
			return nil, itemTooLarge()
		}
		return s.Item, nil
	}
	key := s.Where.ItemKey(s.table.KeyNames(nil), false)
	if s.Kind == partiql.Exists && (!key.Complete || len(key.Rest) == 0) {
		return nil, validationText("EXISTS() must contain a single item read with additional condition")
	}
	return key.Key, nil
}

// transactWrite plans the write of a statement. What is wrong with it on its table
// is a reason to cancel the transaction.
func (s *statement) transactWrite() *partition.Write {
	if s.Kind == partiql.Insert {
		w := s.insertion()
		w.Fault = checkPutItem(s.table, s.Item)
		return w
	}
	key := s.Where.ItemKey(s.table.KeyNames(nil), false)
	w := s.writeOf(&key)
	change := boundUpdate{w.Update, w.Condition}
	if w.Fault = checkKey(s.table, key.Key); w.Fault != nil {
		return w
	}
	if key.Conflict != "" && s.Kind != partiql.Exists {
		w.Fault = validationText(schemaMismatch)
		return w
	}
	w.Fault = change.checkSchema(s.table)
	return w
}

func (c *call) transactWriteStatements(in *api.ExecuteTransactionInput, statements []statement) error {
	if _, err := c.findTransactStatements(statements, (*statement).writtenKey); err != nil {
		return err
	}
	writes := make([]*partition.Write, len(statements))
	size := 0
	for i := range statements {
		w := statements[i].transactWrite()
		w.WantFailed = in.TransactStatements[i].ReturnValuesOnConditionCheckFailure.Value == returnAllOld
		if size += w.Item.Size(); size > maxTransactSize {
			return transactionTooLarge()
		}
		writes[i] = w
	}
	token := c.idempotencyToken(in.ClientRequestToken, func(f fingerprint) { fingerprintStatements(f, in.TransactStatements) })
	result, err := c.dbTransactWrite(writes, token)
	canceled, isCanceled := errors.AsType[*partition.TransactionCanceled](err)
	switch {
	case isCanceled:
		for i, reason := range canceled.Reasons {
			if reason != nil {
				canceled.Reasons[i] = statements[i].writeFault(reason)
			}
		}
		return canceled
	case errors.Is(err, partition.ErrWriteTooLarge):
		return transactionTooLarge()
	case err != nil:
		return err
	}

	var costs transactCosts
	for i, s := range statements {
		r := &result.Results[i]
		if cost := costs.of(s.table, s.Table); result.Replayed {
			cost.transactRead(max(r.OldSize, r.NewSize))
		} else {
			cost.transactWrite(r)
		}
	}
	c.out = append(c.out, `{"Responses":[]`...)
	c.out = costs.appendMember(c.out, in.ReturnConsumedCapacity.Value)
	c.out = append(c.out, '}')
	return nil
}

// fingerprintStatements hashes what has to be the same for a repeated request to
// be the same.
func fingerprintStatements(f fingerprint, statements []api.ParameterizedStatement) {
	for i := range statements {
		s := &statements[i]
		f.optional(s.Statement)
		f.number(len(s.Parameters))
		for _, p := range s.Parameters {
			f.bytes(p.Value)
		}
		f.optional(s.ReturnValuesOnConditionCheckFailure)
	}
}
