package server_test

import (
	"maps"
	"slices"
	"strings"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/stator-db/stator/server/internal/model"
)

func (m *machine) get(t *rapid.T) {
	key := drawTarget(t, m.table)
	strong := rapid.Bool().Draw(t, "strong")
	request := object{"TableName": m.table.Name, "Key": key.Request(), "ConsistentRead": strong, "ReturnConsumedCapacity": "TOTAL"}
	it := m.table.Get(key)
	units := model.ReadUnits(it.Size(), strong)
	if rapid.Bool().Draw(t, "project") {
		w, paths := drawWriter(t), drawPaths(t)
		request["ProjectionExpression"] = w.Paths(paths)
		addExpressions(request, w)
		if it != nil {
			it = model.Project(it, paths)
		}
	}
	want := object{"ConsumedCapacity": object{"TableName": m.table.Name, "CapacityUnits": units}}
	if it != nil {
		want["Item"] = it.JSON()
	}
	m.expect(t, "GetItem", request, want, nil)
}

// batchGet reads several items, which come in no order.
func (m *machine) batchGet(t *rapid.T) {
	request := object{}
	var paths []model.Path
	if rapid.Bool().Draw(t, "project") {
		w := drawWriter(t)
		paths = drawPaths(t)
		request["ProjectionExpression"] = w.Paths(paths)
		addExpressions(request, w)
	}
	var keys, want []string
	var failure string
	var list []any
	for range rapid.IntRange(1, 8).Draw(t, "keys") {
		key := drawTarget(t, m.table)
		id := canonical(key.JSON())
		if slices.Contains(keys, id) {
			if !oneIn(t, 8, "same key") {
				continue
			}
			failure = "ValidationException"
		}
		keys = append(keys, id)
		list = append(list, key.Request())
		if it := m.table.Get(key); it != nil {
			if paths != nil {
				it = model.Project(it, paths)
			}
			want = append(want, canonical(it.JSON()))
		}
	}
	request["Keys"] = list
	exception, answer := m.send(t, "BatchGetItem", object{"RequestItems": object{m.table.Name: request}})
	require.Equal(t, failure, exception)
	if failure != "" {
		return
	}
	require.Empty(t, answer["UnprocessedKeys"])
	var have []string
	for _, it := range members(answer["Responses"].(object), m.table.Name) {
		have = append(have, canonical(it))
	}
	require.ElementsMatch(t, want, have)
}

// A modelRead is a Query or Scan and the rows it should find.
type modelRead struct {
	operation string
	request   object
	ix        *model.Index
	key       model.Schema // of index or table
	ranks     map[string]int
	entries   []model.Entry // all that is evaluated
	want      []string      // rows, in order
	whole     bool          // rows are entries, without a projection
	counted   bool          // there are no rows, but their number
	units     float64       // what reading it all at once costs
	consumed  float64       // what the last page cost
	failure   error
}

// drawReading draws table or index, and what Query and Scan have in common.
func (m *machine) drawReading(t *rapid.T, operation string) *modelRead {
	r := &modelRead{operation: operation, key: m.table.Key, request: object{"TableName": m.table.Name}}
	if indexes := m.table.Indexes; len(indexes) > 0 && !oneIn(t, 3, "table itself") {
		r.ix = pick(t, "index", indexes...)
		r.key = r.ix.Key
		r.request["IndexName"] = r.ix.Name
	}
	if rapid.Bool().Draw(t, "strong") && (r.ix == nil || r.ix.Local || oneIn(t, 8, "refused")) {
		r.request["ConsistentRead"] = true
		if r.ix != nil && !r.ix.Local {
			r.failure = model.ErrValidation
		}
	}
	return r
}

