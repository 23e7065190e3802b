package server

import (
	"encoding/base64"
	"strings"

	"github.com/go-json-experiment/json"

	"github.com/stator-db/stator/expression/partiql"
	"github.com/stator-db/stator/partition"
	"github.com/stator-db/stator/server/internal/api"
	"github.com/stator-db/stator/storage/item"
)

// A faultTarget is something that a request is about, as far as the rules of faults
// look at it: an item, a partition or a table.
type faultTarget struct {
	table *partition.Table // nil if there is none of the name
	name  string           // of the table
	hash  item.Value       // value of the partition key; nil if the target is a whole table
	sort  item.Value       // value of the sort key; nil if the target is not one item with one
	write bool
}

// faultTargets reads what a request is about without judging it: from a request that
// does not decode it reads nothing. Of a transaction there is one target for each
// action.
func (c *call) faultTargets() []faultTarget {
	switch c.op.name {
	case "PutItem":
		var in api.PutItemInput
		if c.unmarshal(&in) != nil {
			return nil
		}
		return []faultTarget{c.itemTarget(in.TableName.Value, in.Item, true)}
	case "UpdateItem":
		var in api.UpdateItemInput
		if c.unmarshal(&in) != nil {
			return nil
		}
		return []faultTarget{c.itemTarget(in.TableName.Value, in.Key, true)}
	case "DeleteItem":
		var in api.DeleteItemInput
		if c.unmarshal(&in) != nil {
			return nil
		}
		return []faultTarget{c.itemTarget(in.TableName.Value, in.Key, true)}
	case "GetItem":
		var in api.GetItemInput
		if c.unmarshal(&in) != nil {
			return nil
		}
		return []faultTarget{c.itemTarget(in.TableName.Value, in.Key, false)}
	case "Query":
		return c.queryTargets()
	case "BatchGetItem", "BatchWriteItem":
		return c.batchTargets()
	case "TransactGetItems", "TransactWriteItems":
		return c.transactTargets()
	case "ExecuteStatement", "BatchExecuteStatement", "ExecuteTransaction":
		return c.statementTargets()
	}
	return c.tableTargets()
}

func (c *call) itemTarget(table string, key api.AttributeMap, write bool) faultTarget {
	target := c.tableTarget(table)
	target.write = write
	if target.table != nil {
		target.hash = key.Item.Get(target.table.Key.Hash[0].Name)
		for _, a := range target.table.Key.Range {
			target.sort = key.Item.Get(a.Name)
		}
	}
	return target
}

// tableTarget is a table by name or ARN.
func (c *call) tableTarget(nameOrARN string) faultTarget {
	target := faultTarget{name: nameOrARN}
	if a, ok := parseARN(nameOrARN); ok {
		target.name, _, _ = strings.Cut(strings.TrimPrefix(a.resource, "table/"), "/")
	}
	if t, err := c.s.db.Table(c.ns, target.name); err == nil {
		target.table = t
	}
	return target
}

// queryTargets is the partition that a Query reads, of the table or of an index.
func (c *call) queryTargets() []faultTarget {
	var in api.QueryInput
	if c.unmarshal(&in) != nil {
		return nil
	}
	target := c.tableTarget(in.TableName.Value)
	q, err := bindQuery(&in)
	if t := target.table; err == nil && t != nil {
		schema := t.Key
		if ix := t.Index(in.IndexName.Value); ix != nil {
			schema = ix.Key
		}
		if term := findTerm(q.keys, schema.Hash[0].Name); term != nil && len(term.Values) > 0 {
			target.hash = term.Values[0]
		}
	}
	return []faultTarget{target}
}

func (c *call) batchTargets() (targets []faultTarget) {
	if c.op.name == "BatchGetItem" {
		var in api.BatchGetItemInput
		if c.unmarshal(&in) != nil {
			return nil
		}
		for _, table := range in.RequestItems {
			for _, key := range table.Value.Keys {
				targets = append(targets, c.itemTarget(table.Key, key, false))
			}
		}
		return targets
	}
	var in api.BatchWriteItemInput
	if c.unmarshal(&in) != nil {
		return nil
	}
	for _, table := range in.RequestItems {
		for _, w := range table.Value {
			if w.PutRequest != nil || w.DeleteRequest != nil {
				targets = append(targets, c.itemTarget(table.Key, *writeRequestItem(&w), true))
			}
		}
	}
	return targets
}

