package partition

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/stator-db/stator/storage/item"
)

// TestStreamEqualsHistory writes at random, alone, in batches and in transactions,
// lets items expire and records grow old, reopens the directory, and wants the
// stream to tell of each item exactly what happened to it, in order.
func TestStreamEqualsHistory(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		h := &streamModel{
			t:       rt,
			options: Options{Shards: rapid.SampledFrom([]int{1, 4}).Draw(rt, "shards"), SweepInterval: time.Hour},
			view:    rapid.SampledFrom([]string{"NEW_AND_OLD_IMAGES", "NEW_IMAGE", "OLD_IMAGE", "KEYS_ONLY"}).Draw(rt, "view"),
			items:   make(map[string]item.Item),
			history: make(map[string][]streamEvent),
		}
		if rapid.IntRange(0, 5).Draw(rt, "on disk") == 5 {
			h.options.Dir = t.TempDir()
		}
		h.options.InMemory = h.options.Dir == ""
		h.options.Clock = func() time.Time { return time.UnixMilli(h.now.Load()) }
		h.now.Store(time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC).UnixMilli())
		h.open()
		defer func() { require.NoError(rt, h.db.Close()) }()
		spec := streamTable(h.view)
		spec.TTL = &TTLSpec{Attribute: "ttl", Enabled: true}
		spec.Attributes = append(spec.Attributes, key("g", item.S))
		spec.Global = []*Index{{Name: "byG", Projection: ProjectAll, Key: KeySchema{Hash: []KeyAttribute{key("g", item.S)}}}}
		_, err := h.db.CreateTable(context.Background(), spec)
		require.NoError(rt, err)
		h.find()
		rt.Repeat(map[string]func(*rapid.T){
			"write":    func(*rapid.T) { h.write() },
			"write 2":  func(*rapid.T) { h.write() },
			"batch":    func(*rapid.T) { h.batch() },
			"transact": func(*rapid.T) { h.transact() },
			"time":     func(*rapid.T) { h.pass() },
			"reopen":   func(*rapid.T) { h.reopen() },
			"":         func(*rapid.T) { h.check() },
		})
		if !h.options.InMemory {
			require.NoError(rt, h.db.Close())
			_, err := Verify(context.Background(), Options{Dir: h.options.Dir}, func(p Problem) { rt.Error(p) })
			require.NoError(rt, err)
		}
	})
}

// streamModel is a table with a stream, and what the stream should hold.
type streamModel struct {
	t       *rapid.T
	options Options
	view    string
	now     atomic.Int64 // milliseconds; the database reads it from its goroutines
	db      *DB
	table   *Table
	stream  *Stream
	items   map[string]item.Item     // by partition key
	history map[string][]streamEvent // by partition key
}

// streamEvent is a stream record in words.
type streamEvent struct {
	at   int64
	text string
}

func (h *streamModel) open() {
	var err error
	h.db, err = Open(h.options)
	require.NoError(h.t, err)
}

// find looks up table and stream.
func (h *streamModel) find() {
	var err error
	h.table, err = h.db.Table(Namespace{}, "T")
	require.NoError(h.t, err)
	h.stream, err = h.db.Stream(Namespace{}, "T", h.table.LatestStreamLabel)
	require.NoError(h.t, err)
}

func (h *streamModel) reopen() {
	if h.options.InMemory {
		h.t.Skip("nothing to reopen")
	}
	require.NoError(h.t, h.db.Close())
	h.options.Shards = 0
	h.open()
	h.find()
}

// draw draws a write and what becomes of the item: fails says that its condition
// does not hold.
func (h *streamModel) draw() (w *Write, next item.Item, fails bool) {
	pk := strconv.Itoa(rapid.IntRange(0, 7).Draw(h.t, "pk"))
	old := h.items[pk]
	w = &Write{Table: h.table, Kind: rapid.SampledFrom([]WriteKind{Put, Update, Delete, Check}).Draw(h.t, "kind"), Item: object("pk", pk)}
	switch w.Kind {
	case Put:
		w.Item = h.drawItem(pk)
		next = w.Item
	case Update:
		w.Update = update(h.t, "SET v = :v REMOVE g", map[string]item.Value{":v": num(rapid.IntRange(0, 1).Draw(h.t, "v"))})
		base := old
		if base == nil {
			base = w.Item
		}
		literal, _ := w.Update.LiteralSet("v")
		next = base.With(item.Change{Name: "g"}, item.Change{Name: "v", Value: literal})
	case Check:
		next = old
	}
	if w.Kind == Check || rapid.IntRange(0, 3).Draw(h.t, "conditional") == 3 {
		w.Condition = condition(h.t, "attribute_exists(v)", nil)
		fails = old == nil || old.Get("v") == nil
	}
	return w, next, fails
}

// drawItem draws an item that expires soon, late, or never. Few different ones, so
// that some writes change nothing.
func (h *streamModel) drawItem(pk string) item.Item {
	seconds := int(h.now.Load() / 1000)
	b := []any{"pk", pk}
	if rapid.Bool().Draw(h.t, "v") {
		b = append(b, "v", 1)
	}
	if rapid.Bool().Draw(h.t, "g") {
		b = append(b, "g", rapid.SampledFrom([]string{"x", "y"}).Draw(h.t, "to"))
	}
	switch rapid.IntRange(0, 5).Draw(h.t, "ttl") {
	case 0:
		b = append(b, "ttl", seconds+rapid.IntRange(-2, 100).Draw(h.t, "in"))
	case 1:
		b = append(b, "ttl", seconds+100_000)
	case 2:
		b = append(b, "ttl", seconds-6*365*24*3600)
	case 3:
		b = append(b, "ttl", strconv.Itoa(seconds))
	}
	return object(b...)
}

