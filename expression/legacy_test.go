package expression

import (
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/stator-db/stator/storage/item"
)

func TestLegacyCondition(t *testing.T) {
	it := mustItem(t, `{"s":{"S":"abc"},"n":{"N":"5"},"z":{"NULL":true},"ss":{"SS":["a","b"]},"x.y":{"N":"1"}}`)
	n := func(i int64) item.Value { return item.NumberValue(item.NumberFromInt(i)) }
	s := item.String
	values := func(v ...item.Value) []item.Value { return v }
	tests := []struct {
		attribute, op string
		values        []item.Value
		want, missing bool // for the attribute, and for one that does not exist
	}{
		{"s", "EQ", values(s("abc")), true, false},
		{"s", "EQ", values(s("x")), false, false},
		{"s", "NE", values(s("abc")), false, true},
		{"s", "NE", values(n(1)), true, true},
		{"n", "LT", values(n(6)), true, false},
		{"n", "LE", values(n(5)), true, false},
		{"n", "GT", values(n(5)), false, false},
		{"n", "GE", values(n(5)), true, false},
		{"z", "NOT_NULL", nil, true, false},
		{"z", "NULL", nil, false, true},
		{"s", "CONTAINS", values(s("bc")), true, false},
		{"ss", "CONTAINS", values(s("b")), true, false},
		{"ss", "NOT_CONTAINS", values(s("b")), false, false},
		{"ss", "NOT_CONTAINS", values(s("c")), true, false},
		{"s", "BEGINS_WITH", values(s("ab")), true, false},
		{"n", "IN", values(n(4), n(5)), true, false},
		{"n", "IN", values(n(4)), false, false},
		{"n", "IN", values(n(4), n(6), n(5)), true, false},
		{"n", "BETWEEN", values(n(4), n(5)), true, false},
		{"n", "BETWEEN", values(n(1), n(2)), false, false},
		{"x.y", "EQ", values(n(1)), true, false},
		{"n", "UNKNOWN", values(n(5)), false, false},
	}
	for _, tt := range tests {
		c := NewLegacyCondition([]Comparison{{Attribute: tt.attribute, Op: tt.op, Values: tt.values}}, false)
		require.Equal(t, tt.want, c.Eval(it), "%v", tt)
		require.Equal(t, tt.missing, c.Eval(nil), "%v without an item", tt)
		require.Equal(t, []Path{{{Name: tt.attribute}}}, c.Paths())
	}
}

func TestLegacyConditionalOperator(t *testing.T) {
	it := mustItem(t, `{"a":{"S":"x"},"b":{"S":"y"}}`)
	is := func(a, b string) []Comparison {
		return []Comparison{{"a", "EQ", []item.Value{item.String(a)}}, {"b", "EQ", []item.Value{item.String(b)}}}
	}
	require.True(t, NewLegacyCondition(is("x", "y"), false).Eval(it))
	require.False(t, NewLegacyCondition(is("x", "z"), false).Eval(it))
	require.True(t, NewLegacyCondition(is("x", "z"), true).Eval(it))
	require.False(t, NewLegacyCondition(is("z", "z"), true).Eval(it))
	require.True(t, NewLegacyCondition(nil, false).Eval(it))
}

