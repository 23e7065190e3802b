package partition

import (
	"context"
	"errors"

	"github.com/stator-db/stator/expression"
	"github.com/stator-db/stator/storage"
	"github.com/stator-db/stator/storage/item"
)

// An error is a code and what belongs to it. It arrives as an error that
// errors.Is and errors.As see the same in, as far as callers of this package ask,
// and, except for what somebody put before a typed error, with the same text.
const (
	codeNone            = iota
	codeSentinel        // its number
	codeWrapped         // numbers of all sentinels in it, and its text
	codeFault           // Write.Fault
	codeConditionFailed // the item, if any
	codeIndexKey        // fault, types, origin, index, attribute
	codeCanceled        // for each action a reason or none
)

// travelling are the errors that callers compare with. Numbers are positions, so
// an error is only ever added at the end.
var travelling = []error{
	ErrTableNotFound,
	ErrItemTooLarge,
	ErrWriteTooLarge,
	ErrTransactionConflict,
	ErrIdempotentMismatch,
	ErrTransactionInProgress,
	ErrCorruptRecord,
	ErrClosed,
	ErrUnavailable,
	ErrOutcomeUnknown,
	errAborted,
	expression.ErrPathInvalid,
	expression.ErrAttributeMissing,
	expression.ErrOperandType,
	expression.ErrTypeMismatch,
	expression.ErrTooDeep,
	item.ErrNumberOverflow,
	item.ErrNumberUnderflow,
	item.ErrCorrupt,
	storage.ErrDiskFull,
	storage.ErrCorrupt,
	storage.ErrClosed,
	storage.ErrBatchTooLarge,
	context.Canceled,
	context.DeadlineExceeded,
}

func appendError(dst []byte, err error) []byte {
	canceled, ok := errors.AsType[*TransactionCanceled](err)
	if !ok {
		return appendReason(dst, err)
	}
	dst = appendNumber(append(dst, codeCanceled), len(canceled.Reasons))
	for _, reason := range canceled.Reasons {
		dst = appendReason(dst, reason)
	}
	return dst
}

// appendReason appends an error, nil included, that is no *TransactionCanceled.
func appendReason(dst []byte, err error) []byte {
	if err == nil {
		return append(dst, codeNone)
	}
	if e, ok := errors.AsType[*ConditionFailed](err); ok {
		return appendBytes(append(dst, codeConditionFailed), e.Item)
	}
	if e, ok := errors.AsType[*IndexKeyError](err); ok {
		return appendIndexKeyError(dst, e)
	}
	if errors.Is(err, errFault) {
		return append(dst, codeFault)
	}
	var within []byte
	for i, sentinel := range travelling {
		if err == sentinel { //nolint:errorlint // only then is there nothing more to say
			return append(dst, codeSentinel, byte(i))
		}
		if errors.Is(err, sentinel) {
			within = append(within, byte(i))
		}
	}
	dst = appendBytes(append(dst, codeWrapped), within)
	return appendBytes(dst, []byte(err.Error()))
}

func appendIndexKeyError(dst []byte, e *IndexKeyError) []byte {
	isHash := false
	for _, a := range e.Index.Key.Hash {
		isHash = isHash || a.Name == e.Attribute
	}
	dst = append(dst, codeIndexKey, byte(e.Fault), byte(e.Want), byte(e.Got), boolByte(e.FromUpdate), boolByte(isHash))
	dst = appendBytes(appendNumber(dst, e.Index.ID), []byte(e.Index.Name))
	return appendBytes(dst, []byte(e.Attribute))
}

// remoteError is an error of another node that is not merely one of the
// errors that callers compare with.
type remoteError struct {
	text   string
	within []error
}

func (e *remoteError) Error() string   { return e.text }
func (e *remoteError) Unwrap() []error { return e.within }

// failure reads the error of a command with the given writes, nil if it has none.
func (r *wireReader) failure(ws []*Write) error {
	code := r.byte()
	if code != codeCanceled {
		return r.reason(code, ws)
	}
	if n := r.uvarint(); n == 0 || n != uint64(len(ws)) {
		r.fail()
		return nil
	}
	e := &TransactionCanceled{Reasons: make([]error, len(ws))}
	for i := range ws {
		e.Reasons[i] = r.reason(r.byte(), ws[i:i+1])
	}
	return e
}

// reason reads an error that is about the first of the given writes, if any.
func (r *wireReader) reason(code byte, ws []*Write) error {
	switch code {
	case codeNone:
		return nil
	case codeSentinel:
		return r.sentinel(r.byte())
	case codeWrapped:
		e := &remoteError{}
		for _, number := range r.bytes() {
			e.within = append(e.within, r.sentinel(number))
		}
		e.text = string(r.bytes())
		return e
	case codeFault:
		if len(ws) == 1 && ws[0].Fault != nil {
			return ws[0].Fault
		}
	case codeConditionFailed:
		return &ConditionFailed{Item: r.item()}
	case codeIndexKey:
		return r.indexKeyError(ws)
	}
	r.fail()
	return nil
}

func (r *wireReader) sentinel(number byte) error {
	if int(number) >= len(travelling) {
		r.fail()
		return nil
	}
	return travelling[number]
}

// indexKeyError takes the index from the table of the write. If it is not there,
// because it is newer, a substitute tells what the error needs.
func (r *wireReader) indexKeyError(ws []*Write) error {
	e := &IndexKeyError{Fault: KeyFault(r.byte()), Want: item.Type(r.byte()), Got: item.Type(r.byte()), FromUpdate: r.bool()}
	isHash := r.bool()
	id, name := r.uint16(), string(r.bytes())
	e.Attribute = string(r.bytes())
	if len(ws) == 1 {
		e.Index = ws[0].Table.indexByID(id)
	}
	if e.Index == nil {
		part := []KeyAttribute{{Name: e.Attribute, Type: e.Want}}
		e.Index = &Index{ID: id, Name: name}
		if isHash {
			e.Index.Key.Hash = part
		} else {
			e.Index.Key.Range = part
		}
	}
	return e
}
