package partition

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/stator-db/stator/storage"
	"github.com/stator-db/stator/storage/item"
)

// TestReplayedLogIsTheSame lets a replica apply random commands in batches and
// another one apply what is left of them in a log, one by one. Both must hold
// the same bytes, and what the second found out must be, to the proposer, what
// the first did.
func TestReplayedLogIsTheSame(t *testing.T) {
	applied := make(map[string]int)
	rapid.Check(t, func(rt *rapid.T) {
		h := newReplay(rt, applied)
		defer h.close()
		h.run(&installCommand{h.table})
		steps := map[string]func(*rapid.T){"": func(*rapid.T) { h.check() }}
		for name, draw := range map[string]func() []command{
			"write": h.write, "transact": h.transact, "prepare": h.prepare, "finish": h.finish, "resolve": h.resolve,
			"sweep": h.sweep, "index": h.index, "receive": h.receive, "trim": h.trim, "records": h.records, "schema": h.schema,
		} {
			steps[name] = func(*rapid.T) { h.run(draw()...) }
		}
		batch := steps["write"]
		steps["batch"] = func(*rapid.T) {
			var cs []command
			for range rapid.IntRange(2, 5).Draw(rt, "commands") {
				cs = append(cs, h.write()...)
			}
			h.run(cs...)
		}
		steps["write 2"], steps["write 3"] = batch, batch
		rt.Repeat(steps)
		h.run(&dropCommand{h.table})
		h.check()
	})
	for _, kind := range []command{
		&writeCommand{}, &transactCommand{}, &prepareCommand{}, &commitCommand{}, &abortCommand{}, &resolveCommand{},
		&installCommand{}, &dropCommand{}, &dropIndexCountsCommand{}, &purgeCommand{}, &reindexCommand{}, &recordsCommand{},
		&expiryBackfillCommand{}, &expireCommand{}, &receiveCommand{}, &trimCommand{}, &trimStreamCommand{}, &forgetTokensCommand{},
	} {
		require.NotZero(t, applied[fmt.Sprintf("%T", kind)], "no %T took effect, so nothing of it is tested", kind)
	}
	for _, outcome := range []error{&ConditionFailed{}, &IndexKeyError{}, &TransactionCanceled{}} {
		require.NotZero(t, applied[fmt.Sprintf("%T", outcome)], "no %T", outcome)
	}
}

// replay is a log and two replicas of the first of three shards.
type replay struct {
	t           *rapid.T
	table       *Table
	stores      []*storage.Store
	first, last *replica
	now         time.Time
	applied     map[string]int // by type of command and of error

	transactions []*prepareCommand // prepared
	tokens       [][]byte          // their records of age
	outbox       []outboxEntry
	received     uint64
}

func newReplay(t *rapid.T, applied map[string]int) *replay {
	spec := streamTable("NEW_AND_OLD_IMAGES")
	spec.ID, spec.Version, spec.Status, spec.Stream.ID = 1, 1, TableActive, 1
	spec.TTL = &TTLSpec{Attribute: "n", Enabled: true}
	spec.Attributes = append(spec.Attributes, key("g", item.S), key("n", item.N))
	spec.Global = []*Index{
		{ID: 1, Name: "byG", Status: IndexActive, Projection: ProjectAll, Key: KeySchema{Hash: []KeyAttribute{key("g", item.S)}, Range: []KeyAttribute{key("n", item.N)}}},
		{ID: 2, Name: "byN", Status: IndexActive, Projection: ProjectKeysOnly, Key: KeySchema{Hash: []KeyAttribute{key("n", item.N)}}},
	}
	h := &replay{t: t, table: spec.clone(), now: time.Unix(1_800_000_000, 987_654_321), applied: applied}
	for _, r := range []**replica{&h.first, &h.last} {
		store, err := storage.Open(storage.Options{InMemory: true, Shards: 1})
		require.NoError(t, err)
		h.stores = append(h.stores, store)
		*r, err = openReplica(0, 3, store.Shards()[0], GSISync)
		require.NoError(t, err)
		(*r).emit = func([]outboxEntry) {}
	}
	h.first.emit = func(es []outboxEntry) { h.outbox = append(h.outbox, es...) }
	return h
}

func (h *replay) close() {
	for _, s := range h.stores {
		require.NoError(h.t, s.Close())
	}
}

// run applies commands here, and there one by one what they are in a log.
func (h *replay) run(cs ...command) {
	h.now = h.now.Add(time.Duration(rapid.Int64Range(0, int64(time.Second)).Draw(h.t, "time")))
	log := make([][]byte, len(cs))
	batch := make([]*proposal, len(cs))
	for i, c := range cs {
		var err error
		log[i], err = appendCommand(nil, c)
		require.NoError(h.t, err)
		batch[i] = &proposal{command: c}
	}
	require.NoError(h.t, h.first.apply(batch))
	for i, c := range cs {
		copied, err := decodeCommand(log[i])
		require.NoError(h.t, err)
		p := &proposal{command: copied}
		require.NoError(h.t, h.last.apply([]*proposal{p}))

		want, wantErr := takeOutcome(c), batch[i].err
		answer, err := appendResult(nil, copied, p.err)
		require.NoError(h.t, err)
		require.Equal(h.t, wantErr, decodeResult(answer, c), "%T", c)
		if wantErr == nil {
			require.Equal(h.t, want, takeOutcome(c), "%T", c)
			h.applied[fmt.Sprintf("%T", c)]++
		}
		h.applied[fmt.Sprintf("%T", wantErr)]++
	}
}

