package model

import (
	"fmt"
	"regexp"
	"strings"
)

// Writer writes out the expressions of one request and collects the names and
// values they use.
type Writer struct {
	// Alias writes every attribute name as a placeholder; otherwise only those that
	// cannot be written bare are.
	Alias  bool
	names  map[string]string // placeholder of each name
	Names  map[string]any    // ExpressionAttributeNames
	Values map[string]any    // ExpressionAttributeValues
}

var bareName = regexp.MustCompile(`^[a-z]{1,2}$`)

func (w *Writer) name(name string) string {
	if !w.Alias && bareName.MatchString(name) {
		return name
	}
	if w.names == nil {
		w.names, w.Names = map[string]string{}, map[string]any{}
	}
	if w.names[name] == "" {
		w.names[name] = fmt.Sprintf("#n%d", len(w.names))
		w.Names[w.names[name]] = name
	}
	return w.names[name]
}

func (w *Writer) value(v *Value) string {
	if w.Values == nil {
		w.Values = map[string]any{}
	}
	placeholder := fmt.Sprintf(":v%d", len(w.Values))
	w.Values[placeholder] = v.Request()
	return placeholder
}

func (w *Writer) path(p Path) string {
	var b strings.Builder
	for i, s := range p {
		switch {
		case s.IsIndex:
			fmt.Fprintf(&b, "[%d]", s.Index)
		case i > 0:
			b.WriteString("." + w.name(s.Name))
		default:
			b.WriteString(w.name(s.Name))
		}
	}
	return b.String()
}

// Paths writes a projection expression.
func (w *Writer) Paths(paths []Path) string {
	var texts []string
	for _, p := range paths {
		texts = append(texts, w.path(p))
	}
	return strings.Join(texts, ", ")
}

func (w *Writer) operand(o Operand) string {
	switch {
	case o.Literal != nil:
		return w.value(o.Literal)
	case o.Size:
		return "size(" + w.path(o.Path) + ")"
	}
	return w.path(o.Path)
}

// Condition writes a condition or filter expression.
func (w *Writer) Condition(c *Condition) string {
	var operands []string
	for _, o := range c.Operands {
		operands = append(operands, w.operand(o))
	}
	switch c.Op {
	case "AND", "OR", "NOT":
		var parts []string
		for _, part := range c.Parts {
			text := w.Condition(part)
			if part.Op == "AND" || part.Op == "OR" || part.Op == "NOT" {
				text = "(" + text + ")"
			}
			parts = append(parts, text)
		}
		if c.Op == "NOT" {
			return "NOT " + parts[0]
		}
		return strings.Join(parts, " "+c.Op+" ")
	case "=", "<>", "<", "<=", ">", ">=":
		return operands[0] + " " + c.Op + " " + operands[1]
	case "BETWEEN":
		return operands[0] + " BETWEEN " + operands[1] + " AND " + operands[2]
	case "IN":
		return operands[0] + " IN (" + strings.Join(operands[1:], ", ") + ")"
	}
	return c.Op + "(" + strings.Join(operands, ", ") + ")"
}

// Update writes an update expression.
func (w *Writer) Update(u Update) string {
	var clauses []string
	for _, verb := range []string{"SET", "REMOVE", "ADD", "DELETE"} {
		var actions []string
		for _, a := range u {
			if a.Verb != verb {
				continue
			}
			text := w.path(a.Target)
			switch verb {
			case "SET":
				text += " = " + w.set(a.Set)
			case "ADD", "DELETE":
				text += " " + w.value(a.By)
			}
			actions = append(actions, text)
		}
		if actions != nil {
			clauses = append(clauses, verb+" "+strings.Join(actions, ", "))
		}
	}
	return strings.Join(clauses, " ")
}

func (w *Writer) set(s *SetValue) string {
	switch s.Op {
	case "":
		return w.operand(s.Operand)
	case "if_not_exists":
		return "if_not_exists(" + w.operand(s.Operand) + ", " + w.set(s.Args[0]) + ")"
	case "list_append":
		return "list_append(" + w.set(s.Args[0]) + ", " + w.set(s.Args[1]) + ")"
	}
	return w.set(s.Args[0]) + " " + s.Op + " " + w.set(s.Args[1])
}

var mirrored = map[string]string{"=": "=", "<": ">", "<=": ">=", ">": "<", ">=": "<="}

// KeyCondition writes a key condition expression; with mirror, range conditions
// come first and comparisons have their value on the left.
func (w *Writer) KeyCondition(key Schema, c *KeyCondition, mirror bool) string {
	var terms []string
	compare := func(k KeyAttribute, op string, v *Value) {
		if mirror {
			terms = append(terms, w.value(v)+" "+mirrored[op]+" "+w.name(k.Name))
		} else {
			terms = append(terms, w.name(k.Name)+" "+op+" "+w.value(v))
		}
	}
	for i, k := range key.Hash {
		compare(k, "=", c.Hash[i])
	}
	for i, v := range c.Equal {
		compare(key.Range[i], "=", v)
	}
	if c.Op != "" {
		k := key.Range[len(c.Equal)]
		switch c.Op {
		case "BETWEEN":
			terms = append(terms, w.name(k.Name)+" BETWEEN "+w.value(c.Operands[0])+" AND "+w.value(c.Operands[1]))
		case "begins_with":
			terms = append(terms, "begins_with("+w.name(k.Name)+", "+w.value(c.Operands[0])+")")
		default:
			compare(k, c.Op, c.Operands[0])
		}
	}
	if mirror {
		for i, j := 0, len(terms)-1; i < j; i, j = i+1, j-1 {
			terms[i], terms[j] = terms[j], terms[i]
		}
	}
	return strings.Join(terms, " AND ")
}
