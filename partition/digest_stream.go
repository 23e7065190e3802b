package partition

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/stator-db/stator/partition/replication"
	"github.com/stator-db/stator/storage"
)

// A digestRequest asks for the digest of a replica as of a mark that is proposed
// once the replica is ready for it.
type digestRequest struct {
	group  replication.Group
	mark   markID
	bounds storage.Range
}

// streamDigest is the kind of stream that carries digests. One way goes the request:
// group, mark, lower bound, whether there is no upper one, upper bound. The other way
// go signs of life, each a byte, and after the last of them the digest.
const streamDigest = 2

const (
	digestReady   = 1 // the mark may come
	digestWorking = 2
	digestFollows = 3
)

const (
	// markPatience is how long a replica waits for a mark: it may be behind, or the
	// mark may never come.
	markPatience = 30 * time.Second
	// digestSilence is how long a node may say nothing.
	digestSilence = markPatience + 15*time.Second
	// digestPulse is the time between signs of life.
	digestPulse = 5 * time.Second
	// maxDigestRequest bounds the bytes of a request: two keys and a little more.
	maxDigestRequest = 16 << 10
)

var errSilent = errors.New("the node does not answer")

// digestHere answers a digestRequest. It tells by sign that the mark may come, and
// from time to time that it is still at it.
func (n *node) digestHere(ctx context.Context, q digestRequest, sign func(byte) error) (digest, error) {
	g := n.group(q.group)
	if g == nil {
		return digest{}, notHereError{errNotHere}
	}
	wanted, done := g.want(q.mark)
	defer done()
	if err := sign(digestReady); err != nil {
		return digest{}, err
	}
	patience := time.NewTimer(markPatience)
	defer patience.Stop()
	select {
	case v := <-wanted:
		if v.err != nil {
			return digest{}, v.err
		}
		last := time.Now()
		d, err := digestOf(v.snapshot, q.bounds, func() error {
			if time.Since(last) < digestPulse {
				return context.Cause(ctx)
			}
			last = time.Now()
			return errors.Join(context.Cause(ctx), sign(digestWorking))
		})
		d.index = v.index
		return d, errors.Join(err, v.Close())
	case <-patience.C:
		return digest{}, errMarkMissed
	case <-ctx.Done():
		return digest{}, context.Cause(ctx)
	}
}

// serveDigest answers digestThere.
func (n *node) serveDigest(ctx context.Context, conn io.ReadWriter) error {
	body, err := io.ReadAll(io.LimitReader(conn, maxDigestRequest))
	if err != nil {
		return err
	}
	q, err := parseDigestRequest(body)
	if err != nil {
		return err
	}
	d, err := n.digestHere(ctx, q, func(sign byte) error {
		_, err := conn.Write([]byte{sign})
		return err
	})
	if err != nil {
		return err
	}
	_, err = conn.Write(appendDigest([]byte{digestFollows}, &d))
	return err
}

// digestThere has another node answer a digestRequest.
func (n *node) digestThere(ctx context.Context, to replication.Node, q digestRequest, ready func()) (d digest, err error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	silence := time.AfterFunc(n.opts.Timeout, func() { cancel(errSilent) })
	defer silence.Stop()
	defer func() {
		if err != nil && ctx.Err() != nil {
			err = context.Cause(ctx) // and not that of the stream it broke
		}
	}()
	s, err := n.transport.Stream(ctx, uint64(to), streamDigest)
	if err != nil {
		return digest{}, fmt.Errorf("%w: %w", errSilent, err)
	}
	defer s.Close()
	if _, err := s.Write(appendDigestRequest(nil, q)); err != nil {
		return digest{}, err
	}
	if err := s.CloseWrite(); err != nil {
		return digest{}, err
	}
	answer := bufio.NewReader(s)
	for {
		sign, err := answer.ReadByte()
		if err != nil {
			return digest{}, err
		}
		silence.Reset(digestSilence)
		switch sign {
		case digestReady:
			ready()
		case digestWorking:
		case digestFollows:
			body, err := io.ReadAll(answer)
			if err != nil {
				return digest{}, err
			}
			return parseDigest(body)
		default:
			return digest{}, errBadRequest
		}
	}
}

func appendDigestRequest(dst []byte, q digestRequest) []byte {
	dst = append(appendNumber(dst, q.group), q.mark[:]...)
	dst = append(appendBytes(dst, q.bounds.Lower), boolByte(q.bounds.Upper == nil))
	return appendBytes(dst, q.bounds.Upper)
}

func parseDigestRequest(b []byte) (digestRequest, error) {
	r := wireReader{b: b}
	q := digestRequest{group: replication.Group(r.uvarint()), mark: markID(r.txID())}
	q.bounds.Lower = r.bytes()
	open := r.bool()
	if q.bounds.Upper = r.bytes(); open {
		q.bounds.Upper = nil
	}
	if r.err != nil || len(r.b) > 0 {
		return digestRequest{}, errBadRequest
	}
	return q, nil
}