func (c *call) transactTargets() (targets []faultTarget) {
	if c.op.name == "TransactGetItems" {
		var in api.TransactGetItemsInput
		if c.unmarshal(&in) != nil {
			return nil
		}
		for _, action := range in.TransactItems {
			if action.Get == nil {
				return nil
			}
			targets = append(targets, c.itemTarget(action.Get.TableName.Value, action.Get.Key, false))
		}
		return targets
	}
	var in api.TransactWriteItemsInput
	if c.unmarshal(&in) != nil {
		return nil
	}
	for i := range in.TransactItems {
		_, m, err := actionOf(&in.TransactItems[i])
		if err != nil {
			return nil
		}
		targets = append(targets, c.itemTarget(m.table.Value, *m.item, true))
	}
	return targets
}

// statementTargets has one target for each statement of PartiQL.
func (c *call) statementTargets() (targets []faultTarget) {
	switch c.op.name {
	case "ExecuteStatement":
		var in api.ExecuteStatementInput
		if c.unmarshal(&in) == nil {
			targets = append(targets, c.statementTarget(in.Statement.Value, in.Parameters))
		}
	case "BatchExecuteStatement":
		var in api.BatchExecuteStatementInput
		if c.unmarshal(&in) != nil {
			return nil
		}
		for _, s := range in.Statements {
			targets = append(targets, c.statementTarget(s.Statement.Value, s.Parameters))
		}
	case "ExecuteTransaction":
		var in api.ExecuteTransactionInput
		if c.unmarshal(&in) != nil {
			return nil
		}
		for _, s := range in.TransactStatements {
			targets = append(targets, c.statementTarget(s.Statement.Value, s.Parameters))
		}
	}
	return targets
}

// statementTarget is the partition that a statement fixes by an equality, or else
// its table. A statement with faults is about nothing.
func (c *call) statementTarget(text string, parameters []api.AttributeValue) faultTarget {
	values := make([]item.Value, len(parameters))
	for i, p := range parameters {
		values[i] = p.Value
	}
	statement, err := partiql.Parse(text)
	if err != nil {
		return faultTarget{}
	}
	command, err := statement.Bind(values)
	if err != nil {
		return faultTarget{}
	}
	target := c.tableTarget(command.Table)
	target.write = command.IsWrite()
	if target.table == nil {
		return target
	}
	schema := target.table.Key
	if ix := target.table.Index(command.Index); ix != nil {
		schema = ix.Key
	}
	hash := schema.Hash[0].Name
	if command.Kind == partiql.Insert {
		target.hash = command.Item.Get(hash)
	} else {
		target.hash = command.Where.ItemKey([]string{hash}, true).Key.Get(hash)
	}
	return target
}

// tableTargets is the table that any other request names in one way or another.
func (c *call) tableTargets() []faultTarget {
	var in struct {
		TableName     string
		TableArn      string
		ResourceArn   string
		StreamArn     string
		ShardIterator string
	}
	if json.Unmarshal(c.body, &in) != nil {
		return nil
	}
	for _, name := range []string{in.TableName, in.TableArn, in.ResourceArn, in.StreamArn, in.ShardIterator} {
		if name != "" {
			return []faultTarget{c.tableTarget(name)}
		}
	}
	return nil
}

// matches compares the target with the patterns of a rule.
func (t *faultTarget) matches(r *faultRule) bool {
	if r.Table != "" && !matchPattern(r.Table, t.name) {
		return false
	}
	return r.Key == "" || t.hash != nil && matchPattern(r.Key, keyText(t.hash))
}

// keyText is how a value of a key attribute is written in a pattern: text as it is,
// numbers in decimal, binary in base 64.
func keyText(v item.Value) string {
	if v.Type() == item.B {
		return base64.StdEncoding.EncodeToString(v.Bytes())
	}
	return string(v.Bytes())
}
