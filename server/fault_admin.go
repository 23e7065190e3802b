package server

import (
	"fmt"
	"net/http"

	"github.com/gin-gonic/gin"
	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// faultRules is the request POST /_stator/faults: one rule or an array of them.
type faultRules []faultRule

// UnmarshalJSONFrom reads either form.
func (rules *faultRules) UnmarshalJSONFrom(d *jsontext.Decoder) error {
	if d.PeekKind() == '[' {
		return json.UnmarshalDecode(d, (*[]faultRule)(rules))
	}
	*rules = make(faultRules, 1)
	return json.UnmarshalDecode(d, &(*rules)[0])
}

// faultStatus is a rule as it is listed.
type faultStatus struct {
	faultRule
	Matched  int `json:"matched"`  // requests that matched
	Injected int `json:"injected"` // of those, the ones that it befell
}

// serveFaults lists the rules in force, in the order in which they are asked.
func (s *Server) serveFaults(g *gin.Context) {
	answerFaults(g, s.faults.list())
}

// serveAddFaults puts all rules of the request into force, or none.
func (s *Server) serveAddFaults(g *gin.Context) {
	var rules faultRules
	if !readAdmin(g, &rules) {
		return
	}
	for i := range rules {
		if err := rules[i].validate(); err != nil {
			refuseAdmin(g, fmt.Errorf("rule %d: %w", i+1, err))
			return
		}
	}
	added, err := s.faults.add(rules)
	if err != nil {
		refuseAdmin(g, err)
		return
	}
	answerFaults(g, added)
}

// serveRemoveFaults takes one rule out of force, or all.
func (s *Server) serveRemoveFaults(g *gin.Context) {
	id := g.Param("id")
	removed := s.faults.remove(id)
	if id != "" && removed == 0 {
		g.JSON(http.StatusNotFound, gin.H{"error": fmt.Sprintf("there is no rule %q", id)})
		return
	}
	g.JSON(http.StatusOK, gin.H{"removed": removed})
}

func answerFaults(g *gin.Context, rules []*activeFault) {
	list := make([]faultStatus, len(rules))
	for i, f := range rules {
		list[i] = f.status()
	}
	body, err := json.Marshal(map[string][]faultStatus{"rules": list})
	if err != nil {
		g.JSON(http.StatusInternalServerError, gin.H{"error": err.Error()})
		return
	}
	g.Data(http.StatusOK, contentJSON, append(body, '\n'))
}

func (f *activeFault) status() faultStatus {
	f.mu.Lock()
	defer f.mu.Unlock()
	return faultStatus{f.rule, f.matched, f.injected}
}
