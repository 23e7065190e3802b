package partition

import (
	"encoding/binary"
	"fmt"
)

// The binary form of commands, in which they are entries of a replicated log and
// travel to the node that leads it.
//
// A command is a kind, the version of the kind's form, and the fields that apply
// depends on, in order. Numbers are varints, times nanoseconds since the epoch,
// everything else has its length before it. Logs outlive versions of this
// package: a kind is never given another meaning, a form never changes, and a new
// form has a new version.
//
// A table that is written to is named by its id alone, for each shard judges by
// the schema installed in it.
const commandFormat = 1

// commandKind is the first byte of a command.
type commandKind byte

const (
	kindOfWrite commandKind = iota + 1
	kindOfTransact
	kindOfPrepare
	kindOfCommit
	kindOfAbort
	kindOfInstall
	kindOfDrop
	kindOfDropIndexCounts
	kindOfPurge
	kindOfReindex
	kindOfRecords
	kindOfExpiryBackfill
	kindOfExpire
	kindOfReceive
	kindOfTrim
	kindOfTrimStream
	kindOfForgetTokens
	kindOfResolve
	kindOfMark
)

// appendCommand appends a command in the form that decodeCommand reads. What
// apply finds out is no part of it.
func appendCommand(dst []byte, c command) ([]byte, error) {
	begin := func(kind commandKind) []byte { return append(dst, byte(kind), commandFormat) }
	switch c := c.(type) {
	case *writeCommand:
		return appendWrite(begin(kindOfWrite), c.write), nil
	case *transactCommand:
		return appendTokenRecord(appendWrites(begin(kindOfTransact), c.writes), c.token), nil
	case *prepareCommand:
		dst = append(begin(kindOfPrepare), c.id[:]...)
		return appendWrites(appendNumber(dst, c.coordinator), c.writes), nil
	case *commitCommand:
		return appendCommit(begin(kindOfCommit), c), nil
	case *abortCommand:
		return append(begin(kindOfAbort), c.id[:]...), nil
	case *resolveCommand:
		return appendTime(append(begin(kindOfResolve), c.id[:]...), c.at), nil
	case *markCommand:
		return append(begin(kindOfMark), c.id[:]...), nil
	case *installCommand:
		return appendTable(begin(kindOfInstall), c.table)
	case *dropCommand:
		return appendTable(begin(kindOfDrop), c.table)
	case *dropIndexCountsCommand:
		return appendNumber(appendNumber(begin(kindOfDropIndexCounts), c.table), c.index), nil
	case *purgeCommand:
		dst = appendBytes(begin(kindOfPurge), c.prefix)
		return appendNumber(appendNumber(dst, c.limit), c.expiry), nil
	case *reindexCommand:
		return appendKeys(appendNumber(appendNumber(begin(kindOfReindex), c.table), c.index), c.keys), nil
	case *recordsCommand:
		return appendMutations(begin(kindOfRecords), c.records), nil
	case *expiryBackfillCommand:
		return appendKeys(appendNumber(begin(kindOfExpiryBackfill), c.table), c.keys), nil
	case *expireCommand:
		return appendKeys(appendTime(appendNumber(begin(kindOfExpire), c.table), c.at), c.records), nil
	case *receiveCommand:
		dst = appendNumber(appendNumber(begin(kindOfReceive), c.source), len(c.entries))
		for i := range c.entries {
			dst = appendBytes(binary.AppendUvarint(dst, c.entries[i].seq), c.entries[i].changes)
		}
		return dst, nil
	case *trimCommand:
		dst = appendNumber(begin(kindOfTrim), len(c.entries))
		for i := range c.entries {
			dst = binary.AppendUvarint(appendNumber(dst, c.entries[i].dest), c.entries[i].seq)
		}
		return dst, nil
	case *trimStreamCommand:
		dst = appendNumber(appendNumber(begin(kindOfTrimStream), c.table), c.stream)
		return appendKeys(appendNumber(appendNumber(dst, c.start.Seq), c.start.Sub), c.keys), nil
	case *forgetTokensCommand:
		return appendKeys(begin(kindOfForgetTokens), c.ages), nil
	}
	return dst, fmt.Errorf("command %T has no binary form", c)
}

func appendCommit(dst []byte, c *commitCommand) []byte {
	dst = append(dst, c.id[:]...)
	dst = appendNumber(appendNumber(dst, c.from), c.count)
	dst = appendNumber(append(dst, boolByte(c.decides)), c.parts)
	dst = appendTokenRecord(appendTime(dst, c.at), c.token)
	dst = appendNumber(dst, len(c.writes))
	for _, w := range c.writes {
		dst = appendOutline(dst, w)
	}
	return dst
}

