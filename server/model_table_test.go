package server_test

import (
	"fmt"
	"slices"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/stator-db/stator/server/internal/model"
)

// drawSchema draws a table with its indexes.
func drawSchema(t *rapid.T) *model.Table {
	table := &model.Table{Name: "tab"}
	table.Key.Hash = []model.KeyAttribute{{Name: "pk", Type: pick(t, "hash", "S", "N", "B")}}
	if !oneIn(t, 3, "hash only") {
		table.Key.Range = []model.KeyAttribute{{Name: "sk", Type: pick(t, "range", "S", "N", "B")}}
		for i := range rapid.IntRange(0, 2).Draw(t, "local indexes") {
			ix := &model.Index{Name: fmt.Sprint("local", i), Local: true}
			ix.Key.Hash = table.Key.Hash
			ix.Key.Range = []model.KeyAttribute{pick(t, "sort", append(indexKeys, table.Key.Range...)...)}
			drawProjection(t, ix)
			table.Indexes = append(table.Indexes, ix)
		}
	}
	for range rapid.IntRange(0, 3).Draw(t, "global indexes") {
		table.Indexes = append(table.Indexes, drawGlobal(t, table))
	}
	return table
}

// drawGlobal draws a global index with a name that is still free.
func drawGlobal(t *rapid.T, table *model.Table) *model.Index {
	ix := &model.Index{}
	for i := 0; ix.Name == "" || table.Index(ix.Name) != nil; i++ {
		ix.Name = fmt.Sprint("global", i)
	}
	shape := pick(t, "shape", [2]int{1, 0}, [2]int{1, 1}, [2]int{2, 2}, [2]int{1, 1}, [2]int{2, 0}, [2]int{1, 2})
	all := rapid.Permutation(append(indexKeys, table.Key.Attributes()...)).Draw(t, "keys")
	ix.Key = model.Schema{Hash: all[:shape[0]], Range: all[shape[0] : shape[0]+shape[1]]}
	drawProjection(t, ix)
	return ix
}

func drawProjection(t *rapid.T, ix *model.Index) {
	if ix.Projection = pick(t, "projection", "ALL", "KEYS_ONLY", "INCLUDE"); ix.Projection == "INCLUDE" {
		names := rapid.Permutation(slices.Concat(freeNames, []string{"a", "b"})).Draw(t, "attributes")
		ix.NonKey = names[:rapid.IntRange(1, 3).Draw(t, "included")]
	}
}

func schemaRequest(s model.Schema) (elements []any) {
	for _, k := range s.Hash {
		elements = append(elements, object{"AttributeName": k.Name, "KeyType": "HASH"})
	}
	for _, k := range s.Range {
		elements = append(elements, object{"AttributeName": k.Name, "KeyType": "RANGE"})
	}
	return elements
}

func indexRequest(ix *model.Index) object {
	projection := object{"ProjectionType": ix.Projection}
	if ix.NonKey != nil {
		projection["NonKeyAttributes"] = ix.NonKey
	}
	return object{"IndexName": ix.Name, "KeySchema": schemaRequest(ix.Key), "Projection": projection}
}

// definitions declares the attributes of keys, each once.
func definitions(schemas ...model.Schema) (attributes []any) {
	var declared []model.KeyAttribute
	for _, s := range schemas {
		for _, k := range s.Attributes() {
			if !slices.Contains(declared, k) {
				declared = append(declared, k)
				attributes = append(attributes, object{"AttributeName": k.Name, "AttributeType": k.Type})
			}
		}
	}
	return attributes
}

func (m *machine) createTable(t *rapid.T) {
	m.table, m.repeat = drawSchema(t), nil
	request := object{"TableName": m.table.Name, "BillingMode": "PAY_PER_REQUEST", "KeySchema": schemaRequest(m.table.Key)}
	schemas := []model.Schema{m.table.Key}
	var local, global []any
	for _, ix := range m.table.Indexes {
		schemas = append(schemas, ix.Key)
		if ix.Local {
			local = append(local, indexRequest(ix))
		} else {
			global = append(global, indexRequest(ix))
		}
	}
	request["AttributeDefinitions"] = definitions(schemas...)
	if local != nil {
		request["LocalSecondaryIndexes"] = local
	}
	if global != nil {
		request["GlobalSecondaryIndexes"] = global
	}
	exception, _ := m.send(t, "CreateTable", request)
	require.Empty(t, exception)
	m.awaitActive(t)
	for range rapid.IntRange(0, 6).Draw(t, "batches") {
		m.batchWrite(t)
	}
}

