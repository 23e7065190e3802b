package bench

// Workload is a mix of operations.
type Workload struct {
	Name        string
	Description string

	distribution Distribution
	operations   []operation
	// shares are the percentages of the operations; nil lets pick decide.
	shares []int
	pick   func(w *worker) int
}

// Workloads are all there are: YCSB's core workloads, then single operations.
func Workloads() []Workload { return workloads }

var workloads = []Workload{
	{Name: "ycsb-a", Description: "half reads, half updates", distribution: Zipfian,
		operations: []operation{opGet, opOverwrite}, shares: []int{50, 50}},
	{Name: "ycsb-b", Description: "95 % reads, 5 % updates", distribution: Zipfian,
		operations: []operation{opGet, opOverwrite}, shares: []int{95, 5}},
	{Name: "ycsb-c", Description: "reads only", distribution: Zipfian,
		operations: []operation{opGet}},
	{Name: "ycsb-d", Description: "95 % reads of the latest items, 5 % inserts", distribution: Latest,
		operations: []operation{opGet, opInsert}, shares: []int{95, 5}},
	{Name: "ycsb-e", Description: "95 % queries of up to 100 items, 5 % inserts", distribution: Zipfian,
		operations: []operation{opRange, opInsert}, shares: []int{95, 5}},
	{Name: "ycsb-f", Description: "half reads, half reads followed by an update", distribution: Zipfian,
		operations: []operation{opGet, opReadModify}, shares: []int{50, 50}},

	{Name: "put", Description: "PutItem of existing items", operations: []operation{opPut}},
	{Name: "get", Description: "GetItem", operations: []operation{opGet}},
	{Name: "get-strong", Description: "GetItem with ConsistentRead", operations: []operation{opGetStrong}},
	{Name: "update", Description: "UpdateItem with a condition and arithmetic", operations: []operation{opUpdate}},
	{Name: "delete", Description: "PutItem and DeleteItem of the same item in turns",
		operations: []operation{opPutOwn, opDeleteOwn},
		pick: func(w *worker) int {
			if w.present {
				return 1
			}
			return 0
		}},
	{Name: "query10", Description: "Query of 10 items", operations: []operation{opQuery10}},
	{Name: "query100", Description: "Query of 100 items", operations: []operation{opQuery100}},
	{Name: "scan", Description: "Scan, page after page of 1 MB", operations: []operation{opScan}},
	{Name: "batch-write-25", Description: "BatchWriteItem of 25 items", operations: []operation{opBatchWrite}},
	{Name: "batch-get-100", Description: "BatchGetItem of 100 items", operations: []operation{opBatchGet}},
	{Name: "transact-write", Description: "TransactWriteItems: 2 updates, a put, a condition", operations: []operation{opTransactWrite}},
	{Name: "transact-get", Description: "TransactGetItems of 4 items", operations: []operation{opTransactGet}},
}

func workloadNamed(name string) (Workload, bool) {
	for _, w := range workloads {
		if w.Name == name {
			return w, true
		}
	}
	return Workload{}, false
}

// choose returns the index of the next operation of a worker.
func (l *Workload) choose(w *worker) int {
	switch {
	case l.pick != nil:
		return l.pick(w)
	case l.shares == nil:
		return 0
	}
	percent := w.random.IntN(100)
	for i, share := range l.shares {
		if percent -= share; percent < 0 {
			return i
		}
	}
	return len(l.shares) - 1
}

// keys returns how the workload chooses keys, unless the plan says otherwise.
func (l *Workload) keys(override Distribution) Distribution {
	switch {
	case override != "":
		return override
	case l.distribution != "":
		return l.distribution
	default:
		return Uniform
	}
}
