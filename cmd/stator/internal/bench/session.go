package bench

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// Reporter follows a measurement. Its methods are called one at a time.
type Reporter interface {
	// Phase announces work that is not measured.
	Phase(text string)
	// Begin announces a run.
	Begin(title string, plan Plan)
	// Sample reports a point of the timeline.
	Sample(Sample)
	// End reports the finished run.
	End(Run)
}

// dataset is the loaded table.
type dataset struct {
	target  *Target
	items   *itemWriter
	inserts *inserts
}

// Session is a table on a target, ready to be measured.
type Session struct {
	plan    Plan
	data    *dataset
	control *connection
	report  Reporter
}

// loadConnections is the largest number of connections that load a table.
const loadConnections = 16

// controlTimeout bounds the creation and deletion of the table.
const controlTimeout = 2 * time.Minute

// Open creates the table and loads it.
func Open(ctx context.Context, target Target, plan Plan, report Reporter) (*Session, error) {
	if err := plan.Validate(); err != nil {
		return nil, err
	}
	control, err := newConnection(&target, max(plan.Timeout, 30*time.Second))
	if err != nil {
		return nil, err
	}
	s := &Session{
		plan:    plan,
		data:    &dataset{target: &target, items: newItemWriter(plan.ItemSize, plan.Seed), inserts: newInserts(plan.Items)},
		control: control,
		report:  report,
	}
	created, err := s.createTable(ctx)
	if err != nil {
		return nil, err
	}
	if created {
		report.Phase(fmt.Sprintf("loading %d items of %d bytes", plan.Items, plan.ItemSize))
		if err := s.load(ctx); err != nil {
			return nil, errors.Join(fmt.Errorf("loading: %w", err), s.Close(ctx))
		}
	}
	return s, nil
}

// Close deletes the table unless the plan keeps it, also when ctx is cancelled.
func (s *Session) Close(ctx context.Context) error {
	if s.plan.KeepTable {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), controlTimeout)
	defer cancel()
	_, err := s.do(ctx, "DeleteTable", fmt.Sprintf(`{"TableName":%q}`, s.plan.Table))
	return err
}

// Run makes one run of a workload of the plan. When ctx is cancelled it returns
// what was measured until then.
func (s *Session) Run(ctx context.Context, workload string, connections, repeat int) (Run, error) {
	w, known := workloadNamed(workload)
	if !known {
		return Run{}, fmt.Errorf("unknown workload %q", workload)
	}
	r, err := newRun(s.data, s.plan, w, connections, repeat, s.report)
	if err != nil {
		return Run{}, err
	}
	title := workload + ", " + connectionsText(connections)
	if s.plan.Repeat > 1 {
		title += fmt.Sprintf(", run %d of %d", repeat, s.plan.Repeat)
	}
	s.report.Begin(title, s.plan)
	done, err := r.measure(ctx).run(w, connections, repeat)
	if err != nil {
		return Run{}, err
	}
	s.report.End(done)
	return done, nil
}

// do makes a request that is not measured, on a connection of its own: minutes may
// pass between two of them, and servers close idle connections earlier.
func (s *Session) do(ctx context.Context, api, body string) (string, error) {
	defer s.control.close()
	status, response, err := s.control.call(ctx, api, []byte(body))
	switch {
	case err != nil:
		return "", fmt.Errorf("%s: %w", api, err)
	case status != http.StatusOK:
		return "", &apiError{api: api, name: exceptionName(status, response), answer: string(response)}
	default:
		return string(response), nil
	}
}

// apiError is an error answer to a request that is not measured.
type apiError struct{ api, name, answer string }

func (e *apiError) Error() string { return e.api + ": " + e.answer }

// createTable returns false if the table is there already and may be used.
func (s *Session) createTable(ctx context.Context) (created bool, err error) {
	_, err = s.do(ctx, "CreateTable", fmt.Sprintf(`{"TableName":%q,"BillingMode":"PAY_PER_REQUEST",`+
		`"AttributeDefinitions":[{"AttributeName":"pk","AttributeType":"S"},{"AttributeName":"sk","AttributeType":"N"}],`+
		`"KeySchema":[{"AttributeName":"pk","KeyType":"HASH"},{"AttributeName":"sk","KeyType":"RANGE"}]}`, s.plan.Table))
	var answer *apiError
	if errors.As(err, &answer) && answer.name == "ResourceInUseException" {
		if !s.plan.KeepTable {
			return false, fmt.Errorf("table %s exists: delete it, or choose another name", s.plan.Table)
		}
		return false, nil
	}
	if err != nil {
		return false, err
	}
	ctx, cancel := context.WithTimeout(ctx, controlTimeout)
	defer cancel()
	retry := time.NewTicker(100 * time.Millisecond)
	defer retry.Stop()
	for {
		description, err := s.do(ctx, "DescribeTable", fmt.Sprintf(`{"TableName":%q}`, s.plan.Table))
		if err == nil && strings.Contains(description, `"ACTIVE"`) {
			return true, nil
		}
		select {
		case <-retry.C:
		case <-ctx.Done():
			return false, fmt.Errorf("table %s does not become active: %w", s.plan.Table, errors.Join(ctx.Err(), err))
		}
	}
}

// load writes every item once, in batches, over several connections.
func (s *Session) load(ctx context.Context) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var next atomic.Int64
	var workers sync.WaitGroup
	for i := range min(loadConnections, slices.Max(s.plan.Connections)) {
		conn, err := newConnection(s.data.target, s.plan.Timeout)
		if err != nil {
			return err
		}
		w := &worker{table: s.plan.Table, items: s.data.items, random: rand.New(rand.NewPCG(s.plan.Seed, uint64(i))), conn: conn}
		workers.Go(func() {
			defer conn.close()
			for ctx.Err() == nil {
				from := next.Add(batchWriteSize) - batchWriteSize
				if from >= s.plan.Items {
					return
				}
				if err := w.loadBatch(ctx, from, min(from+batchWriteSize, s.plan.Items)); err != nil {
					cancel(err)
				}
			}
		})
	}
	workers.Wait()
	return context.Cause(ctx)
}

// loadAttempts bounds how often a batch is sent while the table is throttled.
const loadAttempts = 1000

// loadBatch writes the items from index from up to to. Puts may be repeated, so a
// batch that was not taken as a whole is sent again as a whole.
func (w *worker) loadBatch(ctx context.Context, from, to int64) error {
	indexes := w.chosen[:0]
	for index := from; index < to; index++ {
		indexes = append(indexes, index)
	}
	w.chosen = indexes
	var out outcome
	for range loadAttempts {
		out = batchPut(ctx, w, indexes)
		switch out.fault {
		case "":
			return nil
		case FaultUnprocessed, "ProvisionedThroughputExceededException", "ThrottlingException", "RequestLimitExceeded":
			pause(ctx)
		default:
			return fmt.Errorf("BatchWriteItem: %s", out.fault)
		}
	}
	return fmt.Errorf("BatchWriteItem: %s, after %d attempts", out.fault, loadAttempts)
}
