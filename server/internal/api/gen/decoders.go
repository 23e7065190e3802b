package main

import (
	"iter"
	"maps"
	"slices"
	"strings"
)

// enums yields the enums of requests by shape, in print order.
func (a *api) enums() iter.Seq2[string, []string] {
	used := map[string]bool{}
	for _, s := range a.structs {
		for _, f := range s.fields {
			if s.input && f.kind == kindEnum {
				used[f.shape] = true
			}
		}
	}
	return func(yield func(string, []string) bool) {
		for _, name := range slices.Sorted(maps.Keys(used)) {
			set := a.shapes[name].Enum
			if order, ok := enumOrder[name]; ok {
				set = order
			}
			if !yield(name, set) {
				return
			}
		}
	}
}

// setName is the Go variable of an enum.
func setName(shape string) string {
	// Leading capitals belong together: SSEType is sseTypeSet.
	n := 0
	for n < len(shape) && shape[n] >= 'A' && shape[n] <= 'Z' {
		n++
	}
	if n > 1 {
		n--
	}
	return strings.ToLower(shape[:n]) + shape[n:] + "Set"
}

// emitDecoders writes one decoder per structure of a request.
func (a *api) emitDecoders(w *writer) {
	for _, s := range a.sorted() {
		if !s.input {
			continue
		}
		if s.top {
			w.p("// Decode reads a request of %s; see [Input].", s.op)
			w.p("func (in *%s) Decode(d *jsontext.Decoder) error {", s.name)
			w.p("if err := beginInput(d); err != nil { return err }")
		} else {
			w.p("func (in *%s) decode(d *jsontext.Decoder, place place) (bool, error) {", s.name)
			w.p("if ok, err := beginStruct(d, %q, place); !ok { return false, err }", s.class)
		}
		result := "err"
		if !s.top {
			result = "true, err"
		}
		w.p("for {")
		w.p("raw, err := name(d)")
		w.p("if raw == nil || err != nil { return %s }", result)
		w.p("switch string(raw) {")
		for _, f := range s.fields {
			w.p("case %q:", f.wire)
			w.p("in.%s, err = %s", f.name, a.decoder(f))
		}
		w.p("default:")
		w.p("err = d.SkipValue()")
		w.p("}")
		w.p("if err != nil { return %s }", result)
		w.p("}")
		w.p("}\n")
	}
}

// decoder is the call that reads a member.
func (a *api) decoder(f goField) string {
	const classes = "classPrefix + "
	switch f.kind {
	case kindString:
		return "decodeString(d)"
	case kindEnum:
		return "decodeEnum(d, " + setName(f.shape) + ")"
	case kindInteger:
		return `decodeNumber(d, "Integer")`
	case kindLong:
		return `decodeNumber(d, "Long")`
	case kindBool:
		return "decodeBool(d)"
	case kindStruct:
		return "decodeStruct[" + f.elem + "](d)"
	case kindValue:
		return "decodeAttributeValue(d, member)"
	case kindItem:
		return "decodeAttributeMap(d, member)"
	case kindValues:
		return "decodeValues(d)"
	case kindNames:
		return "decodeNames(d)"
	case kindStrings:
		return "decodeList(d, member, decodeText)"
	case kindStructs:
		return "decodeList(d, member, decodeElement[" + f.elem + "])"
	case kindValueList:
		return "decodeList(d, member, decodeParameter)"
	case kindItems:
		return "decodeList(d, member, decodeKey)"
	case kindStructMap:
		return "decodeMap(d, " + classes + `"` + f.elem + `", decodeElement[` + f.elem + "])"
	default:
		return `decodeMap(d, "java.util.List<"+` + classes + `"` + f.elem + `>", decodeElements[` + f.elem + "])"
	}
}
