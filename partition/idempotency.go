package partition

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"sync"
	"time"
)

// Idempotency of transactions (ClientRequestToken). A transaction that carries a
// token commits a record of it together with its decision, on the shard that
// decides:
//
//	'q' key:32                 fingerprint, time and sizes
//	'y' milliseconds:8 key:32  the same by time, for forgetting
//
// A repetition finds the record wherever it lies by asking every shard.

// TokenRetention is how long a token is honoured after its transaction.
const TokenRetention = 10 * time.Minute

// IdempotencyToken makes a transaction idempotent.
type IdempotencyToken struct {
	// Key is a hash of what the token is unique in, and the token.
	Key [32]byte
	// Fingerprint is a hash of the request's parameters.
	Fingerprint [32]byte
}

var (
	// ErrIdempotentMismatch refuses a token that was used with other parameters.
	ErrIdempotentMismatch = errors.New("token was used with other parameters")
	// ErrTransactionInProgress refuses a token whose transaction is under way.
	ErrTransactionInProgress = errors.New("transaction with this token is in progress")
)

// tokensInFlight are the tokens of transactions under way.
type tokensInFlight struct {
	sync.Mutex
	keys map[[32]byte]struct{}
}

func (f *tokensInFlight) enter(key [32]byte) bool {
	f.Lock()
	defer f.Unlock()
	if _, running := f.keys[key]; running {
		return false
	}
	if f.keys == nil {
		f.keys = make(map[[32]byte]struct{})
	}
	f.keys[key] = struct{}{}
	return true
}

func (f *tokensInFlight) leave(key [32]byte) {
	f.Lock()
	defer f.Unlock()
	delete(f.keys, key)
}

// tokenRecord is what is stored of a token.
type tokenRecord struct {
	IdempotencyToken
	at    time.Time
	sizes []int // of each action: the larger of old and new item in bytes
}

const tokenFormat = 1

func tokenKey(key [32]byte) []byte { return append([]byte{kindToken}, key[:]...) }

func tokenAgeKey(at time.Time, key [32]byte) []byte {
	k := binary.BigEndian.AppendUint64([]byte{kindTokenAge}, uint64(at.UnixMilli()))
	return append(k, key[:]...)
}

// unused refuses a token that another transaction used meanwhile, by way of
// another node.
func (a *application) unused(t *tokenRecord) error {
	value, found, err := a.b.Get(tokenKey(t.Key))
	if err != nil || !found {
		return err
	}
	known, err := decodeToken(t.Key, value)
	if err == nil && t.at.Sub(known.at) < TokenRetention {
		err = ErrTransactionInProgress
	}
	return err
}

// remember stages a token's record.
func (a *application) remember(t *tokenRecord) {
	b := append([]byte{tokenFormat}, t.Fingerprint[:]...)
	b = binary.BigEndian.AppendUint64(b, uint64(t.at.UnixMilli()))
	for _, n := range t.sizes {
		b = binary.AppendUvarint(b, uint64(n))
	}
	a.set(tokenKey(t.Key), b)
	a.set(tokenAgeKey(t.at, t.Key), []byte{tokenFormat})
}

func decodeToken(key [32]byte, b []byte) (*tokenRecord, error) {
	if len(b) < 41 || b[0] != tokenFormat {
		return nil, fmt.Errorf("%w: idempotency token", ErrCorruptRecord)
	}
	t := &tokenRecord{IdempotencyToken: IdempotencyToken{Key: key, Fingerprint: [32]byte(b[1:33])}}
	t.at = time.UnixMilli(int64(binary.BigEndian.Uint64(b[33:]))).UTC()
	for b = b[41:]; len(b) > 0; {
		n, w := binary.Uvarint(b)
		if w <= 0 {
			return nil, fmt.Errorf("%w: idempotency token", ErrCorruptRecord)
		}
		t.sizes = append(t.sizes, int(n))
		b = b[w:]
	}
	return t, nil
}

// replay answers a transaction whose token is known.
func (db *DB) replay(ctx context.Context, token *IdempotencyToken) (result TransactResult, found bool, err error) {
	for shard := range db.logs {
		var t *tokenRecord
		err := db.view(ctx, shard, Strong, func(snap snapshot) error {
			_, err := snap.Get(tokenKey(token.Key), func(value []byte) error {
				var err error
				t, err = decodeToken(token.Key, value)
				return err
			})
			return err
		})
		if err != nil {
			return result, false, err
		}
		if t == nil || db.Now().Sub(t.at) >= TokenRetention {
			continue
		}
		if t.Fingerprint != token.Fingerprint {
			return result, true, ErrIdempotentMismatch
		}
		result.Replayed = true
		for _, n := range t.sizes {
			result.Results = append(result.Results, WriteResult{OldSize: n, NewSize: n})
		}
		return result, true, nil
	}
	return result, false, nil
}

// forgetTokens removes tokens past their retention.
func (db *DB) forgetTokens(ctx context.Context) error {
	limit := binary.BigEndian.AppendUint64([]byte{kindTokenAge}, uint64(max(db.Now().Add(-TokenRetention).UnixMilli(), 0)))
	for shard := range db.logs {
		if !db.acts(shard) {
			continue
		}
		for from := []byte{kindTokenAge}; from != nil; {
			keys, next, err := db.keysFrom(ctx, shard, from, limit, purgeStep, 0)
			if err != nil {
				return err
			}
			if err := ctx.Err(); err != nil {
				return err
			}
			if len(keys) > 0 {
				if err := db.logs[shard].propose(ctx, &forgetTokensCommand{keys}, true); err != nil {
					return err
				}
			}
			from = next
		}
	}
	return nil
}

// forgetTokensCommand removes tokens by their records of age. A token that was
// used anew has a younger record and stays.
type forgetTokensCommand struct{ ages [][]byte }

func (c *forgetTokensCommand) apply(a *application) error {
	for _, age := range c.ages {
		a.delete(age)
		if len(age) != 41 {
			continue
		}
		key := [32]byte(age[9:])
		value, found, err := a.b.Get(tokenKey(key))
		if err != nil {
			return err
		}
		if !found {
			continue
		}
		t, err := decodeToken(key, value)
		if err != nil {
			return err
		}
		if bytes.Equal(tokenAgeKey(t.at, key), age) {
			a.delete(tokenKey(key))
		}
	}
	return nil
}
