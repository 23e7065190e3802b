package bench

import (
	"context"
	"errors"
	"time"
)

// Measure makes all runs of the plan. When ctx is cancelled or a run fails it
// returns the runs that were completed together with the error.
func Measure(ctx context.Context, target Target, plan Plan, report Reporter) (r *Report, err error) {
	r = &Report{
		Format: reportFormat, Started: time.Now().UTC(),
		Target: target.Description, Endpoint: target.URL, Machine: ThisMachine(), Plan: plan,
	}
	session, err := Open(ctx, target, plan, report)
	if err != nil {
		return r, err
	}
	defer func() { err = errors.Join(err, session.Close(ctx)) }()
	for repeat := range plan.Repeat {
		for _, workload := range plan.Workloads {
			for _, connections := range plan.Connections {
				run, err := session.Run(ctx, workload, connections, repeat+1)
				if err != nil {
					return r, err
				}
				if ctx.Err() != nil {
					return r, context.Cause(ctx)
				}
				r.Runs = append(r.Runs, run)
			}
		}
	}
	return r, nil
}