// answerWith draws filter, projection and Select, and computes the rows that they
// make of the entries.
func (m *machine) answerWith(t *rapid.T, r *modelRead, w *model.Writer) {
	var filter *model.Condition
	if rapid.Bool().Draw(t, "filter") {
		filter = drawCondition(t, m.filterPaths(r), 2)
		r.request["FilterExpression"] = w.Condition(filter)
	}
	fetch := false
	var paths []model.Path
	selects := []string{"", "COUNT", "SPECIFIC_ATTRIBUTES", "ALL_ATTRIBUTES"}
	if r.ix != nil {
		selects = append(selects, "ALL_PROJECTED_ATTRIBUTES")
	}
	sel := pick(t, "select", selects...)
	if sel != "" && (sel != "SPECIFIC_ATTRIBUTES" || rapid.Bool().Draw(t, "explicit")) {
		r.request["Select"] = sel
	}
	beyond := false // asks for attributes that the index does not hold
	switch sel {
	case "COUNT":
		r.counted = true
	case "SPECIFIC_ATTRIBUTES":
		paths = drawPaths(t)
		if r.ix != nil && !r.ix.Local && !oneIn(t, 8, "any attributes") {
			paths = slices.DeleteFunc(paths, func(p model.Path) bool { return !m.table.Projects(r.ix, p[0].Name) })
		}
		if len(paths) == 0 {
			paths = []model.Path{path("pk")}
		}
		r.request["ProjectionExpression"] = w.Paths(paths)
		beyond = r.ix != nil && slices.ContainsFunc(paths, func(p model.Path) bool { return !m.table.Projects(r.ix, p[0].Name) })
	case "ALL_ATTRIBUTES":
		beyond = r.ix != nil && r.ix.Projection != "ALL"
	}
	switch {
	case beyond && r.ix.Local:
		fetch = true
	case beyond:
		r.failure = model.ErrValidation
	}
	r.whole = paths == nil
	r.units = m.readUnits(r, fetch)
	r.ranks = map[string]int{}
	rank := 0
	for i, e := range r.entries {
		if i > 0 && r.key.CompareSort(r.entries[i-1].Entry, e.Entry) != 0 {
			rank++
		}
		row := e.Entry
		if fetch {
			row = e.Item
		}
		if !filter.Holds(row) {
			continue
		}
		if paths != nil {
			row = model.Project(row, paths)
		}
		text := canonical(row.JSON())
		r.ranks[text] = rank
		r.want = append(r.want, text)
	}
	addExpressions(r.request, w)
}

// readUnits is the cost of reading all entries at once. What is fetched from the
// table is rounded item by item.
func (m *machine) readUnits(r *modelRead, fetch bool) float64 {
	strong := r.request["ConsistentRead"] == true
	size, fetched := 0, 0.0
	for _, e := range r.entries {
		size += e.Entry.Size()
		if fetch {
			fetched += model.ReadUnits(e.Item.Size(), strong)
		}
	}
	return model.ReadUnits(size, strong) + fetched
}

// filterPaths are what a filter may use: for a Query nothing of the key.
func (m *machine) filterPaths(r *modelRead) []model.Path {
	if r.operation == "Scan" {
		return allPaths()
	}
	return slices.DeleteFunc(allPaths(), func(p model.Path) bool { return r.key.Has(p[0].Name) })
}

func (m *machine) query(t *rapid.T) {
	r := m.drawReading(t, "Query")
	w := drawWriter(t)
	c := m.drawKeyCondition(t, r)
	r.request["KeyConditionExpression"] = w.KeyCondition(r.key, c, rapid.Bool().Draw(t, "mirrored"))
	entries, unique := m.table.Query(r.ix, c)
	r.entries = entries
	backward := false
	if rapid.Bool().Draw(t, "direction") {
		backward = rapid.Bool().Draw(t, "backward")
		r.request["ScanIndexForward"] = !backward
	}
	if oneIn(t, 3, "start") {
		m.drawStart(t, r, c, backward)
	}
	m.answerWith(t, r, w)
	if backward {
		slices.Reverse(r.want)
	}
	rows := m.once(t, r)
	if r.failure != nil {
		return
	}
	defer m.paged(t, r, rows)
	if r.counted {
		return
	}
	if unique {
		require.Equal(t, r.want, rows)
	} else {
		require.ElementsMatch(t, r.want, rows)
	}
	if r.whole {
		require.True(t, slices.IsSortedFunc(rows, func(a, b string) int {
			if backward {
				a, b = b, a
			}
			return r.ranks[a] - r.ranks[b]
		}), "sort keys")
	}
}

