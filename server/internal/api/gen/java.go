package main

import (
	"maps"
	"slices"
	"strings"
)

// emitJava writes the functions that print structures into messages: those in
// lists with a maximum, and what they contain.
func (a *api) emitJava(w *writer) {
	printed := map[string]bool{}
	for _, name := range echoed {
		a.printed(name, printed)
	}
	for _, s := range a.structs {
		for _, f := range s.fields {
			if s.input && f.kind == kindStructs && strings.Contains(a.check(s, f), a.dump(f)) {
				a.printed(f.elem, printed)
			}
		}
	}
	for _, name := range slices.Sorted(maps.Keys(printed)) {
		s := a.structs[name]
		w.p("func append%s(dst []byte, v %s) []byte {", name, name)
		lead := s.class + "("
		for _, f := range s.fields {
			w.p("dst = append(dst, %q...)", lead+camel(f.wire)+"=")
			w.p("dst = %s", a.dumpCall(f))
			lead = ", "
		}
		for _, internal := range internalFields[name] {
			w.p("dst = append(dst, %q...)", lead+internal+"=null")
			lead = ", "
		}
		w.p("return append(dst, ')')")
		w.p("}\n")
	}
}

// printed marks a structure and all structures in it.
func (a *api) printed(name string, set map[string]bool) {
	if set[name] {
		return
	}
	set[name] = true
	for _, f := range a.structs[name].fields {
		if f.elem != "" {
			a.printed(f.elem, set)
		}
	}
}

// dump is the function that prints an element of a list.
func (a *api) dump(f goField) string {
	switch f.kind {
	case kindStrings:
		return "appendText"
	case kindValueList:
		return "appendAttributeValue"
	case kindItems:
		return "appendAttributeMap"
	}
	return "append" + f.elem
}

// dumpCall prints the member f of v.
func (a *api) dumpCall(f goField) string {
	v := "v." + f.name
	switch f.kind {
	case kindString, kindEnum:
		return "appendString(dst, " + v + ")"
	case kindInteger, kindLong:
		return "appendNumber(dst, " + v + ")"
	case kindBool:
		return "appendBool(dst, " + v + ")"
	case kindStruct:
		return "appendPointer(dst, " + v + ", append" + f.elem + ")"
	case kindValue:
		return "appendAttributeValue(dst, " + v + ")"
	case kindItem:
		return "appendAttributeMap(dst, " + v + ")"
	case kindValues:
		return "appendValues(dst, " + v + ")"
	case kindNames:
		return "appendNames(dst, " + v + ")"
	case kindStructMap:
		return "appendMap(dst, " + v + ", append" + f.elem + ")"
	case kindStructsMap:
		panic("no message prints a map of lists of structures")
	}
	return "appendList(dst, " + v + ", " + a.dump(f) + ")"
}

// camel lowers the first letter.
func camel(name string) string { return strings.ToLower(name[:1]) + name[1:] }
