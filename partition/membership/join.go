package membership

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"time"
)

const (
	// The pause between rounds of asking Options.Join doubles from the first
	// to the last.
	firstJoinPause = 200 * time.Millisecond
	lastJoinPause  = 5 * time.Second
	// rejoinPause is between attempts to reach a failed member again.
	rejoinPause = 10 * time.Second
	// forgetAfter is how long a member that failed or left is remembered.
	forgetAfter = 24 * time.Hour
	// maxKnown bounds the members remembered, dead ones included.
	maxKnown = 4096
)

// keepJoining asks Options.Join until one has answered, then looks after failed
// members, until Close.
func (m *Membership) keepJoining() {
	pause := firstJoinPause
	reported := ""
	for {
		err := m.join()
		if err == nil {
			pause = rejoinPause
			if m.o.Fast {
				pause = time.Second
			}
		} else {
			if text := err.Error(); text != reported && m.ctx.Err() == nil {
				reported = text
				m.log.Warn("cannot join yet, trying on", "error", text)
			}
			pause = min(2*pause, lastJoinPause)
		}
		select {
		case <-time.After(pause):
		case <-m.ctx.Done():
			return
		}
	}
}

// join asks Options.Join if this node is alone, and one failed member. An error
// means that it is still alone but should not be.
func (m *Membership) join() error {
	m.mu.Lock()
	m.forgetLocked()
	var failed []string
	alive := 0
	for _, k := range m.known {
		switch k.State {
		case Alive:
			alive++
		case Failed:
			failed = append(failed, k.at)
		case Left:
		}
	}
	leaving := m.self.leaving
	m.mu.Unlock()
	if leaving {
		return nil
	}
	if len(failed) > 0 {
		// Its failure to answer is no news.
		_, _ = m.list.Join([]string{failed[rand.IntN(len(failed))]})
	}
	if alive > 0 || len(m.o.Join) == 0 {
		return nil
	}
	var problems []error
	reached := false
	for _, addr := range m.o.Join {
		ok, err := m.ask(addr)
		reached = reached || ok
		if err != nil {
			problems = append(problems, err)
		}
	}
	if !reached && len(problems) > 0 {
		return errors.Join(problems...)
	}
	m.mu.Lock()
	m.joined = m.joined || reached
	m.mu.Unlock()
	return nil
}

// ask joins through the nodes at an address, of which a name may have several.
// Addresses of this node itself are neither reached nor an error.
func (m *Membership) ask(addr string) (reached bool, err error) {
	if addr == m.addr || addr == m.o.Transport.Addr() {
		return false, nil
	}
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		return false, fmt.Errorf("join address %q: %w", addr, err)
	}
	ctx, cancel := context.WithTimeout(m.ctx, lastJoinPause)
	defer cancel()
	ips, err := net.DefaultResolver.LookupHost(ctx, host)
	if err != nil {
		return false, fmt.Errorf("join address %s: %w", addr, err)
	}
	var problems []error
	for _, ip := range ips {
		at := net.JoinHostPort(ip, port)
		if at == m.addr {
			continue
		}
		if _, err := m.list.Join([]string{at}); err != nil {
			problems = append(problems, fmt.Errorf("joining %s: %w", at, err))
			continue
		}
		reached = true
	}
	if reached {
		return true, nil
	}
	return false, errors.Join(problems...)
}

// forgetLocked drops members that are gone for long, or too many.
func (m *Membership) forgetLocked() {
	now := time.Now()
	for name, k := range m.known {
		if k.State != Alive && (now.Sub(k.lost) > forgetAfter || len(m.known) > maxKnown) {
			delete(m.known, name)
		}
	}
}
