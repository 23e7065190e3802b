package server

import (
	"slices"

	"github.com/stator-db/stator/expression"
	"github.com/stator-db/stator/partition"
	"github.com/stator-db/stator/storage/item"
)

// maxKeyRows is how many rows a page has if the partition or sort key is given by
// several values (Developer Guide, PartiQL operators: IN).
const maxKeyRows = 10

// A selection is a SELECT while it is being answered: a page that is read from
// several ranges, or from everything if there are none.
type selection struct {
	page
	keyed  bool
	ranges []keyedRead
	priced units // of what was read and has been charged
}

// planSelect turns a SELECT into the reads that Query and Scan would make.
func (c *call) planSelect(s *statement, consistency partition.Consistency, limit int) (*selection, error) {
	p := &selection{page: page{
		c:          c,
		projection: s.projection(),
		read:       partition.Read{Table: s.table, Index: s.index, Consistency: consistency},
		limit:      limit,
	}}
	if s.Where != nil {
		p.filter = s.Where.Condition()
	}
	if err := p.planAttributes(selectProjected); err != nil {
		return nil, err
	}
	hash := s.schema().Hash[0].Name
	p.keyed = s.Where.Keyed(hash)
	switch {
	case len(s.Order) > 0 && s.Where == nil:
		return nil, validationText("Must have WHERE clause in the statement when using ORDER BY clause.")
	case len(s.Order) > 0 && !p.keyed:
		return nil, validationText("Must have at least one non-optional hash key condition in WHERE clause when using ORDER BY clause.")
	}
	if err := s.checkFilter(hash); err != nil {
		return nil, err
	}
	if err := checkConditionPaths(s.table, p.filter); err != nil {
		return nil, err
	}
	if err := checkProjectionPaths(s.table, p.projection); err != nil {
		return nil, err
	}
	if !p.keyed {
		return p, nil
	}
	var err error
	if p.ranges, err = s.planRanges(); err != nil {
		return nil, err
	}
	if len(p.ranges) > 1 && (limit == 0 || limit > maxKeyRows) {
		p.limit = maxKeyRows
	}
	p.read.Reverse, err = s.order(p.ranges)
	return p, err
}

// projection is the select list; nil for all attributes.
func (s *statement) projection() *expression.Projection {
	if s.Columns == nil {
		return nil
	}
	return expression.NewColumns(s.Columns)
}

// checkFilter refuses, in a keyed read of an index, conditions on attributes that
// the index does not hold. A read of all of it matches nothing instead.
func (s *statement) checkFilter(hash string) error {
	ix := s.index
	if ix == nil || ix.Projection == partition.ProjectAll {
		return nil
	}
	held := slices.Concat(s.table.KeyNames(ix), ix.NonKey)
	if missing := s.Where.Filtered(hash, held); len(missing) > 0 {
		return invalid("Secondary index %s does not project one or more filter attributes: %s",
			ix.Name, bracketed(javaSet(missing, javaDefaultSize)))
	}
	return nil
}

// rows reads the page and appends the elements of Items. It goes on after the
// given position; nil begins at the start.
func (p *selection) rows(after item.Item) error {
	if !p.keyed {
		p.read.After = after
		return p.c.dbRead(&p.read, p.visit, p.unpriced)
	}
	first := 0
	if after != nil {
		schema := p.schema()
		for first < len(p.ranges) && !p.ranges[first].contains(schema, after) {
			first++
		}
	}
	for i := first; i < len(p.ranges) && p.lastKey == nil; i++ {
		p.read.Hash, p.read.Sort, p.read.After = p.ranges[i].hash, p.ranges[i].sort, nil
		if i == first {
			p.read.After = after
		}
		if err := p.c.dbRead(&p.read, p.visit, p.unpriced); err != nil {
			return err
		}
	}
	return nil
}

// schema is the key schema of what is read.
func (p *selection) schema() partition.KeySchema {
	if p.read.Index != nil {
		return p.read.Index.Key
	}
	return p.read.Table.Key
}

// unpriced is what the page has cost since it was asked last.
func (p *selection) unpriced() consumption {
	cost := p.cost()
	total := cost.total()
	since := consumption{table: total - p.priced}
	p.priced = total
	return since
}
