package partition

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/stator-db/stator/partition/replication"
	"github.com/stator-db/stator/partition/transport"
)

// route is the log of a shard as a node of a cluster sees it: commands go to the
// leader, wherever it is. A command is sent again only if it certainly was not
// and will not be applied, so nothing is ever applied twice.
type route struct {
	node  *node
	shard int
	id    replication.Group
	hint  atomic.Uint64 // the leader as far as known, for shards that are not here
	turn  atomic.Uint64 // of reads that go round the replicas
}

// How long a route waits before it looks for the leader again.
const (
	routePause    = 5 * time.Millisecond
	routePauseMax = 100 * time.Millisecond
)

func (l *route) propose(ctx context.Context, c command, wait bool) error {
	return l.proposeAll(ctx, []command{c}, wait)[0]
}

func (l *route) proposeAll(ctx context.Context, cs []command, wait bool) []error {
	ctx, cancel := l.node.bounded(ctx)
	defer cancel()
	errs := l.try(ctx, cs, wait, 0)
	for attempt := 1; ; attempt++ {
		var again []int
		for i, err := range errs {
			if err != nil && l.mayRepeat(err) {
				again = append(again, i)
			}
		}
		if len(again) == 0 {
			return errs
		}
		if !l.pause(ctx, attempt) {
			for _, i := range again {
				errs[i] = fmt.Errorf("%w: %w", ErrUnavailable, errs[i])
			}
			return errs
		}
		rest := make([]command, len(again))
		for n, i := range again {
			rest[n] = cs[i]
		}
		for n, err := range l.try(ctx, rest, wait, attempt) {
			errs[again[n]] = err
		}
	}
}

// errNoLeader: nobody is known to lead the shard at the moment.
var errNoLeader = errors.New("leader unknown")

func (l *route) mayRepeat(err error) bool {
	return notApplied(err) || errors.Is(err, errNoLeader) || errors.Is(err, transport.ErrNotSent)
}

func (l *route) pause(ctx context.Context, attempt int) bool {
	timer := time.NewTimer(min(routePause<<min(attempt-1, 8), routePauseMax))
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// try sends commands once.
func (l *route) try(ctx context.Context, cs []command, wait bool, attempt int) []error {
	to := l.leader(attempt)
	if to == l.node.id {
		if g := l.node.group(l.id); g != nil {
			return g.proposeAll(ctx, cs, wait)
		}
		to = 0
	}
	errs := make([]error, len(cs))
	if to == 0 {
		for i := range errs {
			errs[i] = errNoLeader
		}
		return errs
	}
	if err := l.send(ctx, to, cs, wait, errs); err != nil {
		var remote *transport.RemoteError
		if errors.Is(err, transport.ErrUnknown) || errors.As(err, &remote) {
			err = fmt.Errorf("%w: %w", ErrOutcomeUnknown, err)
		}
		l.hint.CompareAndSwap(uint64(to), 0)
		for i := range errs {
			errs[i] = err
		}
	}
	return errs
}

// leader is whom to ask: the leader if it is known, else one of the replicas,
// another at each attempt.
func (l *route) leader(attempt int) replication.Node {
	if g := l.node.group(l.id); g != nil {
		if leader := l.node.runtime.Leader(l.id); leader != 0 {
			return leader
		}
	}
	if hint := l.hint.Load(); hint != 0 {
		return replication.Node(hint)
	}
	replicas := l.node.topology.replicas(l.shard)
	if len(replicas) == 0 {
		return 0
	}
	to := replicas[attempt%len(replicas)]
	if to == l.node.id {
		return 0 // and it does not know
	}
	return to
}

// What became of each command of a request to propose.
const (
	outcomeDecided    = 0 // result and error follow
	outcomeNotApplied = 1
	outcomeUnknown    = 2
)

// send has another node propose: group, wait, number of commands, and each with
// its length. The answer: the leader as known there, and for each command an
// outcome and the length of what follows.
func (l *route) send(ctx context.Context, to replication.Node, cs []command, wait bool, errs []error) error {
	request := binary.AppendUvarint(make([]byte, 0, 512), uint64(l.id))
	request = append(request, 0)
	if wait {
		request[len(request)-1] = 1
	}
	request = binary.AppendUvarint(request, uint64(len(cs)))
	for _, c := range cs {
		body, err := appendCommand(nil, c)
		if err != nil {
			return err
		}
		request = append(binary.AppendUvarint(request, uint64(len(body))), body...)
	}
	l.node.forwards.Add(1)
	response, err := l.node.transport.Call(ctx, uint64(to), methodPropose, request)
	if err != nil {
		return err
	}
	r := wireReader{b: response}
	leader := r.uvarint()
	for i, c := range cs {
		outcome, body := r.byte(), r.bytes()
		if r.err != nil {
			return fmt.Errorf("%w: %w", transport.ErrUnknown, r.err)
		}
		switch outcome {
		case outcomeDecided:
			errs[i] = decodeResult(body, c)
		case outcomeNotApplied:
			errs[i] = fmt.Errorf("%w at node %x: %s", errNoLeader, uint64(to), body)
		default:
			errs[i] = fmt.Errorf("%w: %s", ErrOutcomeUnknown, body)
		}
	}
	if leader != 0 && leader != uint64(l.node.id) {
		l.hint.Store(leader)
	}
	return nil
}

// servePropose answers send. It never passes a command on: only the sender
// knows how often it has tried.
func (n *node) servePropose(ctx context.Context, request []byte) ([]byte, error) {
	r := wireReader{b: request}
	id, wait := replication.Group(r.uvarint()), r.byte() == 1
	count := r.uvarint()
	if r.err != nil || count > uint64(len(request)) {
		return nil, errBadRequest
	}
	cs := make([]command, count)
	for i := range cs {
		body := r.bytes()
		if r.err != nil {
			return nil, errBadRequest
		}
		c, err := decodeCommand(body)
		if err != nil {
			return nil, err
		}
		cs[i] = c
	}
	var errs []error
	g := n.group(id)
	if g != nil {
		errs = g.proposeAll(ctx, cs, wait)
	}
	response := binary.AppendUvarint(make([]byte, 0, 256), uint64(n.leaderOf(id)))
	for i, c := range cs {
		err := replication.ErrUnknownGroup
		if g != nil {
			err = errs[i]
		}
		switch {
		case notApplied(err):
			response = appendBytes(append(response, outcomeNotApplied), []byte(err.Error()))
		case errors.Is(err, ErrOutcomeUnknown):
			response = appendBytes(append(response, outcomeUnknown), []byte(err.Error()))
		default:
			body, err := appendResult(nil, c, err)
			if err != nil {
				return nil, err
			}
			response = appendBytes(append(response, outcomeDecided), body)
		}
	}
	return response, nil
}

func (l *route) close() {}

// localLog is the log of the catalog: only its leader changes it, and what leads
// here goes on only as long as it does.
type localLog struct {
	node *node
	id   replication.Group
}

func (l *localLog) propose(ctx context.Context, c command, wait bool) error {
	return l.proposeAll(ctx, []command{c}, wait)[0]
}

func (l *localLog) proposeAll(ctx context.Context, cs []command, wait bool) []error {
	ctx, cancel := l.node.bounded(ctx)
	defer cancel()
	errs := l.node.group(l.id).proposeAll(ctx, cs, wait)
	for i, err := range errs {
		if err != nil && notApplied(err) {
			errs[i] = fmt.Errorf("%w: %w", ErrUnavailable, err)
		}
	}
	return errs
}

func (l *localLog) close() {}
