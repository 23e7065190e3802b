package partition

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/stator-db/stator/expression"
	"github.com/stator-db/stator/storage"
	"github.com/stator-db/stator/storage/item"
)

// resultTable has the indexes byGenre 1, byLabel 2, byPlace 3 and byYear 4.
func resultTable() *Table {
	spec := musicTable()
	t := spec.clone()
	t.ID = 7
	for i, ix := range t.byName {
		ix.ID = uint16(i + 1)
	}
	return t
}

// sent returns what decodeResult makes of a command and its error, and what it
// filled in.
func sent(t *testing.T, applied command, err error, proposed command) error {
	t.Helper()
	b, encodeErr := appendResult([]byte("front"), applied, err)
	require.NoError(t, encodeErr)
	require.Equal(t, "front", string(b[:5]))
	return decodeResult(b[5:], proposed)
}

func TestResultsArrive(t *testing.T) {
	table := resultTable()
	w := &Write{Table: table, Kind: Put, Item: object("artist", "a")}
	full := WriteResult{
		Old: object("artist", "a"), New: object("artist", "a", "song", "b"), OldSize: 7, NewSize: 12,
		Indexes: []IndexWrite{
			{Index: table.Index("byGenre"), OldSize: -1, NewSize: 300},
			{Index: table.Index("byYear"), OldSize: 9, NewSize: 9, SameKey: true, Unchanged: true},
			{Index: table.Index("byPlace"), OldSize: 9, NewSize: -1, SameKey: true},
		},
	}
	none := WriteResult{OldSize: -1, NewSize: -1}

	t.Run("write", func(t *testing.T) {
		proposed := &writeCommand{write: w}
		require.NoError(t, sent(t, &writeCommand{write: w, result: full}, nil, proposed))
		require.Equal(t, full, proposed.result)
		require.Same(t, table.Index("byYear"), proposed.result.Indexes[1].Index)
	})
	t.Run("transaction", func(t *testing.T) {
		proposed := &transactCommand{writes: []*Write{w, w}, results: make([]WriteResult, 2)}
		require.NoError(t, sent(t, &transactCommand{results: []WriteResult{none, full}}, nil, proposed))
		require.Equal(t, []WriteResult{none, full}, proposed.results)
	})
	t.Run("prepare", func(t *testing.T) {
		proposed := &prepareCommand{writes: []*Write{{Table: table}, {Table: table}}}
		require.NoError(t, sent(t, &prepareCommand{writes: []*Write{{size: 300}, {size: 0}}}, nil, proposed))
		require.Equal(t, 300, proposed.writes[0].size)
		require.Zero(t, proposed.writes[1].size)
	})
	t.Run("step of a commit", func(t *testing.T) {
		applied := &commitCommand{from: 1, count: 1, results: []WriteResult{{}, full, {}}}
		proposed := &commitCommand{from: 1, count: 1, writes: []*Write{w, w, w}, results: []WriteResult{none, {}, none}}
		require.NoError(t, sent(t, applied, nil, proposed))
		require.Equal(t, []WriteResult{none, full, none}, proposed.results, "other steps have theirs")
	})
	t.Run("commit of a recovery", func(t *testing.T) {
		require.NoError(t, sent(t, &commitCommand{count: 2}, nil, &commitCommand{count: 2}))
	})
	t.Run("purge", func(t *testing.T) {
		proposed := &purgeCommand{}
		require.NoError(t, sent(t, &purgeCommand{more: true}, nil, proposed))
		require.True(t, proposed.more)
		require.NoError(t, sent(t, &purgeCommand{}, nil, proposed))
		require.False(t, proposed.more)
	})
	t.Run("resolve", func(t *testing.T) {
		proposed := &resolveCommand{}
		require.NoError(t, sent(t, &resolveCommand{decided: true}, nil, proposed))
		require.True(t, proposed.decided)
	})
	t.Run("nothing", func(t *testing.T) {
		require.NoError(t, sent(t, &abortCommand{}, nil, &abortCommand{}))
	})
	t.Run("index that the proposer does not know", func(t *testing.T) {
		proposed := &writeCommand{write: w}
		newer := WriteResult{OldSize: 1, NewSize: 2, Indexes: []IndexWrite{{Index: &Index{ID: 99, Name: "new"}, NewSize: 1}, full.Indexes[0]}}
		require.NoError(t, sent(t, &writeCommand{result: newer}, nil, proposed))
		require.Equal(t, full.Indexes[:1], proposed.result.Indexes)
	})
	_, err := appendResult(nil, panicCommand{}, nil)
	require.ErrorContains(t, err, "no binary form")
}

