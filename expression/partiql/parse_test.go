package partiql

import (
	"reflect"
	"strings"
	"testing"

	"github.com/alecthomas/participle/v2/lexer"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/stator-db/stator/storage/item"
)

// parseTree parses text without looking at what the service does not have.
func parseTree(text string) (*statementSyntax, error) {
	tokens, _, fault := tokenize(text)
	if fault != nil {
		return nil, fault
	}
	lx, err := lexer.Upgrade(&tokenList{rest: tokens})
	if err != nil {
		return nil, err
	}
	return parser.ParseFromLexer(lx)
}

// normalize makes trees comparable: positions go, a single operand is spelled out,
// and parameters lose their numbers.
func normalize(v reflect.Value) {
	switch v.Kind() {
	case reflect.Pointer:
		if or, ok := v.Interface().(*orSyntax); ok && or != nil {
			or.Terms, or.Alone = or.terms(), ""
		}
		if !v.IsNil() {
			normalize(v.Elem())
		}
	case reflect.Struct:
		if v.Type() == reflect.TypeFor[lexer.Position]() {
			v.SetZero()
			return
		}
		for i := range v.NumField() {
			normalize(v.Field(i))
		}
	case reflect.Slice:
		for i := range v.Len() {
			normalize(v.Index(i))
		}
	case reflect.String:
		if strings.HasPrefix(v.String(), "?") {
			v.SetString("?")
		}
	}
}

// TestPrintParse: a tree is what its text parses to.
func TestPrintParse(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		want := treeGenerator{t}.statement(2)
		text := printStatement(want)
		got, err := parseTree(text)
		require.NoError(t, err, text)
		normalize(reflect.ValueOf(want))
		normalize(reflect.ValueOf(got))
		require.Equal(t, want, got, text)
	})
}

// TestDense: the statements that cost the parser most stay below a bound. What
// takes the time is nodes, and thus allocations, of which it makes about ten a
// microsecond: this is 30 ms on one free core (BenchmarkParseDense). Unlike time,
// it can be counted on a busy machine.
func TestDense(t *testing.T) {
	for name, text := range dense {
		require.LessOrEqual(t, len(text), maxText, name)
		require.Less(t, testing.AllocsPerRun(1, func() { _, _ = parse(text) }), 300_000.0, name)
	}
}

// TestNesting: what is nested too deeply never reaches the parser.
func TestNesting(t *testing.T) {
	for _, open := range []string{"(", "[", "{'a':", "<<", "NOT ", "- ", "NOT(", "-(", "f(", "a["} {
		text := "SELECT * FROM t WHERE a = " + strings.Repeat(open, maxText/len(open)-10)
		_, err := Parse(text)
		require.EqualError(t, err, nestingFault, open)
	}
	_, err := Parse("SELECT a" + strings.Repeat("[0]", maxBrackets+1) + " FROM t")
	require.EqualError(t, err, nestingFault)

	// A value may have 31 levels around it; errors say where the 32nd is.
	s, err := Parse("UPDATE t SET d = " + strings.Repeat("[", 31) + "1" + strings.Repeat("]", 31))
	require.NoError(t, err)
	_, err = s.Bind(nil)
	require.NoError(t, err)
	s, err = Parse("UPDATE t SET d = {'a':" + strings.Repeat("[", 31) + "1" + strings.Repeat("]", 31) + "}")
	require.NoError(t, err)
	_, err = s.Bind(nil)
	require.EqualError(t, err, nestingFault+" under root.a"+strings.Repeat("[0]", 31))
}

// TestCache: the same text is the same statement, and a statement serves any
// parameters.
func TestCache(t *testing.T) {
	const text = "SELECT * FROM t WHERE a = ? OR b IN (?, 1)"
	first, err := Parse(text)
	require.NoError(t, err)
	second, err := Parse(text)
	require.NoError(t, err)
	require.Same(t, first, second)
	require.Equal(t, 2, first.parameters)
	for _, v := range []item.Value{item.String("x"), item.NumberValue(item.NumberFromInt(5))} {
		c, err := first.Bind([]item.Value{v, v})
		require.NoError(t, err)
		for _, name := range []string{"a", "b"} {
			b := item.NewBuilder()
			b.Set(name, v)
			require.True(t, c.Where.Condition().Eval(b.Item()))
		}
		require.False(t, c.Where.Condition().Eval(item.Empty))
	}
}

// TestNames: what has to be in double quotes, and what need not.
func TestNames(t *testing.T) {
	for _, name := range []string{"data", "name", "year", "status", "_a", "$a", "a1", "old", "new", "modified", `"inner"`, `"a b"`, `"it""s"`} {
		s, err := Parse("UPDATE t SET " + name + " = 1")
		require.NoError(t, err, name)
		c, err := s.Bind(nil)
		require.NoError(t, err, name)
		want := strings.ReplaceAll(strings.Trim(name, `"`), `""`, `"`)
		require.Equal(t, want, c.Update.Targets()[0][0].Name)
	}
	for _, name := range []string{"inner", "Value", "DATE", "size", "'a'", "1a", "a-b", "[0]"} {
		_, err := Parse("UPDATE t SET " + name + " = 1")
		require.Error(t, err, name)
	}
}
