package expression

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/cockroachdb/datadriven"
	"github.com/go-json-experiment/json/jsontext"
	"github.com/stretchr/testify/require"

	"github.com/stator-db/stator/storage/item"
)

// TestScripts runs the scripts in testdata/scripts. names, values and item set the
// stage; the other commands take one expression per line and answer with one
// line for each.
func TestScripts(t *testing.T) {
	datadriven.Walk(t, "testdata/scripts", func(t *testing.T, path string) {
		s := &script{names: map[string]string{}, values: map[string]item.Value{}}
		datadriven.RunTest(t, path, s.run)
	})
}

type script struct {
	names     map[string]string
	values    map[string]item.Value
	old, base item.Item
	binder    *Binder
}

func (s *script) run(t *testing.T, d *datadriven.TestData) string {
	lines := strings.Split(d.Input, "\n")
	switch d.Cmd {
	case "names":
		s.names = map[string]string{}
		for _, line := range lines {
			alias, name, _ := strings.Cut(line, " ")
			s.names[alias] = name
		}
		s.binder = NewBinder(s.names, s.values)
		return ""
	case "values":
		s.values = map[string]item.Value{}
		for _, line := range lines {
			placeholder, text, _ := strings.Cut(line, " ")
			s.values[placeholder] = mustValue(t, text)
		}
		s.binder = NewBinder(s.names, s.values)
		return ""
	case "item":
		s.old, s.base = nil, nil
		if d.Input == "" {
			return ""
		}
		s.base = mustItem(t, d.Input)
		if !d.HasArg("key") {
			s.old = s.base
		}
		return ""
	case "placeholders":
		return report(s.binder.CheckPlaceholders())
	case "unused":
		return report(s.binder.Unused())
	}
	command := s.command(d.Cmd)
	if command == nil {
		d.Fatalf(t, "unknown command %s", d.Cmd)
	}
	var out strings.Builder
	for _, line := range lines {
		fmt.Fprintln(&out, command(line))
	}
	return out.String()
}

// command returns what a command does with an expression.
func (s *script) command(name string) func(text string) string {
	if s.binder == nil {
		s.binder = NewBinder(s.names, s.values)
	}
	b := s.binder
	update := func(show func(*Update) string) func(string) string {
		return func(text string) string {
			u, err := b.Update(text)
			if err != nil {
				return report(err)
			}
			return show(u)
		}
	}
	switch name {
	case "condition", "filter":
		kind := map[string]Kind{"condition": KindCondition, "filter": KindFilter}[name]
		return func(text string) string { _, err := b.Condition(kind, text); return report(err) }
	case "projection":
		return func(text string) string { _, err := b.Projection(text); return report(err) }
	case "update":
		return func(text string) string { _, err := b.Update(text); return report(err) }
	case "keycondition":
		return func(text string) string {
			kc, err := b.KeyCondition(text)
			if err != nil {
				return report(err)
			}
			return showKeyCondition(kc)
		}
	case "eval":
		return func(text string) string {
			c, err := b.Condition(KindCondition, text)
			if err != nil {
				return report(err)
			}
			return fmt.Sprint(c.Eval(s.old))
		}
	case "project":
		return func(text string) string {
			p, err := b.Projection(text)
			if err != nil {
				return report(err)
			}
			return showItem(p.Apply(s.old))
		}
	case "apply":
		return update(func(u *Update) string {
			it, err := u.Apply(s.base)
			if err != nil {
				return "error: " + err.Error()
			}
			return showItem(it)
		})
	case "returned":
		return update(func(u *Update) string {
			it, err := u.Apply(s.base)
			if err != nil {
				return "error: " + err.Error()
			}
			return showItem(ProjectPaths(s.old, u.Targets())) + " -> " + showItem(ProjectPaths(it, u.Targets()))
		})
	case "charge":
		return update(func(u *Update) string { return fmt.Sprint(u.Charge()) })
	}
	return nil
}

func report(err error) string {
	var e *Error
	switch {
	case err == nil:
		return "ok"
	case errors.As(err, &e) && e.Structure:
		return "(structure) " + err.Error()
	}
	return err.Error()
}

func showKeyCondition(kc *KeyCondition) string {
	ops := [...]string{KeyEq: "=", KeyLt: "<", KeyLe: "<=", KeyGt: ">", KeyGe: ">=", KeyBetween: "between", KeyBeginsWith: "begins with"}
	var terms []string
	for _, term := range kc.Conditions {
		text := term.Name + " " + ops[term.Op]
		for _, v := range term.Values {
			text += " " + string(v.AppendJSON(nil))
		}
		terms = append(terms, text)
	}
	return strings.Join(terms, ", ")
}

func showItem(it item.Item) string { return string(it.AppendJSON(nil)) }

func mustValue(t testing.TB, text string) item.Value {
	t.Helper()
	v, invalid, err := item.DecodeValue(jsontext.NewDecoder(strings.NewReader(text)))
	require.NoError(t, err, text)
	require.Nil(t, invalid, text)
	return v
}

func mustItem(t testing.TB, text string) item.Item {
	t.Helper()
	it, invalid, err := item.DecodeItem(jsontext.NewDecoder(bytes.NewReader([]byte(text))))
	require.NoError(t, err, text)
	require.Nil(t, invalid, text)
	return it
}