func TestErrorsArrive(t *testing.T) {
	table := resultTable()
	fault := errors.New("what the caller found")
	w := &Write{Table: table, Kind: Put}
	indexKey := &IndexKeyError{Fault: KeyWrongType, Index: table.Index("byYear"), Attribute: "year", Want: item.N, Got: item.S, FromUpdate: true}

	sentinels := []error{
		ErrTableNotFound, ErrItemTooLarge, ErrWriteTooLarge, ErrTransactionConflict, ErrIdempotentMismatch, ErrTransactionInProgress,
		ErrCorruptRecord, ErrClosed, ErrUnavailable, ErrOutcomeUnknown, errAborted,
		expression.ErrPathInvalid, expression.ErrAttributeMissing, expression.ErrOperandType, expression.ErrTypeMismatch, expression.ErrTooDeep,
		item.ErrNumberOverflow, item.ErrNumberUnderflow, item.ErrCorrupt,
		storage.ErrDiskFull, storage.ErrCorrupt, storage.ErrClosed, storage.ErrBatchTooLarge, context.Canceled, context.DeadlineExceeded,
	}
	require.Equal(t, sentinels, travelling, "numbers do not change")
	for _, want := range sentinels {
		require.Equal(t, want, sent(t, &writeCommand{}, want, &writeCommand{write: w}))
		wrapped := sent(t, &writeCommand{}, fmt.Errorf("shard 3: %w", want), &writeCommand{write: w})
		require.ErrorIs(t, wrapped, want)
		require.EqualError(t, wrapped, "shard 3: "+want.Error())
	}
	both := sent(t, &abortCommand{}, fmt.Errorf("%w: %w", ErrOutcomeUnknown, context.Canceled), &abortCommand{})
	require.ErrorIs(t, both, ErrOutcomeUnknown)
	require.ErrorIs(t, both, context.Canceled)
	require.NotErrorIs(t, both, ErrClosed)

	for _, want := range []error{&ConditionFailed{}, &ConditionFailed{Item: object("artist", "a")}, indexKey} {
		require.Equal(t, want, sent(t, &writeCommand{}, want, &writeCommand{write: w}))
		require.Equal(t, want, sent(t, &writeCommand{}, fmt.Errorf("wrapped: %w", want), &writeCommand{write: w}))
	}
	opaque := sent(t, &writeCommand{}, errors.New("something else"), &writeCommand{write: w})
	require.EqualError(t, opaque, "something else")
	for _, s := range sentinels {
		require.NotErrorIs(t, opaque, s)
	}

	canceled := &TransactionCanceled{Reasons: []error{nil, &ConditionFailed{Item: object("artist", "a")}, errFault, indexKey, ErrTransactionConflict}}
	ws := []*Write{w, w, {Table: table, Fault: fault}, w, w}
	for _, proposed := range []command{&transactCommand{writes: ws, results: make([]WriteResult, len(ws))}, &prepareCommand{writes: ws}} {
		arrived, ok := errors.AsType[*TransactionCanceled](sent(t, proposed, canceled, proposed))
		require.True(t, ok)
		require.Equal(t, []error{nil, canceled.Reasons[1], fault, indexKey, ErrTransactionConflict}, arrived.Reasons)
		require.Same(t, fault, arrived.Reasons[2], "what the caller found is what the caller gets")
	}
}

