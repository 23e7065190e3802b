package server

import (
	"crypto/sha256"
	"encoding/binary"
	"hash"
	"maps"
	"slices"

	"github.com/stator-db/stator/partition"
	"github.com/stator-db/stator/server/internal/api"
	"github.com/stator-db/stator/storage/item"
)

// A fingerprint hashes the parameters of a request, so that a request that comes
// again under the same ClientRequestToken can be told from another one. It takes
// them as decoded, in an order of its own: the order of members in the JSON, the
// spelling of numbers and the order of set members make no difference.
//
// Every field is preceded by its length, so that no two lists of fields hash alike.
type fingerprint struct {
	hash hash.Hash
}

func newFingerprint() fingerprint { return fingerprint{sha256.New()} }

func (f fingerprint) sum() [32]byte { return [32]byte(f.hash.Sum(nil)) }

func (f fingerprint) number(n int) {
	var buf [binary.MaxVarintLen64]byte
	f.write(buf[:binary.PutUvarint(buf[:], uint64(n))])
}

func (f fingerprint) write(b []byte) {
	_, _ = f.hash.Write(b) // a hash never fails
}

func (f fingerprint) bytes(b []byte) {
	f.number(len(b))
	f.write(b)
}

func (f fingerprint) text(s string) { f.bytes([]byte(s)) }

func (f fingerprint) optional(o api.Optional[string]) {
	if o.Present {
		f.number(1)
		f.text(o.Value)
	} else {
		f.number(0)
	}
}

func (f fingerprint) placeholders(p placeholders) {
	f.number(len(p.names))
	for _, name := range slices.Sorted(maps.Keys(p.names)) {
		f.text(name)
		f.text(p.names[name])
	}
	f.values(p.values.Values)
}

func (f fingerprint) values(values map[string]item.Value) {
	f.number(len(values))
	for _, name := range slices.Sorted(maps.Keys(values)) {
		f.text(name)
		f.bytes(values[name])
	}
}

// idempotencyToken is what makes a transaction of this call idempotent; nil
// without a ClientRequestToken. Tokens are told apart by caller and operation.
func (c *call) idempotencyToken(token api.Optional[string], parameters func(f fingerprint)) *partition.IdempotencyToken {
	if !token.Present {
		return nil
	}
	key := newFingerprint()
	key.text(c.ns.Account)
	key.text(c.ns.Region)
	key.text(c.op.name)
	key.text(token.Value)
	f := newFingerprint()
	parameters(f)
	return &partition.IdempotencyToken{Key: key.sum(), Fingerprint: f.sum()}
}
