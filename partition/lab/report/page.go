package report

import (
	"html/template"
	"slices"

	"github.com/stator-db/stator/partition/lab"
)

// page is what page.html shows.
type page struct {
	*lab.Result
	Policy   string
	Style    template.CSS
	Script   template.JS
	History  template.HTML
	Pictures []picture

	Verdict verdict
	Checks  []check
	// AnomalyGroups are the columns of the table of anomalies, AnomalyKinds its rows.
	AnomalyGroups []string
	AnomalyKinds  []anomalyRow
	// HasReads tells whether a read succeeded, HasStale whether one was stale, HasCurve
	// whether one is known to have followed a write.
	HasReads, HasStale, HasCurve bool
	Reads                        []reads
	Lags                         []lagRow
}

// picture is porcupine's page about a check.
type picture struct {
	Check lab.Check
	Data  template.HTML
}

// verdict is the verdict in words.
type verdict struct {
	Class, Sign, Word, Sentence string
}

// check is a check with its words made for the page.
type check struct {
	lab.Check
	Result      verdict
	Explanation []piece
	Evidence    []int
}

// anomalyRow has a cell for each of AnomalyGroups.
type anomalyRow struct {
	Kind  lab.AnomalyKind
	Cells []*lab.Anomaly // nil where it was not looked for
}

// lagRow is the worst that a replica's lag came to.
type lagRow struct {
	Shard   int
	Node    string
	Entries int
	Age     lab.LagPoint
	Down    string // the share of samples in which it was down
}

// reads are a group's, with what the bar of the nodes that answered is made of.
type reads struct {
	lab.Reads
	ServedCount int
	Shares      []share
}

// share is a part of a bar that is 100 wide.
type share struct {
	Node        int
	From, Width float64
}

func newPage(r *lab.Result) *page {
	p := &page{Result: r, Verdict: verdictOf(r.Verdict)}
	p.Verdict.Sentence = summary(r)
	for _, c := range r.Checks {
		p.Checks = append(p.Checks, check{
			Check: c, Result: verdictOf(c.Verdict),
			Explanation: pieces(c.Explanation, len(r.Operations)),
			Evidence:    known(c.Evidence, len(r.Operations)),
		})
	}
	p.addAnomalies()
	for _, group := range r.Reads {
		p.HasReads = p.HasReads || group.Count > 0
		p.HasStale = p.HasStale || group.Staleness.Count > 0
		p.HasCurve = p.HasCurve || slices.ContainsFunc(group.Curve, func(c lab.CurvePoint) bool { return c.Reads > 0 })
		p.Reads = append(p.Reads, newReads(group))
	}
	p.addLags()
	return p
}

func verdictOf(v lab.Verdict) verdict {
	switch v {
	case lab.Passed:
		return verdict{Class: "good", Sign: "✓", Word: "Passed"}
	case lab.Failed:
		return verdict{Class: "bad", Sign: "✗", Word: "Failed"}
	default:
		return verdict{Class: "warn", Sign: "?", Word: "Undecided"}
	}
}

// summary says how the checks came out.
func summary(r *lab.Result) string {
	passed, undecided := 0, 0
	for _, c := range r.Checks {
		switch c.Verdict {
		case lab.Passed:
			passed++
		case lab.Undecided:
			undecided++
		}
	}
	failed := len(r.Checks) - passed - undecided
	switch {
	case len(r.Checks) == 0:
		return "Nothing was checked."
	case passed == len(r.Checks) && passed == 1:
		return "The one check came out as expected."
	case passed == len(r.Checks):
		return "All " + grouped(passed) + " checks came out as expected."
	}
	text := grouped(passed) + " of " + counted(len(r.Checks), "check") + " came out as expected"
	if failed > 0 {
		text += ", " + grouped(failed) + " did not"
	}
	if undecided > 0 {
		text += ", " + grouped(undecided) + " could not be decided"
	}
	return text + "."
}

// known are the IDs among these that are operations.
func known(ids []int, operations int) []int {
	var list []int
	for _, id := range ids {
		if id >= 0 && id < operations {
			list = append(list, id)
		}
	}
	return list
}

func (p *page) addAnomalies() {
	for _, a := range p.Anomalies {
		if !slices.Contains(p.AnomalyGroups, a.Group) {
			p.AnomalyGroups = append(p.AnomalyGroups, a.Group)
		}
	}
	for i := range p.Anomalies {
		a := &p.Anomalies[i]
		if n := len(p.AnomalyKinds); n == 0 || p.AnomalyKinds[n-1].Kind != a.Kind {
			p.AnomalyKinds = append(p.AnomalyKinds, anomalyRow{Kind: a.Kind, Cells: make([]*lab.Anomaly, len(p.AnomalyGroups))})
		}
		row := p.AnomalyKinds[len(p.AnomalyKinds)-1]
		row.Cells[slices.Index(p.AnomalyGroups, a.Group)] = a
	}
}

func (p *page) addLags() {
	for _, l := range p.Lag {
		if len(l.Points) == 0 {
			continue
		}
		row := lagRow{Shard: l.Shard, Node: p.NodeName(l.Node)}
		down := 0
		for _, point := range l.Points {
			row.Entries = max(row.Entries, point.Entries)
			if point.Age > row.Age.Age {
				row.Age = point
			}
			if point.Down {
				down++
			}
		}
		row.Down = percent(down, len(l.Points))
		p.Lags = append(p.Lags, row)
	}
}

func newReads(r lab.Reads) reads {
	served := reads{Reads: r}
	for _, count := range r.Served {
		served.ServedCount += count
	}
	from := 0.0
	for node, count := range r.Served {
		if count > 0 {
			width := 100 * float64(count) / float64(served.ServedCount)
			served.Shares = append(served.Shares, share{Node: node, From: from, Width: width})
			from += width
		}
	}
	return served
}

// NodeName names a node by its position.
func (p *page) NodeName(i int) string {
	if i < 0 || i >= len(p.Nodes) {
		return "–"
	}
	return p.Nodes[i].Name
}
