package main

import (
	"context"
	"fmt"
	"slices"
)

// point is a workload at a number of connections.
type point struct {
	workload    string
	connections int
}

// The numbers of connections beside that of saturation, which is options.connections.
const (
	oneClient       = 1  // requests one after the other
	syncConnections = 64 // writers that share fsyncs
)

// sweep are the numbers of connections over which throughput must hold; that of
// saturation belongs to them as well.
var sweep = []int{8, 128, 512}

// schedule lists what is measured, in the order of one turn.
func (o options) schedule() []point {
	var points []point
	for _, workload := range o.workloads {
		points = append(points, point{workload, o.connections})
	}
	if !o.install {
		return points
	}
	for _, workload := range []string{"put", "get"} {
		points = append(points, point{workload, oneClient})
		for _, connections := range sweep {
			points = append(points, point{workload, connections})
		}
	}
	return append(points, point{"put", syncConnections})
}

// takes tells whether a contender is measured at a point. Everybody is measured at
// saturation unless its connections say otherwise.
func (c *contender) takes(p point, o options) bool {
	if c.only != nil && !slices.Contains(c.only, p.workload) {
		return false
	}
	if c.connections == nil {
		return p.connections == o.connections
	}
	return slices.Contains(c.connections, p.connections)
}

// takeTurns measures the contenders at all points, in turns, so that a slow minute of
// the machine falls on all of them.
func takeTurns(ctx context.Context, all []*contender, o options) error {
	for repeat := range o.repeat {
		for _, p := range o.schedule() {
			for _, c := range all {
				if !c.takes(p, o) {
					continue
				}
				run, err := c.session.Run(ctx, p.workload, p.connections, repeat+1)
				if err != nil {
					return fmt.Errorf("%s: %w", c.name, err)
				}
				if ctx.Err() != nil {
					return context.Cause(ctx)
				}
				c.report.Runs = append(c.report.Runs, run)
			}
		}
	}
	return nil
}