// TestIndexKeyErrorOfNewerIndex: the error tells all that is asked of it, even
// if the proposer does not know the index.
func TestIndexKeyErrorOfNewerIndex(t *testing.T) {
	newer := &Index{ID: 99, Name: "new", Key: KeySchema{Hash: []KeyAttribute{key("h", item.S)}, Range: []KeyAttribute{key("r", item.B)}}}
	for attribute, part := range map[string]KeySchema{"h": {Hash: newer.Key.Hash}, "r": {Range: newer.Key.Range}} {
		e := &IndexKeyError{Fault: KeyTooLong, Index: newer, Attribute: attribute, Want: newer.Key.Attributes()[map[string]int{"h": 0, "r": 1}[attribute]].Type, Got: item.S}
		arrived := sent(t, &writeCommand{}, e, &writeCommand{write: &Write{Table: resultTable()}})
		want := *e
		want.Index = &Index{ID: 99, Name: "new", Key: part}
		require.Equal(t, &want, arrived)
		require.EqualError(t, arrived, e.Error())
	}
}

func TestMalformedResults(t *testing.T) {
	table := resultTable()
	w := &Write{Table: table, Kind: Put}
	for _, c := range []struct {
		name, result string
		proposed     command
	}{
		{"nothing", "", &writeCommand{write: w}},
		{"unknown error", "63", &writeCommand{write: w}},
		{"unknown sentinel", "01ff", &writeCommand{write: w}},
		{"unknown sentinel inside", "0202ff000161", &writeCommand{write: w}},
		{"fault that nobody found", "03", &writeCommand{write: w}},
		{"item cut off", "0405", &writeCommand{write: w}},
		{"reasons of more writes", "06020000", &transactCommand{writes: []*Write{w}, results: make([]WriteResult, 1)}},
		{"reasons of nothing", "0600", &abortCommand{}},
		{"nested reasons", "060106010601", &transactCommand{writes: []*Write{w}, results: make([]WriteResult, 1)}},
		{"result cut off", "000000", &writeCommand{write: w}},
		{"more indexes than bytes", "0000000202" + "ffffffff0f", &writeCommand{write: w}},
		{"bytes after the end", "0000", &abortCommand{}},
		{"no boolean", "0002", &purgeCommand{}},
	} {
		t.Run(c.name, func(t *testing.T) {
			b, err := hex.DecodeString(c.result)
			require.NoError(t, err)
			require.ErrorIs(t, decodeResult(b, c.proposed), ErrOutcomeUnknown)
		})
	}
}

func FuzzDecodeResult(f *testing.F) {
	table := resultTable()
	commands := func() []command {
		ws := []*Write{{Table: table, Kind: Put}, {Table: table, Kind: Put, Fault: errors.New("what the caller found")}}
		return []command{
			&writeCommand{write: ws[0]}, &transactCommand{writes: ws, results: make([]WriteResult, 2)}, &prepareCommand{writes: ws},
			&commitCommand{count: 2, writes: ws, results: make([]WriteResult, 2)}, &purgeCommand{}, &resolveCommand{}, &abortCommand{},
		}
	}
	result := WriteResult{New: object("artist", "a"), OldSize: -1, NewSize: 7, Indexes: []IndexWrite{{Index: table.Index("byGenre"), OldSize: -1, NewSize: 7}}}
	for i, c := range commands() {
		switch c := c.(type) {
		case *writeCommand:
			c.result = result
		case *transactCommand:
			c.results[0] = result
		}
		for _, err := range []error{nil, ErrTableNotFound, fmt.Errorf("shard 3: %w", storage.ErrDiskFull), &ConditionFailed{Item: object("artist", "a")},
			&TransactionCanceled{Reasons: []error{&IndexKeyError{Index: table.Index("byGenre"), Attribute: "genre"}, errFault}}} {
			b, _ := appendResult(nil, c, err)
			f.Add(i, b)
		}
	}
	f.Fuzz(func(t *testing.T, kind int, b []byte) {
		c := commands()[uint(kind)%uint(len(commands()))]
		if err := decodeResult(b, c); err != nil {
			_ = err.Error()
			return
		}
		again, err := appendResult(nil, c, nil)
		require.NoError(t, err)
		same := commands()[uint(kind)%uint(len(commands()))]
		require.NoError(t, decodeResult(again, same))
		require.Equal(t, c, same)
	})
}