// drawKeyCondition draws the condition of a Query that mostly finds something.
func (m *machine) drawKeyCondition(t *rapid.T, r *modelRead) *model.KeyCondition {
	c := &model.KeyCondition{}
	var like model.Item
	if entries := m.entriesInOrder(r.ix); len(entries) > 0 && !oneIn(t, 4, "any hash") {
		like = pick(t, "like", entries...)
	}
	value := func(k model.KeyAttribute, pool map[string][]*model.Value) *model.Value {
		if like != nil {
			return like[k.Name]
		}
		return pick(t, k.Name, pool[k.Type]...)
	}
	for _, k := range r.key.Hash {
		c.Hash = append(c.Hash, value(k, hashPool))
	}
	equal := rapid.IntRange(0, len(r.key.Range)).Draw(t, "equal")
	if len(r.key.Range) == 1 && !oneIn(t, 4, "one item") {
		equal = 0
	}
	for _, k := range r.key.Range[:equal] {
		c.Equal = append(c.Equal, value(k, sortPool))
	}
	if equal == len(r.key.Range) || rapid.Bool().Draw(t, "no more") {
		return c
	}
	k := r.key.Range[equal]
	ops := []string{"<", "<=", ">", ">=", "BETWEEN", "BETWEEN"}
	if k.Type != "N" {
		ops = append(ops, "begins_with")
	}
	c.Op = pick(t, "operator", ops...)
	bound := func() *model.Value { return pick(t, "bound", sortPool[k.Type]...) }
	c.Operands = []*model.Value{bound()}
	if c.Op == "BETWEEN" {
		c.Operands = append(c.Operands, bound())
		if order, _ := c.Operands[0].Compare(c.Operands[1]); order > 0 {
			slices.Reverse(c.Operands)
		}
	}
	return c
}

// entriesInOrder lists entries in an order that is always the same.
func (m *machine) entriesInOrder(ix *model.Index) (entries []model.Item) {
	texts := map[string]model.Item{}
	var order []string
	for _, e := range m.table.Entries(ix) {
		text := canonical(m.table.Position(ix, e.Entry).JSON())
		texts[text] = e.Entry
		order = append(order, text)
	}
	slices.Sort(order)
	for _, text := range order {
		entries = append(entries, texts[text])
	}
	return entries
}

// drawStart begins a Query behind a position, which may be one where no item is.
// Among equal sort keys of an index the order is not known, so positions beside
// those are drawn.
func (m *machine) drawStart(t *rapid.T, r *modelRead, c *model.KeyCondition, backward bool) {
	if len(r.key.Range) == 0 {
		return
	}
	start := drawKey(t, m.table)
	for i, k := range r.key.Hash {
		start[k.Name] = c.Hash[i]
	}
	for i, k := range r.key.Range {
		if start[k.Name] = pick(t, "start", sortPool[k.Type]...); i < len(c.Equal) {
			start[k.Name] = c.Equal[i]
		}
	}
	if !c.Matches(r.key, start) {
		return
	}
	side := func(e model.Entry) int { return r.key.CompareSort(e.Entry, start) }
	if r.ix != nil && slices.ContainsFunc(r.entries, func(e model.Entry) bool { return side(e) == 0 }) {
		return
	}
	r.request["ExclusiveStartKey"] = start.Request()
	r.entries = slices.DeleteFunc(r.entries, func(e model.Entry) bool {
		if backward {
			return side(e) >= 0
		}
		return side(e) <= 0
	})
}

func (m *machine) scan(t *rapid.T) {
	r := m.drawReading(t, "Scan")
	w := drawWriter(t)
	r.entries = m.table.Entries(r.ix)
	slices.SortFunc(r.entries, func(a, b model.Entry) int { return r.key.CompareSort(a.Entry, b.Entry) })
	m.answerWith(t, r, w)
	rows := m.once(t, r)
	if r.failure != nil {
		return
	}
	if !r.counted {
		require.ElementsMatch(t, r.want, rows)
	}
	if r.whole && !r.counted {
		m.checkPartitions(t, r, rows)
	}
	if oneIn(t, 3, "parallel") {
		m.segments(t, r, rows)
	}
	m.paged(t, r, rows)
}

// segments scans in parallel, as it were: all segments together are the whole.
func (m *machine) segments(t *rapid.T, r *modelRead, rows []string) {
	segment := *r
	segment.request = maps.Clone(r.request)
	total := rapid.IntRange(1, 5).Draw(t, "segments")
	segment.request["TotalSegments"] = total
	if rapid.Bool().Draw(t, "limited") {
		segment.request["Limit"] = 2
	}
	var all []string
	for i := range total {
		segment.request["Segment"] = i
		part, _ := m.pages(t, &segment, nil)
		all = append(all, part...)
	}
	require.ElementsMatch(t, rows, all)
}

// checkPartitions wants the items of each partition key to come together, sorted.
func (m *machine) checkPartitions(t *rapid.T, r *modelRead, rows []string) {
	hashes := map[string]string{} // of each row
	for _, e := range r.entries {
		var hash []string
		for _, k := range r.key.Hash {
			hash = append(hash, canonical(e.Entry[k.Name].JSON()))
		}
		for _, row := range []model.Item{e.Entry, e.Item} {
			hashes[canonical(row.JSON())] = strings.Join(hash, " ")
		}
	}
	left := map[string]bool{}
	for i := 1; i < len(rows); i++ {
		before, now := rows[i-1], rows[i]
		if hashes[before] == hashes[now] {
			require.LessOrEqual(t, r.ranks[before], r.ranks[now], "sort keys of %s and %s", before, now)
			continue
		}
		left[hashes[before]] = true
		require.False(t, left[hashes[now]], "partition %s comes twice", hashes[now])
	}
}

