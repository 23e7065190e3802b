package server

import (
	"net/http"
	"strconv"
	"strings"

	"github.com/stator-db/stator/partition"
)

// Headers by which a client of a cluster chooses the replicas that its eventual reads
// go to, and asks which replicas answered; in Go's canonical spelling.
const (
	headerReadPolicy = "X-Stator-Read-Policy" // as partition.ParseReadPolicy takes it
	headerReplicas   = "X-Stator-Headers"     // "on" asks for the headers below
)

// Headers that tell which replicas answered the reads of a request. Each is a list
// with an entry for each replica, in the same order.
const (
	headerShard       = "X-Stator-Shard"
	headerNode        = "X-Stator-Node"
	headerRole        = "X-Stator-Role"
	headerConsistency = "X-Stator-Consistency"
	headerApplied     = "X-Stator-Applied-Index"
	headerStaleness   = "X-Stator-Staleness-Ms"
)

// setProbe has the request's reads go where its headers say, and watched if they ask for
// it. On a single node there is nothing to choose, and nothing is looked at.
func (c *call) setProbe(h http.Header) error {
	if c.s.options.Cluster == nil {
		return nil
	}
	policy, watch := h[headerReadPolicy], h[headerReplicas]
	if policy == nil && watch == nil {
		return nil
	}
	p := &partition.Probe{Watch: len(watch) > 0 && watch[0] == "on"}
	if policy != nil {
		chosen, err := partition.ParseReadPolicy(policy[0])
		if err != nil {
			return validationText(headerReadPolicy + ": " + err.Error())
		}
		p.Policy = &chosen
	}
	c.probe, c.ctx = p, partition.WithProbe(c.ctx, p)
	return nil
}

// tellReplicas puts what the probe has seen into the header of the answer.
func (c *call) tellReplicas(h http.Header) {
	answers := c.probe.Answers()
	if len(answers) == 0 {
		return
	}
	list := func(name string, of func(a *partition.Answer) string) {
		texts := make([]string, len(answers))
		for i := range answers {
			texts[i] = of(&answers[i])
		}
		h[name] = []string{strings.Join(texts, ",")}
		if exposed := h[headerExposed]; exposed != nil {
			h[headerExposed] = []string{exposed[0] + ", " + name}
		}
	}
	list(headerShard, func(a *partition.Answer) string { return strconv.Itoa(a.Shard) })
	list(headerNode, func(a *partition.Answer) string { return a.Node })
	list(headerRole, func(a *partition.Answer) string { return a.Role })
	list(headerConsistency, func(a *partition.Answer) string {
		if a.Consistency == partition.Strong {
			return "strong"
		}
		return "eventual"
	})
	list(headerApplied, func(a *partition.Answer) string { return strconv.FormatUint(a.Applied, 10) })
	list(headerStaleness, func(a *partition.Answer) string {
		if a.Staleness < 0 {
			return "unknown"
		}
		return strconv.FormatInt(a.Staleness.Milliseconds(), 10)
	})
}
