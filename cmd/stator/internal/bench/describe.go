package bench

import (
	"fmt"
	"net"
)

// conditions states under which conditions the figures were measured, a line each:
// figures without them mean nothing.
func (r *Report) conditions() []string {
	lines := []string{
		"server: " + r.Target + ", " + r.Endpoint,
		"generator: " + r.Machine.String() + r.place(),
		r.Plan.String(),
	}
	if s := r.Server; s != nil {
		lines = append(lines, fmt.Sprintf("server process: first answer after %.0f ms; memory at rest %s, at the end %s",
			s.StartMilliseconds, s.MemoryAtRest, s.MemoryAtEnd))
	}
	return lines
}

// place adds that generator and server share a machine, when that is certain.
func (r *Report) place() string {
	e, err := parseEndpoint(r.Endpoint)
	if err != nil {
		return ""
	}
	host, _, err := net.SplitHostPort(e.address)
	if ip := net.ParseIP(host); err == nil && (host == "localhost" || ip != nil && ip.IsLoopback()) {
		return "; server on the same machine"
	}
	return ""
}

// String says how the figures come about.
func (p Plan) String() string {
	text := fmt.Sprintf("load: %s items of %d bytes, ", grouped(float64(p.Items)), p.ItemSize)
	if p.Rate > 0 {
		text += fmt.Sprintf("open loop at %s/s, latencies from the intended start, ", grouped(p.Rate))
	} else {
		text += "closed loop, "
	}
	if p.Distribution != "" {
		text += string(p.Distribution) + " keys, "
	}
	if p.Requests > 0 {
		text += grouped(float64(p.Requests)) + " requests"
	} else {
		text += p.Duration.String()
	}
	text += fmt.Sprintf(" after %s of warm-up, seed %d", p.Warmup, p.Seed)
	if p.Repeat > 1 {
		text += fmt.Sprintf("; medians of %d runs (lowest-highest)", p.Repeat)
	}
	return text
}

func (m Memory) String() string {
	if m.Resident == 0 {
		return "unknown"
	}
	return fmt.Sprintf("%.0f MB (%.0f anonymous)", float64(m.Resident)/(1<<20), float64(m.Anonymous)/(1<<20))
}

func connectionsText(n int) string {
	if n == 1 {
		return "1 connection"
	}
	return fmt.Sprintf("%d connections", n)
}
