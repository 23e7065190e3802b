package partiql

import (
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/stator-db/stator/storage/item"
)

// FuzzParse: no text panics, errors are of this package, a tree is what its text
// parses to, and what parses can be bound and evaluated.
func FuzzParse(f *testing.F) {
	scripts, err := filepath.Glob("../../server/testdata/partiql/*")
	require.NoError(f, err)
	for _, script := range scripts {
		text, err := os.ReadFile(script)
		require.NoError(f, err)
		for line := range strings.Lines(string(text)) {
			f.Add(strings.TrimSpace(line))
		}
	}
	values := []item.Value{
		item.String("a"), item.NumberValue(item.NumberFromInt(1)), item.Bool(true), item.Null(), item.Binary([]byte("b")),
		item.List(item.String("a")), item.Map(map[string]item.Value{"a": item.Null()}), item.Set(item.SS, item.String("a")),
	}
	sample := item.NewBuilder()
	for i, name := range []string{"a", "b", "l", "m", "n", "pk", "s", "sk"} {
		sample.Set(name, values[i])
	}
	it := sample.Item()

	f.Fuzz(func(t *testing.T, text string) {
		if len(text) > maxText {
			return
		}
		s, fault := parse(text)
		if fault != nil {
			require.NotEmpty(t, fault.Text)
			return
		}
		printed := printStatement(s.syntax)
		if len(printed) <= 4*maxText {
			again, err := parseTree(printed)
			require.NoError(t, err, printed)
			tree, err := parseTree(text)
			require.NoError(t, err)
			normalize(reflect.ValueOf(tree))
			normalize(reflect.ValueOf(again))
			require.Equal(t, tree, again, printed)
		}
		for _, v := range values {
			parameters := make([]item.Value, s.parameters)
			for i := range parameters {
				parameters[i] = v
			}
			c, err := s.Bind(parameters)
			if err != nil {
				require.True(t, errors.As(err, new(*Error)))
				continue
			}
			use(c, it)
		}
	})
}

// use does with a command what can be done without a table.
func use(c *Command, it item.Item) {
	if w := c.Where; w != nil {
		w.Condition().Eval(it)
		w.Condition().Eval(nil)
		w.ItemKey([]string{"pk", "sk"}, true)
		w.Filtered("pk", []string{"pk"})
		if w.Keyed("pk") {
			w.Branches("pk", "sk", 50)
		}
	}
	if c.Update != nil {
		_, _ = c.Update.Apply(it)
	}
}