func appendMutations(dst []byte, ms []mutation) []byte {
	dst = appendNumber(dst, len(ms))
	for _, m := range ms {
		dst = append(appendBytes(dst, m.key), boolByte(m.value != nil))
		if m.value != nil {
			dst = appendBytes(dst, m.value)
		}
	}
	return dst
}

// decodeCommand reads what appendCommand wrote. The command keeps slices of b,
// which must not change as long as it is in use. The error wraps
// ErrCorruptRecord.
func decodeCommand(b []byte) (command, error) {
	r := wireReader{b: b}
	kind, format := commandKind(r.byte()), r.byte()
	if r.err == nil && format != commandFormat {
		return nil, fmt.Errorf("%w: command of kind %d in form %d, which this version does not know", ErrCorruptRecord, kind, format)
	}
	c := r.command(kind)
	switch {
	case r.err == nil && c == nil:
		return nil, fmt.Errorf("%w: command of unknown kind %d", ErrCorruptRecord, kind)
	case r.err != nil || len(r.b) > 0:
		return nil, fmt.Errorf("%w: command of kind %d", ErrCorruptRecord, kind)
	}
	return c, nil
}

// command reads the fields of a command, nil for an unknown kind.
func (r *wireReader) command(kind commandKind) command {
	switch kind {
	case kindOfWrite:
		// One allocation, for this is what logs are full of.
		c := new(struct {
			command writeCommand
			write   Write
		})
		r.write(&c.write)
		c.command.write = &c.write
		return &c.command
	case kindOfTransact:
		c := &transactCommand{writes: r.writes(), token: r.tokenRecord()}
		c.results = make([]WriteResult, len(c.writes))
		return c
	case kindOfPrepare:
		return &prepareCommand{id: r.txID(), coordinator: int(r.uint16()), writes: r.writes()}
	case kindOfCommit:
		return r.commit()
	case kindOfAbort:
		return &abortCommand{r.txID()}
	case kindOfResolve:
		return &resolveCommand{id: r.txID(), at: r.time()}
	case kindOfMark:
		return &markCommand{markID(r.txID())}
	case kindOfInstall:
		return &installCommand{r.table()}
	case kindOfDrop:
		return &dropCommand{r.table()}
	case kindOfDropIndexCounts:
		return &dropIndexCountsCommand{r.uint32(), r.uint16()}
	case kindOfPurge:
		return &purgeCommand{prefix: r.bytes(), limit: r.int(), expiry: r.uint32()}
	case kindOfReindex:
		return &reindexCommand{r.uint32(), r.uint16(), r.keys()}
	case kindOfRecords:
		return &recordsCommand{r.mutations()}
	case kindOfExpiryBackfill:
		return &expiryBackfillCommand{r.uint32(), r.keys()}
	case kindOfExpire:
		return &expireCommand{table: r.uint32(), at: r.time(), records: r.keys()}
	case kindOfReceive:
		return &receiveCommand{source: int(r.uint16()), entries: list(r, func() outboxEntry {
			return outboxEntry{seq: r.uvarint(), changes: r.bytes()}
		})}
	case kindOfTrim:
		return &trimCommand{list(r, func() outboxEntry {
			return outboxEntry{dest: int(r.uint16()), seq: r.uvarint()}
		})}
	case kindOfTrimStream:
		c := &trimStreamCommand{table: r.uint32(), stream: r.uint32()}
		c.start = StreamPos{r.uvarint(), r.uint16()}
		c.keys = r.keys()
		return c
	case kindOfForgetTokens:
		return &forgetTokensCommand{r.keys()}
	}
	return nil
}

func (r *wireReader) commit() *commitCommand {
	c := &commitCommand{
		id: r.txID(), from: r.int(), count: r.int(), decides: r.bool(), parts: r.int(),
		at: r.time(), token: r.tokenRecord(),
		writes: list(r, func() *Write {
			w := new(Write)
			r.outline(w)
			return w
		}),
	}
	switch n := len(c.writes); {
	case c.from > maxIntents || c.count > maxIntents+1:
		r.fail()
	case n > 0 && c.from+c.count > n:
		r.fail()
	case n > 0:
		c.results = make([]WriteResult, n)
	}
	return c
}

func (r *wireReader) mutations() []mutation {
	return list(r, func() mutation {
		m := mutation{key: r.bytes()}
		if r.bool() {
			m.value = r.bytes()
		}
		if len(m.key) == 0 {
			r.fail()
		}
		return m
	})
}