// takeOutcome returns what a command found out and makes it forget. Of indexes
// only the id counts: the proposer has those of the schema that it knows.
func takeOutcome(c command) (found any) {
	take := func(results []WriteResult) any {
		found := slices.Clone(results)
		clear(results)
		for i := range found {
			for k := range found[i].Indexes {
				found[i].Indexes[k].Index = &Index{ID: found[i].Indexes[k].Index.ID}
			}
		}
		return found
	}
	switch c := c.(type) {
	case *writeCommand:
		found = take([]WriteResult{c.result})
		c.result = WriteResult{}
	case *transactCommand:
		return take(c.results)
	case *commitCommand:
		return take(c.results)
	case *prepareCommand:
		var sizes []int
		for _, w := range c.writes {
			sizes, w.size = append(sizes, w.size), 0
		}
		return sizes
	case *purgeCommand:
		found, c.more = c.more, false
	case *resolveCommand:
		found, c.decided = c.decided, false
	}
	return found
}

// check compares what both replicas hold, on disk and in memory.
func (h *replay) check() {
	records := func(r *replica) (all []string) {
		require.NoError(h.t, r.shard.View(func(s *storage.Snapshot) error {
			return s.Scan(storage.Range{}, func(key, value []byte) (bool, error) {
				all = append(all, fmt.Sprintf("%q: %q", key, value))
				return true, nil
			})
		}))
		return all
	}
	require.Equal(h.t, records(h.first), records(h.last))
	require.Equal(h.t, h.first.seq, h.last.seq)
	require.Equal(h.t, h.first.locks, h.last.locks)
	require.Equal(h.t, h.first.received, h.last.received)
	require.Equal(h.t, h.first.stats.counts, h.last.stats.counts)
	require.Len(h.t, h.last.tables, len(h.first.tables))
	for id, t := range h.first.tables {
		want, err := encodeTable(t)
		require.NoError(h.t, err)
		got, err := encodeTable(h.last.tables[id])
		require.NoError(h.t, err)
		require.Equal(h.t, want, got)
	}
}

// replayKeys is how many items there may be.
const replayKeys = 5

func (h *replay) pk() string { return strconv.Itoa(rapid.IntRange(0, replayKeys-1).Draw(h.t, "pk")) }

func (h *replay) drawWrite(pk string) *Write {
	t := h.t
	flag := func(name string) bool { return rapid.Bool().Draw(t, name) }
	w := &Write{
		Table: h.table, Kind: rapid.SampledFrom([]WriteKind{Put, Put, Update, Update, Delete, Check}).Draw(t, "kind"), Item: object("pk", pk),
		WantOld: flag("old"), WantNew: flag("new"), WantFailed: flag("failed"), at: h.now,
	}
	values := map[string]item.Value{
		":n": num(int(h.now.Unix()) + rapid.IntRange(-3, 3).Draw(t, "n")), ":g": str(rapid.SampledFrom([]string{"", "a", "b", "c", "d"}).Draw(t, "g"))}
	switch w.Kind {
	case Put:
		pairs := []any{"pk", pk, "n", values[":n"]}
		if flag("with g") {
			pairs = append(pairs, "g", values[":g"])
		}
		w.Item = object(pairs...)
	case Update:
		text := rapid.SampledFrom([]string{"", "SET g = :g, n = :n", "REMOVE g", "SET n = n + :n", "SET v = if_not_exists(g, :n)", "SET g = n", "ADD m.x :n"}).Draw(t, "update")
		if text != "" {
			w.Update = update(t, text, values)
		}
	}
	if text := rapid.SampledFrom([]string{"", "", "attribute_exists(pk)", "g = :g OR n IN (:n, :g)", "NOT contains(g, :g)"}).Draw(t, "condition"); text != "" {
		w.Condition = condition(t, text, values)
	}
	return w
}

func (h *replay) drawWrites() []*Write {
	var ws []*Write
	for _, pk := range rapid.Permutation([]string{"0", "1", "2", "3", "4"}).Draw(h.t, "items")[:rapid.IntRange(1, 3).Draw(h.t, "writes")] {
		w := h.drawWrite(pk)
		if rapid.IntRange(0, 9).Draw(h.t, "fault") == 0 {
			w.Fault = errors.New("what the caller found")
		}
		ws = append(ws, w)
	}
	return ws
}

func (h *replay) write() []command { return []command{&writeCommand{write: h.drawWrite(h.pk())}} }

