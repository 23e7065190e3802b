package expression

import (
	"bufio"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"github.com/stator-db/stator/storage/item"
)

// seed adds the lines that the scripts give to one of commands.
func seed(f *testing.F, commands ...string) {
	f.Helper()
	scripts, err := filepath.Glob("testdata/scripts/*")
	require.NoError(f, err)
	require.NotEmpty(f, scripts)
	for _, name := range scripts {
		file, err := os.Open(name)
		require.NoError(f, err)
		active := false
		for lines := bufio.NewScanner(file); lines.Scan(); {
			switch line := lines.Text(); {
			case line == "" || line == "----":
				active = false
			case active:
				f.Add(line)
			default:
				for _, c := range commands {
					active = active || line == c
				}
			}
		}
		require.NoError(f, file.Close())
	}
	f.Add("")
	f.Add(strings.Repeat("(", 4096))
	f.Add(strings.Repeat("NOT ", 1024) + "a")
	f.Add("a = \xff")
}

// fuzzBinder knows the placeholders that the scripts use.
func fuzzBinder(t testing.TB) (*Binder, item.Item) {
	values := map[string]item.Value{}
	for placeholder, text := range map[string]string{":v": `{"S":"a"}`, ":s": `{"S":"S"}`, ":n": `{"N":"1"}`, ":b": `{"B":"AQ=="}`,
		":bool": `{"BOOL":true}`, ":null": `{"NULL":true}`, ":map": `{"M":{"k":{"N":"1"}}}`, ":list": `{"L":[{"S":"a"}]}`,
		":ss": `{"SS":["a"]}`, ":ns": `{"NS":["1"]}`, ":bs": `{"BS":["AQ=="]}`, ":1": `{"N":"1e125"}`} {
		values[placeholder] = mustValue(t, text)
	}
	it := mustItem(t, `{"pk":{"S":"p"},"a":{"N":"5"},"b":{"S":"str"},"ss":{"SS":["a","b"]},"bs":{"BS":["AQ=="]},
		"l":{"L":[{"N":"0"},{"S":"a"},{"M":{"x":{"N":"1"}}}]},"m":{"M":{"k":{"N":"1"},"l":{"L":[{"M":{"x":{"N":"1"}}}]}}}}`)
	return NewBinder(map[string]string{"#a": "a", "#b": "b", "#n": "l", "#s": "ss"}, values), it
}

// requireSentence checks that an error of Binder is fit to be sent.
func requireSentence(t *testing.T, kind Kind, err error) {
	t.Helper()
	var e *Error
	require.True(t, errors.As(err, &e), "%v", err)
	require.True(t, utf8.ValidString(e.Text), "%q", e.Text)
	if !e.Structure {
		require.True(t, strings.HasPrefix(e.Text, "Invalid "+kind.String()+": "), "%q", e.Text)
	}
}

func FuzzCondition(f *testing.F) {
	seed(f, "condition", "filter", "eval")
	f.Fuzz(func(t *testing.T, text string) {
		b, it := fuzzBinder(t)
		c, err := b.Condition(KindFilter, text)
		if err != nil {
			requireSentence(t, KindFilter, err)
			_, again := b.Condition(KindFilter, text)
			require.Equal(t, err, again)
			return
		}
		require.LessOrEqual(t, len(text), maxTextLength)
		got := c.Eval(it)
		c.Eval(nil)

		tree, fault := conditions.parse(KindFilter, text)
		require.Nil(t, fault)
		reparsed, err := b.Condition(KindFilter, tree.String())
		require.NoError(t, err)
		require.Equal(t, got, reparsed.Eval(it))
		negated, err := b.Condition(KindFilter, "NOT ("+text+")")
		if err == nil { // else it has parentheses already, or is at a limit
			require.Equal(t, !got, negated.Eval(it))
		}
	})
}

func FuzzKeyCondition(f *testing.F) {
	seed(f, "keycondition", "condition")
	f.Fuzz(func(t *testing.T, text string) {
		b, _ := fuzzBinder(t)
		kc, err := b.KeyCondition(text)
		if err != nil {
			requireSentence(t, KindKeyCondition, err)
			return
		}
		require.NotEmpty(t, kc.Conditions)
		for _, term := range kc.Conditions {
			require.NotEmpty(t, term.Name)
			require.Len(t, term.Values, map[bool]int{true: 2, false: 1}[term.Op == KeyBetween])
		}
	})
}

func FuzzProjection(f *testing.F) {
	seed(f, "projection", "project")
	f.Fuzz(func(t *testing.T, text string) {
		b, it := fuzzBinder(t)
		p, err := b.Projection(text)
		if err != nil {
			requireSentence(t, KindProjection, err)
			return
		}
		part := p.Apply(it)
		require.NoError(t, item.Valid(part))
		require.Equal(t, part, p.Apply(ProjectPaths(it, topLevel(p))), "a projection must not need anything but its attributes")
		require.LessOrEqual(t, part.Size(), it.Size())
	})
}

// topLevel returns the top-level attributes of a projection as paths.
func topLevel(p *Projection) []Path {
	var paths []Path
	for _, name := range p.TopLevel() {
		paths = append(paths, Path{{Name: name}})
	}
	return paths
}

func FuzzUpdate(f *testing.F) {
	seed(f, "update", "apply", "returned", "charge")
	f.Fuzz(func(t *testing.T, text string) {
		b, it := fuzzBinder(t)
		u, err := b.Update(text)
		if err != nil {
			requireSentence(t, KindUpdate, err)
			return
		}
		require.Len(t, u.Targets(), len(u.actions))
		require.Positive(t, u.Charge())
		before := it.Clone()
		if changed, err := u.Apply(it); err == nil {
			require.NoError(t, item.Valid(changed))
			require.NoError(t, item.Valid(ProjectPaths(changed, u.Targets())))
		}
		require.Equal(t, before, it)
	})
}
