package replication

import "go.etcd.io/raft/v3/raftpb"

const (
	// fullBatch is the size up to which a batch is extended. A message that is
	// larger makes a batch of its own.
	fullBatch = 512 << 10
	// keepBatch is the largest buffer kept for the next batch.
	keepBatch = 2 << 20
)

// outbox collects messages of many groups for each peer, so that one batch
// carries whatever there is at a moment, the heartbeats of all groups above all.
// It belongs to one goroutine.
type outbox struct {
	rt      *Runtime
	batches map[Node]*batch
}

type batch struct {
	buf []byte
	// appends are the groups whose entries are in buf.
	appends []*group
}

func newOutbox(rt *Runtime) *outbox {
	return &outbox{rt: rt, batches: make(map[Node]*batch)}
}

func (o *outbox) add(g *group, m *raftpb.Message) {
	to := Node(m.GetTo())
	b := o.batches[to]
	if b == nil {
		b = &batch{}
		o.batches[to] = b
	}
	if len(b.buf) > 0 && len(b.buf)+sizeBound(m) > fullBatch {
		o.send(to, b)
	}
	b.buf = appendMessage(b.buf, g.id, m)
	if m.GetType() == raftpb.MsgApp {
		b.appends = append(b.appends, g)
	}
}

func (o *outbox) send(to Node, b *batch) {
	if o.rt.failure() == nil && !o.rt.config.Transport.Send(to, b.buf) {
		// Raft need not wait for a rejection to find out that entries are
		// missing, and sends no more of them for the time being.
		for _, g := range b.appends {
			g.post(func(in *inbox) { in.unreachable(to) })
		}
	}
	b.buf = b.buf[:0]
	if cap(b.buf) > keepBatch {
		b.buf = nil
	}
	clear(b.appends)
	b.appends = b.appends[:0]
}

func (o *outbox) flush() {
	for to, b := range o.batches {
		if len(b.buf) > 0 {
			o.send(to, b)
		}
	}
}
