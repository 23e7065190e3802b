package main

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// emitConstraints writes the checks of every structure of a request that has
// any.
func (a *api) emitConstraints(w *writer) {
	for _, s := range a.sorted() {
		switch {
		case s.input && s.top:
			w.p("// Constraints checks a request of %s; see [Input].", s.op)
			w.p("func (in *%s) Constraints() Violations {", s.name)
			w.p("var collected Violations")
			if a.constrained(s) {
				w.p("in.constrain(&collected, nil)")
			}
			w.p("return collected")
			w.p("}\n")
			a.emitChecks(w, s)
		case s.input:
			a.emitChecks(w, s)
		}
	}
}

func (a *api) emitChecks(w *writer, s *structure) {
	if !a.constrained(s) {
		return
	}
	w.p("func (in *%s) constrain(vs *Violations, parent *path) {", s.name)
	v, hasVariant := variants[s.name]
	if hasVariant {
		f, _ := s.field(v.missing)
		w.p("if !(%s) {", presence(f, "in."+f.name))
		w.p("in.constrainWithout%s(vs, parent)", f.name)
		w.p("return")
		w.p("}")
	}
	a.emitMembers(w, s, memberOrder[s.name], nil)
	w.p("}\n")
	if hasVariant {
		w.p("// constrainWithout%s stands in for constrain when %s is absent.", v.missing, v.missing)
		w.p("func (in *%s) constrainWithout%s(vs *Violations, parent *path) {", s.name, v.missing)
		a.emitMembers(w, s, v.order, v.checks)
		w.p("}\n")
	}
}

// emitMembers writes the checks of the members in order, followed by those of
// all other members.
func (a *api) emitMembers(w *writer, s *structure, order []string, override map[string]string) {
	order = slices.Clone(order)
	for _, f := range s.fields {
		if !slices.Contains(order, f.wire) {
			order = append(order, f.wire)
		}
	}
	for _, wire := range order {
		if wire == "|" {
			w.p("if len(*vs) > 0 { return }")
			continue
		}
		wire, inside := strings.CutSuffix(wire, "[]")
		f, ok := s.field(wire)
		if !ok {
			panic("member order names unknown member " + s.name + "." + wire)
		}
		if !inside {
			text, replaced := override[wire]
			if !replaced {
				text = a.check(s, f)
			}
			if text != "" {
				text = strings.ReplaceAll(text, "$v", "in."+f.name)
				w.p("%s", strings.ReplaceAll(text, "$p", fmt.Sprintf("at(parent, %q)", f.wire)))
			}
		}
		if inside || !slices.Contains(order, wire+"[]") {
			a.emitInside(w, f)
		}
	}
}

// check returns the statements that check a member itself.
func (a *api) check(s *structure, f goField) string {
	key := s.name + "." + f.wire
	if text, ok := checks[key]; ok {
		return text
	}
	var lines []string
	sh := a.shapes[s.class]
	if slices.Contains(sh.Required, f.wire) || required[key] {
		lines = append(lines, "vs.required("+presence(f, "$v")+", $p)")
	}
	low, high, limited := a.limitsOf(key, f.shape)
	switch f.kind {
	case kindEnum:
		lines = append(lines, "vs.enum($v, "+setName(f.shape)+", $p)")
	case kindString:
		length, pattern := "", ""
		if limited {
			length = "vs.length($v, " + low + ", " + high + ", $p)"
		}
		if names[key] || a.shapes[f.shape].Pattern != "" {
			pattern = "vs.pattern($v, $p)"
		}
		if patternFirst[key] {
			length, pattern = pattern, length
		}
		lines = append(lines, length, pattern)
	case kindInteger, kindLong:
		if limited {
			lines = append(lines, "vs.value($v, "+low+", "+high+", $p)")
		}
	case kindStrings, kindStructs, kindValueList, kindItems:
		if limited {
			dump := a.dump(f)
			if high == "unbounded" {
				dump = "nil" // only an empty list is ever printed
			}
			lines = append(lines, "size(vs, $v, "+low+", "+high+", $p, "+dump+")")
		}
		lines = append(lines, a.elements(f))
	}
	return strings.Join(slices.DeleteFunc(lines, func(l string) bool { return l == "" }), "\n")
}

// elements returns the loop that checks the strings of a list.
func (a *api) elements(f goField) string {
	if f.kind != kindStrings {
		return ""
	}
	low, high, limited := a.limitsOf("", a.shapes[f.shape].Member.Shape)
	if !limited {
		return ""
	}
	return "for i, v := range $v {\nlist := $p\nvs.lengthOf(v, " + low + ", " + high + ", atIndex(&list, i))\n}"
}

// emitInside writes the descent into a member.
func (a *api) emitInside(w *writer, f goField) {
	if f.elem == "" || !a.constrained(a.structs[f.elem]) {
		return
	}
	switch f.kind {
	case kindStruct:
		w.p("if in.%s != nil {", f.name)
		w.p("p := at(parent, %q)", f.wire)
		w.p("in.%s.constrain(vs, &p)", f.name)
		w.p("}")
	case kindStructs:
		w.p("for i := range in.%s {", f.name)
		w.p("list := at(parent, %q)", f.wire)
		w.p("p := atIndex(&list, i)")
		w.p("in.%s[i].constrain(vs, &p)", f.name)
		w.p("}")
	case kindStructMap:
		w.p("for i := range in.%s {", f.name)
		w.p("m := at(parent, %q)", f.wire)
		w.p("p := atKey(&m, in.%s[i].Key)", f.name)
		w.p("in.%s[i].Value.constrain(vs, &p)", f.name)
		w.p("}")
	case kindStructsMap:
		w.p("for i := range in.%s {", f.name)
		w.p("m := at(parent, %q)", f.wire)
		w.p("list := atKey(&m, in.%s[i].Key)", f.name)
		w.p("for j := range in.%s[i].Value {", f.name)
		w.p("p := atIndex(&list, j)")
		w.p("in.%s[i].Value[j].constrain(vs, &p)", f.name)
		w.p("}")
		w.p("}")
	}
}

// constrained reports whether anything in s is checked. Structures do not
// contain themselves, AttributeValue aside.
func (a *api) constrained(s *structure) bool {
	return slices.ContainsFunc(s.fields, func(f goField) bool {
		return a.check(s, f) != "" || f.elem != "" && a.constrained(a.structs[f.elem])
	})
}

// limitsOf returns the limits of a member or shape as Go expressions.
func (a *api) limitsOf(key, shape string) (low, high string, limited bool) {
	b, ok := limits[key]
	if !ok {
		b, ok = limits[shape]
	}
	if !ok {
		b = bounds{a.shapes[shape].Min, a.shapes[shape].Max}
	}
	low, high = "0", "unbounded"
	if b.min != nil {
		low = strconv.Itoa(*b.min)
	}
	if b.max != nil {
		high = strconv.Itoa(*b.max)
	}
	return low, high, b.min != nil || b.max != nil
}

// presence is the expression that tells whether a member was sent.
func presence(f goField, v string) string {
	switch f.kind {
	case kindStruct, kindNames, kindStrings, kindStructs, kindValueList, kindItems, kindStructMap, kindStructsMap:
		return v + " != nil"
	case kindValues:
		return v + ".Values != nil"
	}
	return v + ".Present"
}
