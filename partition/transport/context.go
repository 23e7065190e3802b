package transport

import (
	"context"
	"sync"
	"time"
)

// A callContext is the context of a handler. A real context with a timer is only
// made if the handler asks for one: many just look at the deadline.
type callContext struct {
	parent   context.Context
	deadline time.Time // zero: none

	mu     sync.Mutex
	real   context.Context
	cancel context.CancelFunc
	ended  bool
}

// Deadline implements context.Context.
func (c *callContext) Deadline() (time.Time, bool) {
	if !c.deadline.IsZero() {
		return c.deadline, true
	}
	return c.parent.Deadline()
}

// Done implements context.Context.
func (c *callContext) Done() <-chan struct{} { return c.context().Done() }

// Err implements context.Context.
func (c *callContext) Err() error { return c.context().Err() }

// Value implements context.Context. Contexts derived from this one find the
// real one through it, and so need no goroutine to follow it.
func (c *callContext) Value(key any) any { return c.context().Value(key) }

// context makes the real context.
func (c *callContext) context() context.Context {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.real == nil {
		if c.deadline.IsZero() {
			c.real, c.cancel = context.WithCancel(c.parent)
		} else {
			c.real, c.cancel = context.WithDeadline(c.parent, c.deadline)
		}
		if c.ended {
			c.cancel()
		}
	}
	return c.real
}

// end is called when the handler has returned.
func (c *callContext) end() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.ended = true
	if c.cancel != nil {
		c.cancel()
	}
}
