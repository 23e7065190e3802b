package transport

import (
	"net"
	"runtime"
	"sync"
	"time"
)

// keepBuffer is the largest buffer that is kept for the next frames.
const keepBuffer = 1 << 20

// An outbox is the sending half of a connection. Frames are appended to a
// buffer, and one goroutine, run, writes all that has gathered at once: under
// load a write carries the frames of many senders, without anybody waiting for
// company.
//
// Offsets count the bytes of the connection from its begin. Invariant: bytes
// before taken may have reached the peer, bytes from taken on have not left this
// process. After run has returned, written is final, and bytes from written on
// never reach the peer.
type outbox struct {
	conn    net.Conn
	timeout time.Duration // of a write
	limit   int           // of buf, for appendWait
	wake    chan struct{} // of capacity 1

	mu      sync.Mutex // also guards the owner's fields that belong to frames in buf
	room    sync.Cond  // signalled when buf was taken or written
	buf     []byte     // frames to write; nil capacity is fine
	spare   []byte     // the buffer written last, for reuse
	taken   uint64     // offset of buf[0]
	written uint64
	err     error // set when the connection has ended: nothing is appended any more

	// onTake is called with mu held when buf is taken, may be nil.
	onTake func()
}

func (o *outbox) init(conn net.Conn, timeout time.Duration, limit int) {
	o.conn, o.timeout, o.limit = conn, timeout, limit
	o.wake = make(chan struct{}, 1)
	o.room.L = &o.mu
}

// appendedLocked is called after frames were appended to buf, with the length
// that it had before.
func (o *outbox) appendedLocked(before int) {
	if before == 0 {
		select {
		case o.wake <- struct{}{}:
		default:
		}
	}
}

// endLocked is the offset behind the last frame appended.
func (o *outbox) endLocked() uint64 { return o.taken + uint64(len(o.buf)) }

// answer appends a frame that begins with an id, waiting while too much is to
// be written. It does nothing if the connection has ended.
func (o *outbox) answer(typ byte, id uint64, body []byte) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for o.err == nil && len(o.buf) > o.limit {
		o.room.Wait()
	}
	if o.err != nil {
		return
	}
	before := len(o.buf)
	o.buf = appendAnswer(o.buf, typ, id, body)
	o.appendedLocked(before)
}

// close makes run return and the connection end; the first cause counts.
func (o *outbox) close(cause error) {
	o.mu.Lock()
	first := o.err == nil
	if first {
		o.err = cause
	}
	o.room.Broadcast()
	o.mu.Unlock()
	if first {
		_ = o.conn.Close()
		select {
		case o.wake <- struct{}{}:
		default:
		}
	}
}

// flush waits until all that was appended is written or the connection has
// ended.
func (o *outbox) flush() {
	o.mu.Lock()
	defer o.mu.Unlock()
	for o.err == nil && (len(o.buf) > 0 || o.written < o.taken) {
		o.room.Wait()
	}
}

// run writes until close or a failed write, which closes.
func (o *outbox) run() {
	var limit time.Time // the write deadline set
	for range o.wake {
		// Let those run who are about to append: their frames then go with
		// this write. Without load it costs nothing, nobody else is runnable.
		runtime.Gosched()
		for {
			o.mu.Lock()
			if o.err != nil {
				o.mu.Unlock()
				return
			}
			b := o.buf
			if len(b) == 0 {
				o.mu.Unlock()
				break
			}
			o.buf, o.spare = o.spare[:0], nil
			o.taken += uint64(len(b))
			if o.onTake != nil {
				o.onTake()
			}
			o.room.Broadcast()
			o.mu.Unlock()

			// Moving a deadline is not free: only when half of it is used up.
			if now := time.Now(); limit.Sub(now) < o.timeout/2 {
				limit = now.Add(o.timeout)
				_ = o.conn.SetWriteDeadline(limit)
			}
			n, err := o.conn.Write(b)

			o.mu.Lock()
			o.written += uint64(n)
			if cap(b) <= keepBuffer {
				o.spare = b
			}
			o.room.Broadcast()
			o.mu.Unlock()
			if err != nil {
				o.close(err)
				return
			}
		}
	}
}