func (h *replay) drawToken(sizes ...int) *tokenRecord {
	if rapid.Bool().Draw(h.t, "without token") {
		return nil
	}
	token := &tokenRecord{IdempotencyToken: IdempotencyToken{Key: [32]byte{rapid.Byte().Draw(h.t, "token")}, Fingerprint: [32]byte{1}}, at: h.now, sizes: sizes}
	h.tokens = append(h.tokens, tokenAgeKey(token.at, token.Key))
	return token
}

func (h *replay) transact() []command {
	ws := h.drawWrites()
	return []command{&transactCommand{writes: ws, results: make([]WriteResult, len(ws)), token: h.drawToken()}}
}

func (h *replay) prepare() []command {
	c := &prepareCommand{id: h.drawID(), coordinator: 2, writes: h.drawWrites()}
	h.transactions = append(h.transactions, c)
	return []command{c}
}

func (h *replay) drawID() txID { return txID{rapid.Byte().Draw(h.t, "transaction")} }

// finish ends a transaction in one of the ways there are.
func (h *replay) finish() []command {
	if len(h.transactions) == 0 {
		return nil
	}
	tx := h.transactions[0]
	h.transactions = h.transactions[1:]
	n := len(tx.writes)
	commit := commitCommand{id: tx.id, count: n, writes: tx.writes, results: make([]WriteResult, n), at: h.now}
	switch rapid.IntRange(0, 3).Draw(h.t, "how") {
	case 0:
		return []command{&abortCommand{tx.id}}
	case 1:
		return []command{&commitCommand{id: tx.id, count: n}}
	case 2:
		commit.decides, commit.parts, commit.token = true, 2, h.drawToken(1, 300)
		return []command{&commit}
	}
	var steps []command
	for i := range n {
		step := commit
		step.from, step.count, step.results = i, 1, make([]WriteResult, n)
		steps = append(steps, &step)
	}
	return steps
}

func (h *replay) resolve() []command { return []command{&resolveCommand{id: h.drawID(), at: h.now}} }

func (h *replay) itemKeys() (keys [][]byte) {
	for i := range replayKeys {
		k, _ := appendItemKey(nil, h.table, object("pk", strconv.Itoa(i)))
		keys = append(keys, k)
	}
	return keys
}

// sweep does what the sweeper does.
func (h *replay) sweep() []command {
	var records [][]byte
	for _, k := range h.itemKeys() {
		for d := int64(-5); d <= 3; d++ {
			records = append(records, appendExpiryKey(nil, h.table.ID, h.now.Unix()+d, k))
		}
	}
	purge := &purgeCommand{prefix: streamPrefix(h.table.ID, 1), limit: 2}
	if rapid.Bool().Draw(h.t, "expiry") {
		purge = &purgeCommand{prefix: expiryPrefix(h.table.ID), limit: 1, expiry: h.table.ID * uint32(rapid.IntRange(0, 1).Draw(h.t, "guarded"))}
	}
	pos := StreamPos{h.first.seq, 0}
	return []command{
		&expireCommand{table: h.table.ID, records: records, at: h.now.Add(time.Second)},
		&expiryBackfillCommand{h.table.ID, h.itemKeys()},
		&trimStreamCommand{table: h.table.ID, stream: 1, keys: [][]byte{streamKey(h.table.ID, 1, pos)}, start: StreamPos{pos.Seq, 1}},
		&forgetTokensCommand{h.tokens[len(h.tokens)/2:]},
		purge,
	}
}

func (h *replay) index() []command {
	return []command{&reindexCommand{h.table.ID, 1, h.itemKeys()}, &dropIndexCountsCommand{h.table.ID, 2}}
}

// receive delivers changes as another shard's outbox would.
func (h *replay) receive() []command {
	c := &receiveCommand{source: 1}
	for range rapid.IntRange(1, 3).Draw(h.t, "entries") {
		h.received++
		it := object("pk", "r"+h.pk(), "g", "x", "n", 1)
		ix := h.table.Global[0]
		k, _ := appendEntryKey(nil, h.table, ix, it)
		ch := change{key: k, record: appendRecord(nil, h.received, it), oldSize: -1, look: true}
		if rapid.Bool().Draw(h.t, "delete") {
			ch.record = nil
		}
		c.entries = append(c.entries, outboxEntry{seq: h.received, changes: appendChange([]byte{changesFormat}, h.table.ID, ix.ID, ch)})
	}
	return []command{c}
}

func (h *replay) trim() []command {
	delivered := h.outbox
	h.outbox = nil
	return []command{&trimCommand{delivered}}
}

func (h *replay) records() []command {
	m := mutation{key: ledgerKey(h.drawID())}
	if rapid.Bool().Draw(h.t, "set") {
		m.value = []byte("value")
	}
	return []command{&recordsCommand{[]mutation{m}}}
}

// schema changes how an index is maintained.
func (h *replay) schema() []command {
	next := h.table.clone()
	next.Version++
	next.Created = h.now
	next.Tags = map[string]string{"b": "<ü>", "a": h.pk()}
	ix := next.Global[0]
	ix.Backfilling = !ix.Backfilling
	next.prepare()
	h.table = next
	return []command{&installCommand{next}}
}
