package virtual

import "slices"

// Host is a machine.
type Host struct {
	w            *World
	paused, dead bool
	missed       []*Event // what happened while it was paused
	processes    []*process
}

// NewHost returns a machine that works.
func (w *World) NewHost() *Host {
	h := &Host{w: w}
	w.hosts = append(w.hosts, h)
	return h
}

// Alive reports whether the host has not died.
func (h *Host) Alive() bool { return !h.dead }

// Pause stops the host; Resume has it do what it missed.
func (h *Host) Pause() { h.paused = true }

// Resume undoes Pause.
func (h *Host) Resume() {
	h.paused = false
	missed := h.missed
	h.missed = nil
	for _, e := range missed {
		if !e.canceled {
			h.w.After(h, 0, func() { h.w.happen(e) })
		}
	}
}

// Kill ends the host with all its processes. None of them may call it.
func (h *Host) Kill() {
	h.dead, h.missed = true, nil
	for _, p := range slices.Clone(h.processes) {
		p.kill()
	}
}
