package partition

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/stator-db/stator/partition/replication"
	"github.com/stator-db/stator/partition/transport"
	"github.com/stator-db/stator/storage"
)

// Reads of shards in a cluster. A strong read goes to the leader, which makes
// sure that it still leads (ReadIndex; Ongaro, "Consensus: Bridging Theory and
// Practice", section 6.4) and has applied what was committed before. An eventual
// read goes to any replica. A replica on another node is read in pieces; a
// strong read that goes on in another piece may see later writes, never fewer.

// view is DB.view in a cluster.
func (n *node) view(ctx context.Context, shard int, c Consistency, fn func(s snapshot) error) error {
	if n.removed.Load() {
		return ErrRemoved
	}
	l, probe, at := n.routes[shard], probeOf(ctx), n.id
	if c == Eventual {
		at = n.choose(n.policy(probe), l)
	}
	if at == n.id {
		var tell func(replication.Freshness)
		if probe.watches() {
			tell = func(f replication.Freshness) { probe.note(shard, n.opts.Name, c, f) }
		}
		err := n.viewHere(ctx, l.id, c == Strong, tell, fn)
		if !errors.Is(err, errNotHere) {
			return err
		}
		at = 0
	}
	ctx, cancel := n.bounded(ctx)
	defer cancel()
	return fn(&remoteSnapshot{ctx: ctx, route: l, level: c, probe: probe, at: at})
}

// errNotHere: this node cannot serve the read, another may.
var errNotHere = errors.New("not served here")

// viewHere passes a snapshot of a replica on this node to fn. fn has not been
// called if the error is errNotHere. tell is told before how recent the snapshot is
// at least; nil is not.
func (n *node) viewHere(ctx context.Context, id replication.Group, strong bool, tell func(replication.Freshness), fn func(s snapshot) error) error {
	g := n.group(id)
	if g == nil || !g.begun.Load() {
		return errNotHere
	}
	switch {
	case !strong:
		if !n.runtime.Votes(id) {
			return errNotHere
		}
	case !n.lab.LocalReads():
		if n.runtime.Leader(id) != n.id {
			return errNotHere
		}
		bounded, cancel := n.bounded(ctx)
		_, err := n.runtime.ReadIndex(bounded, id)
		cancel()
		if notApplied(err) {
			return errNotHere
		}
		if err != nil {
			return fmt.Errorf("%w: %w", ErrUnavailable, err)
		}
	}
	level := Eventual
	if strong {
		level = Strong
	}
	g.reads[level].Add(1)
	if tell != nil {
		tell(n.runtime.Freshness(id))
	}
	for {
		r := g.replica.Load()
		called := false
		err := r.shard.View(func(s *storage.Snapshot) error {
			called = true
			return fn(s)
		})
		switch {
		case called || !errors.Is(err, storage.ErrClosed):
			return err
		case g.ctx.Err() != nil && n.ctx.Err() == nil:
			return errNotHere // it has just moved away
		case g.replica.Load() == r:
			return err
		}
	}
}

// What a request to read asks for.
const (
	readGet  = 1
	readScan = 2

	readStrong   = 1 << 0
	readKeysOnly = 1 << 1
	readReverse  = 1 << 2
	readTell     = 1 << 3 // the answer begins with how recent the replica is
)

// How much a piece of a scan holds: little at first, for most scans end soon.
const (
	firstPiece = 64 << 10
	maxPiece   = 1 << 20
)

// remoteSnapshot reads a replica on another node.
type remoteSnapshot struct {
	ctx   context.Context
	route *route
	level Consistency
	probe *Probe
	at    replication.Node // whom to ask first: who was chosen, or answered last
}

func (s *remoteSnapshot) Get(key []byte, fn func(value []byte) error) (bool, error) {
	r, err := s.call(appendBytes(nil, key), readGet, 0)
	if err != nil || r.byte() == 0 {
		return false, err
	}
	value := r.bytes()
	if r.err != nil {
		return false, r.err
	}
	if fn == nil {
		return true, nil
	}
	return true, fn(value)
}

func (s *remoteSnapshot) Has(key []byte) (bool, error) { return s.Get(key, nil) }

func (s *remoteSnapshot) Scan(bounds storage.Range, fn func(key, value []byte) (bool, error)) error {
	var flags byte
	if bounds.KeysOnly {
		flags |= readKeysOnly
	}
	if bounds.Reverse {
		flags |= readReverse
	}
	for size := firstPiece; ; size = min(4*size, maxPiece) {
		request := appendBytes(appendBytes(nil, bounds.Lower), bounds.Upper)
		request = append(request, 0)
		if bounds.Upper == nil {
			request[len(request)-1] = 1
		}
		r, err := s.call(binary.AppendUvarint(request, uint64(size)), readScan, flags)
		if err != nil {
			return err
		}
		more := r.byte() == 1
		var last []byte
		for count := r.uvarint(); count > 0 && r.err == nil; count-- {
			key, value := r.bytes(), r.bytes()
			if r.err != nil {
				break
			}
			if goOn, err := fn(key, value); err != nil || !goOn {
				return err
			}
			last = key
		}
		if r.err != nil {
			return r.err
		}
		if !more || last == nil {
			return nil
		}
		if bounds.Reverse {
			bounds.Upper = last
		} else {
			bounds.Lower = append(append(make([]byte, 0, len(last)+1), last...), 0)
		}
	}
}

