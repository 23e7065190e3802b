package main

import "fmt"

// emitOperations writes the operation table.
func (a *api) emitOperations(w *writer) {
	w.p("// operations are all operations of the models by target.")
	w.p("var operations = map[string]Operation{")
	for _, t := range a.targets {
		w.p("%q: {%s, %q},", t.prefix+"."+t.name, t.service, t.name)
	}
	w.p("}")
}

// emitInputs writes the structures of requests, with those that responses
// share with them.
func (a *api) emitInputs(w *writer) {
	for _, s := range a.sorted() {
		if s.input {
			a.emitStruct(w, s)
		}
	}
	w.p("// enum sets, in the order in which messages print them")
	w.p("var (")
	for name, set := range a.enums() {
		w.p("%s = %#v", setName(name), set)
	}
	w.p(")")
}

// emitOutputs writes the structures of responses only.
func (a *api) emitOutputs(w *writer) {
	for _, s := range a.sorted() {
		if !s.input {
			a.emitStruct(w, s)
		}
	}
}

func (a *api) emitStruct(w *writer, s *structure) {
	switch {
	case s.top && s.input:
		w.p("// %s is the request of the operation %s.", s.name, s.op)
	case s.top:
		w.p("// %s is the response of the operation %s.", s.name, s.op)
	default:
		w.p("// %s is the API structure of that name.", s.name)
	}
	w.p("type %s struct {", s.name)
	for _, f := range s.fields {
		tag := ""
		if s.output {
			tag = fmt.Sprintf("`json:\"%s,omitzero\"`", f.wire)
		}
		w.p("%s %s %s", f.name, goType(s, f), tag)
	}
	w.p("}\n")
}

// goType is the type of a member. A string of a response needs no presence: an
// empty one is never sent.
func goType(s *structure, f goField) string {
	switch f.kind {
	case kindString, kindEnum:
		if !s.input {
			return "string"
		}
		return "Optional[string]"
	case kindInteger, kindLong:
		return "Optional[int64]"
	case kindBool:
		return "Optional[bool]"
	case kindTime:
		return "Timestamp"
	case kindStruct:
		return "*" + f.elem
	case kindValue:
		return "AttributeValue"
	case kindItem:
		return "AttributeMap"
	case kindValues:
		return "ExpressionAttributeValues"
	case kindNames:
		return "map[string]string"
	case kindStrings:
		return "[]string"
	case kindStructs:
		return "[]" + f.elem
	case kindValueList:
		return "[]AttributeValue"
	case kindItems:
		return "[]AttributeMap"
	case kindStructMap:
		return "Map[" + f.elem + "]"
	default:
		return "Map[[]" + f.elem + "]"
	}
}
