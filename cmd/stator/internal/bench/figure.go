package bench

// Figure sums up the runs of a workload for tables across reports: medians, with
// the lowest and highest throughput.
type Figure struct {
	Workload                   string
	Connections                int
	PerSecond, Lowest, Highest float64
	P50, P99                   float64 // milliseconds
	ServerMicroseconds         float64 // 0 if unknown
	Errors                     string  // "0", or their number and kinds
}

// Figures returns one Figure for each workload and number of connections; all
// operations of a workload count together.
func (r *Report) Figures() ([]Figure, error) {
	rows, err := r.summarize()
	if err != nil {
		return nil, err
	}
	operations := map[summaryKey]int{}
	for _, s := range rows {
		operations[summaryKey{workload: s.workload, connections: s.connections}]++
	}
	var list []Figure
	for _, s := range rows {
		if s.operation != allOperations && operations[summaryKey{workload: s.workload, connections: s.connections}] > 1 {
			continue
		}
		list = append(list, Figure{
			Workload: s.workload, Connections: s.connections,
			PerSecond: s.perSecond.median, Lowest: s.perSecond.min, Highest: s.perSecond.max,
			P50: s.p50.median, P99: s.p99.median, ServerMicroseconds: s.server.median, Errors: s.errorText(),
		})
	}
	return list, nil
}