// call sends a request until somebody answers it; reading twice does no harm.
func (s *remoteSnapshot) call(body []byte, what, flags byte) (*wireReader, error) {
	l := s.route
	if s.level == Strong {
		flags |= readStrong
	}
	if s.probe.watches() {
		flags |= readTell
	}
	request := binary.AppendUvarint(make([]byte, 0, len(body)+16), uint64(l.id))
	request = append(append(request, what, flags), body...)
	for attempt := 0; ; attempt++ {
		to := s.at
		switch {
		case to != 0 && attempt == 0:
		case s.level == Strong:
			to = l.leader(attempt)
		default:
			to = l.node.nearest(l.shard, max(attempt-1, 0))
		}
		err := errNoLeader
		if to != 0 && (to != l.node.id || s.level == Eventual) {
			var response []byte
			if response, err = s.ask(to, request); err == nil {
				s.at = to
				return s.answer(response)
			}
			l.hint.CompareAndSwap(uint64(to), 0)
			var remote *transport.RemoteError
			if (to == l.node.id || errors.As(err, &remote)) && !isNotHere(err) {
				return nil, err
			}
		}
		if !l.pause(s.ctx, attempt+1) {
			return nil, fmt.Errorf("%w: %w", ErrUnavailable, err)
		}
	}
}

// ask has a node answer a request to read. An eventual read gives up in time to try
// two others.
func (s *remoteSnapshot) ask(to replication.Node, request []byte) ([]byte, error) {
	n, ctx := s.route.node, s.ctx
	if to == n.id {
		return n.serveRead(ctx, request)
	}
	if s.level == Eventual {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, n.opts.Timeout/3)
		defer cancel()
	}
	n.forwards.Add(1)
	return n.transport.Call(ctx, uint64(to), methodRead, request)
}

// answer takes from a response what is meant for the probe.
func (s *remoteSnapshot) answer(response []byte) (*wireReader, error) {
	r := &wireReader{b: response}
	if s.probe.watches() {
		f := r.freshness()
		if r.err != nil {
			return nil, r.err
		}
		s.probe.note(s.route.shard, s.route.node.topology.name(s.at), s.level, f)
	}
	return r, nil
}

// Codes of errors between nodes.
const (
	codeNotHere = 1 // errNotHere
	codeRemoved = 2 // ErrRemoved
	codeRefused = 3 // ErrOrder
)

type notHereError struct{ error }

func (notHereError) Code() uint8 { return codeNotHere }

func isNotHere(err error) bool {
	var here notHereError
	var remote *transport.RemoteError
	return errors.As(err, &here) || errors.As(err, &remote) && remote.Code == codeNotHere
}

// serveRead answers remoteSnapshot.
func (n *node) serveRead(ctx context.Context, request []byte) (response []byte, err error) {
	r := wireReader{b: request}
	id, what, flags := replication.Group(r.uvarint()), r.byte(), r.byte()
	if r.err != nil {
		return nil, errBadRequest
	}
	var head []byte
	var tell func(replication.Freshness)
	if flags&readTell != 0 {
		tell = func(f replication.Freshness) { head = appendFreshness(nil, f) }
	}
	err = n.viewHere(ctx, id, flags&readStrong != 0, tell, func(s snapshot) error {
		switch what {
		case readGet:
			key := r.bytes()
			if r.err != nil {
				return errBadRequest
			}
			found, err := s.Get(key, func(value []byte) error {
				response = appendBytes(append(make([]byte, 0, len(value)+16), 1), value)
				return nil
			})
			if err == nil && !found {
				response = []byte{0}
			}
			return err
		case readScan:
			lower, upper, open := r.bytes(), r.bytes(), r.byte() == 1
			size := int(min(r.uvarint(), maxPiece))
			if r.err != nil {
				return errBadRequest
			}
			if open {
				upper = nil
			}
			bounds := storage.Range{Lower: lower, Upper: upper, KeysOnly: flags&readKeysOnly != 0, Reverse: flags&readReverse != 0}
			more, count := byte(0), uint64(0)
			var body []byte
			err := s.Scan(bounds, func(key, value []byte) (bool, error) {
				if len(body) > 0 && len(body)+len(key)+len(value) > size {
					more = 1
					return false, nil
				}
				body = appendBytes(appendBytes(body, key), value)
				count++
				return true, nil
			})
			response = binary.AppendUvarint(append(make([]byte, 0, len(body)+16), more), count)
			response = append(response, body...)
			return err
		}
		return errBadRequest
	})
	if errors.Is(err, errNotHere) || errors.Is(err, ErrUnavailable) || errors.Is(err, storage.ErrClosed) {
		return nil, notHereError{err}
	}
	if head != nil {
		response = append(head, response...)
	}
	return response, err
}