// once reads everything with one request and returns the rows.
func (m *machine) once(t *rapid.T, r *modelRead) []string {
	if r.failure != nil {
		m.expect(t, r.operation, r.request, nil, r.failure)
		return nil
	}
	r.request["ReturnConsumedCapacity"] = "TOTAL"
	rows, sizes := m.pages(t, r, nil)
	require.Equal(t, []int{len(r.entries)}, sizes, "evaluated")
	require.Len(t, rows, len(r.want), "matches")
	require.Equal(t, r.units, r.consumed, "capacity")
	m.outcomes[r.operation+" rows"] += len(rows)
	return rows
}

// paged reads the same again page by page. Sometimes the item where a page ended is
// deleted before the next one, which changes nothing for the pages to come.
func (m *machine) paged(t *rapid.T, r *modelRead, rows []string) {
	if !rapid.Bool().Draw(t, "page by page") {
		return
	}
	r.request["Limit"] = rapid.IntRange(1, 5).Draw(t, "limit")
	var between func(position object)
	if oneIn(t, 3, "delete between pages") {
		between = func(position object) {
			for _, it := range m.table.Items() {
				key := m.table.KeyOf(it)
				text := canonical(key.JSON())
				if text != canonical(pickNames(position, key)) {
					continue
				}
				_, _, err := m.table.Do(model.Write{Kind: "Delete", Item: key})
				require.NoError(t, err)
				m.expect(t, "DeleteItem", object{"TableName": m.table.Name, "Key": key.Request()}, object{}, nil)
			}
		}
	}
	paged, sizes := m.pages(t, r, between)
	require.Equal(t, rows, paged, "pages")
	total := 0
	for _, n := range sizes {
		total += n
	}
	require.Equal(t, len(r.entries), total, "evaluated")
}

func pickNames(o object, key model.Item) object {
	picked := object{}
	for name := range key {
		picked[name] = o[name]
	}
	return picked
}

// pages reads page after page. It returns all rows, empty ones for COUNT, and how
// many entries each page evaluated.
func (m *machine) pages(t *rapid.T, r *modelRead, between func(position object)) (rows []string, sizes []int) {
	request := maps.Clone(r.request)
	positions := map[string]bool{}
	for _, e := range r.entries {
		positions[canonical(m.table.Position(r.ix, e.Entry).JSON())] = true
	}
	limit, limited := request["Limit"].(int)
	for {
		exception, answer := m.send(t, r.operation, request)
		require.Empty(t, exception)
		matched, scanned := int(answer["Count"].(float64)), int(answer["ScannedCount"].(float64))
		if r.counted {
			require.NotContains(t, answer, "Items")
			rows = append(rows, make([]string, matched)...)
		} else {
			require.Len(t, answer["Items"], matched)
		}
		for _, it := range members(answer, "Items") {
			rows = append(rows, canonical(it))
		}
		sizes = append(sizes, scanned)
		if capacity, ok := answer["ConsumedCapacity"].(object); ok {
			r.consumed = capacity["CapacityUnits"].(float64)
		}
		position, more := answer["LastEvaluatedKey"].(object)
		require.Equal(t, limited && scanned == limit, more, "LastEvaluatedKey")
		if !more {
			return rows, sizes
		}
		text := canonical(position)
		require.True(t, positions[text], "position %s", text)
		delete(positions, text)
		if between != nil {
			between(position)
		}
		request["ExclusiveStartKey"] = position
	}
}

// audit reads table and indexes as a whole, and each item alone.
func (m *machine) audit(t *rapid.T) {
	m.describe(t)
	for _, ix := range append([]*model.Index{nil}, m.table.Indexes...) {
		request := object{"TableName": m.table.Name}
		if ix != nil {
			request["IndexName"] = ix.Name
		}
		var want, have []string
		for _, e := range m.table.Entries(ix) {
			want = append(want, canonical(e.Entry.JSON()))
		}
		exception, answer := m.send(t, "Scan", request)
		require.Empty(t, exception)
		for _, it := range members(answer, "Items") {
			have = append(have, canonical(it))
		}
		require.ElementsMatch(t, want, have)
	}
}
