package server

import (
	"github.com/stator-db/stator/expression"
	"github.com/stator-db/stator/partition"
	"github.com/stator-db/stator/storage/item"
)

// The values of the API shape ReturnValue, and of ReturnItemCollectionMetrics.
const (
	returnNone       = "NONE"
	returnAllOld     = "ALL_OLD"
	returnAllNew     = "ALL_NEW"
	returnUpdatedOld = "UPDATED_OLD"
	returnUpdatedNew = "UPDATED_NEW"

	metricsSize = "SIZE"
)

// A writeAnswer says what the response to a single write holds: the values of the
// request's members of these meanings.
type writeAnswer struct {
	table    string            // TableName as sent
	values   string            // ReturnValues
	targets  []expression.Path // what UPDATED_OLD and UPDATED_NEW show
	capacity string            // ReturnConsumedCapacity
	metrics  string            // ReturnItemCollectionMetrics
}

// write makes one write and appends the response to it.
func (c *call) write(w *partition.Write, answer *writeAnswer) error {
	result, err := c.dbWrite(w)
	if err != nil {
		return err
	}
	c.out = append(c.out, '{')
	if it := answer.attributes(&result); it.Len() > 0 {
		c.out = appendName(c.out, "Attributes")
		c.out = it.AppendJSON(c.out)
	}
	if wantsCapacity(answer.capacity) {
		var cost consumption
		cost.write(&result)
		c.out = cost.appendMember(c.out, answer.table, answer.capacity)
	}
	if answer.metrics == metricsSize && len(w.Table.Local) > 0 {
		size, err := c.collectionGB(w.Table, w.Item)
		if err != nil {
			return err
		}
		c.out = appendName(c.out, "ItemCollectionMetrics")
		c.out = appendCollectionMetrics(c.out, w.Table, w.Item, size)
	}
	c.out = append(c.out, '}')
	return nil
}

// attributes picks what ReturnValues asks for; nil or empty if there is nothing.
func (a *writeAnswer) attributes(r *partition.WriteResult) item.Item {
	switch a.values {
	case returnAllOld:
		return r.Old
	case returnAllNew:
		return r.New
	case returnUpdatedOld:
		return project(r.Old, a.targets)
	case returnUpdatedNew:
		return project(r.New, a.targets)
	}
	return nil
}

func project(it item.Item, paths []expression.Path) item.Item {
	if it == nil || len(paths) == 0 {
		return nil
	}
	return expression.ProjectPaths(it, paths)
}
