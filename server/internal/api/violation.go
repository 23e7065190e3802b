package api

import (
	"strconv"
	"strings"
)

// maxViolations is how many violations the service lists; it does not say how
// many more there are.
const maxViolations = 10

// Violation is one broken member constraint.
type Violation struct {
	// Text is one item of the joined message, or with Bare the whole message.
	Text string
	// Bare is set for constraints that the service reports without counting them.
	Bare bool
}

// Violations are the broken member constraints of a request, in the order in
// which the service prints them, at most ten. Empty means that there are none.
type Violations []Violation

// Message is the text of the ValidationException.
func (vs Violations) Message() string {
	if len(vs) == 0 {
		return ""
	}
	if vs[0].Bare {
		return vs[0].Text
	}
	var b strings.Builder
	b.WriteString(strconv.Itoa(len(vs)))
	b.WriteString(" validation error")
	if len(vs) > 1 {
		b.WriteByte('s')
	}
	b.WriteString(" detected: ")
	for i, v := range vs {
		if i > 0 {
			b.WriteString("; ")
		}
		b.WriteString(v.Text)
	}
	return b.String()
}

const failed = " failed to satisfy constraint: "

func (vs *Violations) full() bool { return len(*vs) >= maxViolations }

// add appends an item with its value: Value 'v' at 'path' failed ...
func (vs *Violations) add(p path, value, rule string) {
	if vs.full() {
		return
	}
	*vs = append(*vs, Violation{Text: "Value '" + value + "' at '" + p.camel() + "'" + failed + rule})
}

// addNew appends an item in the newer form, with neither value nor camel case:
// Value at 'Path' failed ...
func (vs *Violations) addNew(p path, rule string) {
	if vs.full() {
		return
	}
	*vs = append(*vs, Violation{Text: "Value at '" + p.pascal() + "'" + failed + rule})
}

// addBare makes text the whole message, unless there are other violations.
func (vs *Violations) addBare(text string) {
	if len(*vs) == 0 {
		*vs = append(*vs, Violation{Text: text, Bare: true})
	}
}

// required reports an absent member.
func (vs *Violations) required(present bool, p path) {
	if !present && !vs.full() {
		*vs = append(*vs, Violation{Text: "Value null at '" + p.camel() + "'" + failed + "Member must not be null"})
	}
}

// path is where a member stands in a request, as a chain to the root that lives
// on the stack: it becomes text only for a violation.
type path struct {
	parent *path
	name   string // member name as in the model, or key of a map
	index  int    // of a list element, from 1
	key    bool   // name is a key of a map
}

func at(parent *path, name string) path   { return path{parent: parent, name: name} }
func atIndex(parent *path, i int) path    { return path{parent: parent, index: i + 1} }
func atKey(parent *path, key string) path { return path{parent: parent, name: key, key: true} }

// camel is the path with member names in camel case, the older form. Only the
// first letter changes: sSESpecification.kMSMasterKeyId.
func (p path) camel() string { return string(p.append(nil, 'a'-'A')) }

// pascal is the path with member names as in the model, the newer form.
func (p path) pascal() string { return string(p.append(nil, 0)) }

// append writes the path; lower is set in the first letter of member names.
func (p *path) append(dst []byte, lower byte) []byte {
	if p.parent != nil {
		dst = append(p.parent.append(dst, lower), '.')
	}
	switch {
	case p.index > 0:
		return append(strconv.AppendInt(dst, int64(p.index), 10), ".member"...)
	case p.key:
		return append(append(dst, p.name...), ".member"...)
	}
	return append(append(dst, p.name[0]|lower), p.name[1:]...)
}
