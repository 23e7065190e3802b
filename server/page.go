package server

import (
	"slices"
	"strconv"

	"github.com/stator-db/stator/expression"
	"github.com/stator-db/stator/partition"
	"github.com/stator-db/stator/server/internal/api"
	"github.com/stator-db/stator/storage/item"
)

// maxPageSize ends a page of Query or Scan: the item with which the items read
// reach it is the last one (API Reference, Query: "1 MB").
const maxPageSize = 1 << 20

// The values of the API shape Select.
const (
	selectAll       = "ALL_ATTRIBUTES"
	selectProjected = "ALL_PROJECTED_ATTRIBUTES"
	selectSpecific  = "SPECIFIC_ATTRIBUTES"
	selectCount     = "COUNT"
)

// A page is one request of Query or Scan while it is being answered.
type page struct {
	c          *call
	read       partition.Read
	limit      int // how many entries are looked at, 0 for as many as fit
	filter     *expression.Condition
	projection *expression.Projection
	countOnly  bool
	// fetch: the answer needs attributes that the local index does not hold, so
	// every entry is replaced by the item behind it.
	fetch bool

	scanned, matched int
	entrySize        int    // bytes of all entries read, in table or index
	pageSize         int    // bytes that count towards maxPageSize
	fetched          units  // cost of the items read for entries
	lastKey          []byte // LastEvaluatedKey as JSON; empty at the end of the range
}

// serve reads one page and appends the response to it. table is the name as
// requested and capacity the member ReturnConsumedCapacity.
func (p *page) serve(table, capacity string) error {
	c := p.c
	c.out = append(c.out, '{')
	if !p.countOnly {
		c.out = append(c.out, `"Items":[`...)
	}
	if err := c.dbRead(&p.read, p.visit, p.cost); err != nil {
		return err
	}
	p.traced()
	if !p.countOnly {
		c.out = append(c.out, ']')
	}
	c.out = appendName(c.out, "Count")
	c.out = strconv.AppendInt(c.out, int64(p.matched), 10)
	c.out = appendName(c.out, "ScannedCount")
	c.out = strconv.AppendInt(c.out, int64(p.scanned), 10)
	if p.lastKey != nil {
		c.out = appendName(c.out, "LastEvaluatedKey")
		c.out = append(c.out, p.lastKey...)
	}
	if wantsCapacity(capacity) {
		cost := p.cost()
		c.out = cost.appendMember(c.out, table, capacity)
	}
	c.out = append(c.out, '}')
	return nil
}

// visit evaluates one entry and reports whether the page goes on.
func (p *page) visit(e *partition.Entry) (more bool, err error) {
	p.scanned++
	size := e.Item.Size()
	p.entrySize += size
	if p.fetch {
		err = e.Base(func(it item.Item) error {
			size = it.Size()
			p.fetched += readUnits(size, p.read.Consistency)
			p.answer(it)
			return nil
		})
		if err != nil {
			return false, err
		}
	} else {
		p.answer(e.Item)
	}
	p.pageSize += size
	if p.scanned == p.limit || p.pageSize >= maxPageSize {
		key := e.Item.Project(p.read.Table.KeyNames(p.read.Index))
		p.lastKey = key.AppendJSON(nil)
		return false, nil
	}
	return true, nil
}

// answer adds an item to the response if it passes the filter.
func (p *page) answer(it item.Item) {
	if p.filter != nil && !p.filter.Eval(it) {
		return
	}
	p.matched++
	if p.countOnly {
		return
	}
	if p.projection != nil {
		it = p.projection.Apply(it)
	}
	p.c.out = appendElement(p.c.out)
	p.c.out = it.AppendJSON(p.c.out)
}

// traced tells the request log what the page has read.
func (p *page) traced() {
	if t := p.c.trace; t != nil {
		t.read, t.returned = p.scanned, p.matched
	}
}

// cost prices the page: entries are rounded together, items behind entries of a
// local index one by one.
func (p *page) cost() consumption {
	read := readUnits(p.entrySize, p.read.Consistency)
	if p.read.Index == nil {
		return consumption{table: read}
	}
	cost := consumption{table: p.fetched}
	cost.index(p.read.Index, read)
	return cost
}

// checkSelect judges Select against the projection members of Query and Scan
// before the table is known. It says what the service calls a missing list, which
// differs between the two.
func checkSelect(sel api.Optional[string], index bool, attributesToGet bool, projection bool, missingList func(string) *apiError) error {
	if !sel.Present {
		return nil
	}
	given := ""
	switch {
	case projection:
		given = "ProjectionExpression"
	case attributesToGet:
		given = "AttributesToGet"
	}
	switch {
	case sel.Value == selectSpecific && given == "":
		return missingList("Must specify the AttributesToGet or ProjectionExpression when choosing to get SPECIFIC_ATTRIBUTES")
	case sel.Value == selectSpecific:
		return nil
	case given != "" && sel.Value == selectCount:
		return validation("Cannot specify the %s when choosing to get only the Count", given)
	case given != "":
		return validation("Cannot specify the %s when choosing to get %s", given, sel.Value)
	case sel.Value == selectProjected && !index:
		return validationText("ALL_PROJECTED_ATTRIBUTES can be used only when Querying using an IndexName")
	}
	return nil
}

// readIndex finds the index that Query or Scan names; nil means the table itself.
func readIndex(t *partition.Table, name api.Optional[string], strong bool) (*partition.Index, error) {
	if !name.Present {
		return nil, nil
	}
	ix := t.Index(name.Value)
	if ix == nil || ix.Status == partition.IndexDeleting {
		return nil, validation("The table does not have the specified index: %s", name.Value)
	}
	if !ix.Local && strong {
		return nil, validationText("Consistent reads are not supported on global secondary indexes")
	}
	if ix.Status == partition.IndexCreating {
		return nil, validation("Cannot read from backfilling global secondary index: %s", ix.Name)
	}
	return ix, nil
}

// planAttributes decides where the attributes of the answer come from: a global
// index holds what it holds, a local one can be completed from the table.
func (p *page) planAttributes(sel string) error {
	ix := p.read.Index
	p.countOnly = sel == selectCount
	if ix == nil || ix.Projection == partition.ProjectAll {
		return nil
	}
	var missing []string
	if p.projection != nil {
		missing = notProjected(p.read.Table, ix, p.projection.TopLevel())
	}
	switch {
	case ix.Local:
		p.fetch = sel == selectAll || len(missing) > 0
	case sel == selectAll:
		return invalid("Select type ALL_ATTRIBUTES is not supported for global secondary index %s because its projection type is not ALL", ix.Name)
	case len(missing) > 0:
		return invalid("Global secondary index %s does not project %s", ix.Name, bracketed(missing))
	}
	return nil
}

// notProjected lists the names that entries of the index do not hold.
func notProjected(t *partition.Table, ix *partition.Index, names []string) []string {
	keys := t.KeyNames(ix)
	var missing []string
	for _, name := range names {
		if !slices.Contains(keys, name) && !slices.Contains(ix.NonKey, name) {
			missing = append(missing, name)
		}
	}
	return missing
}