// happens records a change.
func (h *streamModel) happens(pk string, next item.Item, expired bool) {
	old := h.items[pk]
	if string(old) == string(next) {
		return
	}
	kind := StreamModify
	switch {
	case old == nil:
		kind = StreamInsert
	case next == nil:
		kind = StreamRemove
	}
	r := StreamRecord{Kind: kind, Keys: object("pk", pk), Expired: expired}
	if h.view == "OLD_IMAGE" || h.view == "NEW_AND_OLD_IMAGES" {
		r.Old = old
	}
	if h.view == "NEW_IMAGE" || h.view == "NEW_AND_OLD_IMAGES" {
		r.New = next
	}
	h.history[pk] = append(h.history[pk], streamEvent{h.now.Load(), inWords(&r)})
	if h.items[pk] = next; next == nil {
		delete(h.items, pk)
	}
}

func inWords(r *StreamRecord) string {
	return fmt.Sprintf("%d %s %s>%s expired=%t", r.Kind, r.Keys.AppendJSON(nil), orNone(r.Old), orNone(r.New), r.Expired)
}

func pkOf(it item.Item) string { return string(it.Get("pk").Bytes()) }

func (h *streamModel) write() {
	w, next, fails := h.draw()
	_, err := h.db.Write(context.Background(), w)
	h.judge(w, next, fails, err)
}

// judge compares the outcome of a write with what was expected.
func (h *streamModel) judge(w *Write, next item.Item, fails bool, err error) {
	if fails {
		var failed *ConditionFailed
		require.ErrorAs(h.t, err, &failed)
		return
	}
	require.NoError(h.t, err)
	h.happens(pkOf(w.Item), next, false)
}

// drawSeveral draws writes of different items.
func (h *streamModel) drawSeveral() (ws []*Write, next []item.Item, fails []bool) {
	for range rapid.IntRange(1, 5).Draw(h.t, "writes") {
		w, after, failing := h.draw()
		if slices.ContainsFunc(ws, func(other *Write) bool { return pkOf(other.Item) == pkOf(w.Item) }) {
			continue
		}
		ws, next, fails = append(ws, w), append(next, after), append(fails, failing)
	}
	return ws, next, fails
}

func (h *streamModel) batch() {
	ws, next, fails := h.drawSeveral()
	_, errs := h.db.WriteAll(context.Background(), ws)
	for i, w := range ws {
		h.judge(w, next[i], fails[i], errs[i])
	}
}

func (h *streamModel) transact() {
	ws, next, fails := h.drawSeveral()
	_, err := h.db.TransactWrite(context.Background(), ws, nil)
	if slices.Contains(fails, true) {
		var canceled *TransactionCanceled
		require.ErrorAs(h.t, err, &canceled)
		for i, reason := range canceled.Reasons {
			var failed *ConditionFailed
			require.Equal(h.t, fails[i], errors.As(reason, &failed))
		}
		return
	}
	require.NoError(h.t, err)
	for i, w := range ws {
		h.happens(pkOf(w.Item), next[i], false)
	}
}

// pass lets time pass and what is due happen.
func (h *streamModel) pass() {
	h.now.Add(int64(rapid.SampledFrom([]time.Duration{time.Millisecond, 10 * time.Second, time.Minute, 9 * time.Hour}).Draw(h.t, "time") / time.Millisecond))
	require.NoError(h.t, h.db.AdvanceClock(0))
	now := h.now.Load() / 1000
	for pk, it := range h.items {
		v := it.Get("ttl")
		if v == nil || v.Type() != item.N {
			continue
		}
		if seconds, _ := v.Number().Int64(); seconds < now && seconds > now-5*365*24*3600 {
			h.happens(pk, nil, true)
		}
	}
	for pk, events := range h.history {
		h.history[pk] = slices.DeleteFunc(events, func(e streamEvent) bool {
			return e.at < h.now.Load()-StreamRetention.Milliseconds()
		})
	}
}

// check reads the whole stream.
func (h *streamModel) check() {
	have := make(map[string][]streamEvent)
	for _, part := range h.db.StreamShards(h.stream) {
		start, err := h.db.StreamStart(context.Background(), h.stream, part.Index)
		require.NoError(h.t, err)
		end, err := h.db.StreamEnd(context.Background(), h.stream, part.Index)
		require.NoError(h.t, err)
		var last StreamPos
		var at time.Time
		require.NoError(h.t, h.db.ReadStream(context.Background(), h.stream, part.Index, StreamPos{}, func(r *StreamRecord) (bool, error) {
			require.True(h.t, last.Less(r.Pos) && !r.Pos.Less(start) && r.Pos.Less(end), "position %v after %v, from %v to %v", r.Pos, last, start, end)
			require.False(h.t, r.Time.Before(at))
			require.Equal(h.t, part.Index, h.db.shardOfItem(h.table, r.Keys))
			last, at = r.Pos, r.Time
			pk := pkOf(r.Keys)
			have[pk] = append(have[pk], streamEvent{r.Time.UnixMilli(), inWords(r)})
			return true, nil
		}))
	}
	for pk, events := range h.history {
		require.Equal(h.t, append([]streamEvent{}, events...), append([]streamEvent{}, have[pk]...), "item %s", pk)
		delete(have, pk)
	}
	require.Empty(h.t, have)
}