// recreate replaces the table by another of the same name.
func (m *machine) recreate(t *rapid.T) {
	if !oneIn(t, 3, "recreate") {
		t.Skip("more often a table goes on to fill")
	}
	m.deleteTable(t)
	m.createTable(t)
}

func (m *machine) deleteTable(t *rapid.T) {
	exception, _ := m.send(t, "DeleteTable", object{"TableName": m.table.Name})
	require.Empty(t, exception)
	exception, _ = m.send(t, "Scan", object{"TableName": m.table.Name})
	require.Equal(t, "ResourceNotFoundException", exception)
}

// updateTable adds or deletes a global index.
func (m *machine) updateTable(t *rapid.T) {
	var global []*model.Index
	for _, ix := range m.table.Indexes {
		if !ix.Local {
			global = append(global, ix)
		}
	}
	request := object{"TableName": m.table.Name}
	change := object{}
	if len(global) == 0 || len(global) < 4 && rapid.Bool().Draw(t, "add index") {
		ix := drawGlobal(t, m.table)
		request["AttributeDefinitions"] = definitions(m.table.Key, ix.Key)
		change["Create"] = indexRequest(ix)
		m.table.Indexes = append(slices.Clone(m.table.Indexes), ix)
	} else {
		ix := pick(t, "index", global...)
		change["Delete"] = object{"IndexName": ix.Name}
		m.table.Indexes = slices.DeleteFunc(slices.Clone(m.table.Indexes), func(other *model.Index) bool { return other == ix })
	}
	request["GlobalSecondaryIndexUpdates"] = []any{change}
	exception, _ := m.send(t, "UpdateTable", request)
	require.Empty(t, exception)
	for range rapid.IntRange(0, 3).Draw(t, "writes meanwhile") {
		pick(t, "write", m.batchWrite, m.put, m.update, m.delete, m.transactWrite)(t)
	}
	m.awaitActive(t)
}

// awaitActive asks until nothing is being created or deleted, and returns the last
// answer.
func (m *machine) awaitActive(t *rapid.T) (table object) {
	for deadline := time.Now().Add(20 * time.Second); ; {
		exception, answer := m.send(t, "DescribeTable", object{"TableName": m.table.Name})
		require.Empty(t, exception)
		table = answer["Table"].(object)
		active := table["TableStatus"] == "ACTIVE"
		for _, ix := range members(table, "GlobalSecondaryIndexes") {
			active = active && ix["IndexStatus"] == "ACTIVE"
		}
		if active {
			return table
		}
		require.True(t, time.Now().Before(deadline), "table never becomes active")
	}
}

func members(o object, list string) (all []object) {
	elements, _ := o[list].([]any)
	for _, element := range elements {
		all = append(all, element.(object))
	}
	return all
}

// describe compares what DescribeTable counts.
func (m *machine) describe(t *rapid.T) {
	table := m.awaitActive(t)
	count := func(ix *model.Index, what object, size string) {
		items, bytes := m.table.Size(ix)
		require.Equal(t, []any{float64(items), float64(bytes)}, []any{what["ItemCount"], what[size]}, "items and bytes of %v", ix)
	}
	count(nil, table, "TableSizeBytes")
	indexes := append(members(table, "LocalSecondaryIndexes"), members(table, "GlobalSecondaryIndexes")...)
	require.Len(t, indexes, len(m.table.Indexes))
	for _, description := range indexes {
		ix := m.table.Index(description["IndexName"].(string))
		require.NotNil(t, ix)
		count(ix, description, "IndexSizeBytes")
	}
}
