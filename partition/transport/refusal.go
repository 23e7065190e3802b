package transport

import (
	"fmt"
	"log/slog"
	"sync"
)

// maxOnce bounds what onceLog remembers.
const maxOnce = 1024

// onceLog logs a trouble with somebody once, not each time it is met, until it
// is over.
type onceLog struct {
	logger *slog.Logger

	mu   sync.Mutex
	seen map[string]string // the trouble last logged, by whom it is about
}

// warn logs unless it is the trouble last logged about who.
func (l *onceLog) warn(who, reason, msg string, attrs ...any) {
	l.mu.Lock()
	known := l.seen[who] == reason
	if !known {
		if l.seen == nil || len(l.seen) >= maxOnce {
			l.seen = map[string]string{}
		}
		l.seen[who] = reason
	}
	l.mu.Unlock()
	if !known {
		l.logger.Warn(msg, append(attrs, "reason", reason)...)
	}
}

// over forgets the trouble with who and says whether there was one.
func (l *onceLog) over(who string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	_, ok := l.seen[who]
	delete(l.seen, who)
	return ok
}

// refusal returns why this node does not want the connection that p opens, or
// an empty string.
func (t *Transport) refusal(p preamble) string {
	own := t.clusterID()
	switch {
	case p.from == 0:
		return "the node has no id"
	case p.from == t.o.NodeID:
		return fmt.Sprintf("it has the id of this node, %x (%s)", t.o.NodeID, t.o.Name)
	case p.to != 0 && p.to != t.o.NodeID:
		return fmt.Sprintf("node %x is expected here, this is node %x (%s)", p.to, t.o.NodeID, t.o.Name)
	case p.version < t.o.MinVersion:
		return fmt.Sprintf("protocol version %d is too old, %s needs at least %d", p.version, t.o.Name, t.o.MinVersion)
	case p.minVersion > t.o.Version:
		return fmt.Sprintf("protocol version %d of %s is too old, at least %d is needed", t.o.Version, t.o.Name, p.minVersion)
	case own != p.cluster && own != noCluster && p.cluster != noCluster:
		return fmt.Sprintf("node of another cluster: %x instead of %x", p.cluster, own)
	}
	switch p.kind {
	case kindCalls, kindGossip:
		return ""
	case kindMessages, kindStream:
		if own == noCluster {
			return fmt.Sprintf("%s is not yet member of a cluster", t.o.Name)
		}
		if p.cluster == noCluster {
			return fmt.Sprintf("%s is not yet member of the cluster", p.name)
		}
		if p.kind == kindStream && t.streamHandler(p.sub) == nil {
			return fmt.Sprintf("no handler for streams of kind %d", p.sub)
		}
		return ""
	}
	return fmt.Sprintf("unknown kind of connection %d", uint8(p.kind))
}