func TestLegacyUpdate(t *testing.T) {
	const before = `{"pk":{"S":"p"},"n":{"N":"5"},"ss":{"SS":["a","b"]},"l":{"L":[{"N":"1"}]}}`
	tests := []struct {
		name      string
		attribute string
		action    string
		value     string
		want      string
		err       error
	}{
		{"put", "n", "PUT", `{"S":"x"}`, `{"l":{"L":[{"N":"1"}]},"n":{"S":"x"},"pk":{"S":"p"},"ss":{"SS":["a","b"]}}`, nil},
		{"put new", "a.b", "PUT", `{"S":"x"}`, `{"a.b":{"S":"x"},"l":{"L":[{"N":"1"}]},"n":{"N":"5"},"pk":{"S":"p"},"ss":{"SS":["a","b"]}}`, nil},
		{"add number", "n", "ADD", `{"N":"2"}`, `{"l":{"L":[{"N":"1"}]},"n":{"N":"7"},"pk":{"S":"p"},"ss":{"SS":["a","b"]}}`, nil},
		{"add new number", "q", "ADD", `{"N":"2"}`, `{"l":{"L":[{"N":"1"}]},"n":{"N":"5"},"pk":{"S":"p"},"q":{"N":"2"},"ss":{"SS":["a","b"]}}`, nil},
		{"add set", "ss", "ADD", `{"SS":["c","b"]}`, `{"l":{"L":[{"N":"1"}]},"n":{"N":"5"},"pk":{"S":"p"},"ss":{"SS":["a","b","c"]}}`, nil},
		{"add list", "l", "ADD", `{"L":[{"N":"2"}]}`, `{"l":{"L":[{"N":"1"},{"N":"2"}]},"n":{"N":"5"},"pk":{"S":"p"},"ss":{"SS":["a","b"]}}`, nil},
		{"delete", "n", "DELETE", ``, `{"l":{"L":[{"N":"1"}]},"pk":{"S":"p"},"ss":{"SS":["a","b"]}}`, nil},
		{"delete missing", "q", "DELETE", ``, before, nil},
		{"delete members", "ss", "DELETE", `{"SS":["b"]}`, `{"l":{"L":[{"N":"1"}]},"n":{"N":"5"},"pk":{"S":"p"},"ss":{"SS":["a"]}}`, nil},
		{"delete all members", "ss", "DELETE", `{"SS":["b","a"]}`, `{"l":{"L":[{"N":"1"}]},"n":{"N":"5"},"pk":{"S":"p"}}`, nil},
		{"add clash", "n", "ADD", `{"SS":["b"]}`, "", ErrTypeMismatch},
		{"delete clash", "l", "DELETE", `{"SS":["b"]}`, "", ErrTypeMismatch},
		{"too many digits", "n", "ADD", `{"N":"9.9999999999999999999999999999999999999E+125"}`, "", item.ErrNumberOverflow},
	}
	old := mustItem(t, before)
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			a := LegacyAction{Attribute: tt.attribute, Action: tt.action}
			if tt.value != "" {
				a.Value = mustValue(t, tt.value)
			}
			u := NewLegacyUpdate([]LegacyAction{a})
			require.Equal(t, []Path{{{Name: tt.attribute}}}, u.Targets())
			it, err := u.Apply(old)
			require.ErrorIs(t, err, tt.err)
			if err == nil {
				require.JSONEq(t, tt.want, showItem(it))
			}
		})
	}
}

func TestAttributeList(t *testing.T) {
	p := NewAttributeList([]string{"b", "q", "a.c"})
	require.Equal(t, []string{"a.c", "b", "q"}, p.TopLevel())
	it := p.Apply(mustItem(t, `{"a":{"N":"1"},"a.c":{"N":"2"},"b":{"M":{"x":{"N":"3"}}}}`))
	require.Equal(t, `{"a.c":{"N":"2"},"b":{"M":{"x":{"N":"3"}}}}`, showItem(it))
	require.Nil(t, p.Apply(nil))
}

// TestManyLegacyActions: a request has room for a hundred thousand, and the
// time for them must not grow with their square.
func TestManyLegacyActions(t *testing.T) {
	var actions []LegacyAction
	for i := range 100_000 {
		actions = append(actions, LegacyAction{Attribute: strconv.Itoa(i), Action: "DELETE"})
	}
	actions = append(actions, LegacyAction{Attribute: "7", Action: "PUT", Value: item.String("x")})
	start := time.Now()
	u := NewLegacyUpdate(actions)
	require.Less(t, time.Since(start), 15*time.Second, "a square would be twice that, at least")
	require.Len(t, u.tree.children, 100_000)
	changed, err := u.Apply(mustItem(t, `{"a":{"S":"x"},"7":{"S":"y"}}`))
	require.NoError(t, err)
	require.Equal(t, mustItem(t, `{"a":{"S":"x"}}`), changed)

	again, err := DecodeUpdate(u.AppendBinary(nil))
	require.NoError(t, err)
	require.Len(t, again.tree.children, 100_000)
}
