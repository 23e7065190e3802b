package expression

import (
	"encoding/hex"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/stator-db/stator/storage/item"
)

// TestEncodedConditions has the bytes of every kind of predicate and operand.
// They are in the logs of clusters and must not change.
func TestEncodedConditions(t *testing.T) {
	b := NewBinder(map[string]string{"#n": "名"}, map[string]item.Value{
		":s": mustValue(t, `{"S":"x"}`), ":n": mustValue(t, `{"N":"-1.5"}`), ":t": mustValue(t, `{"S":"SS"}`)})
	parsed := func(text string) *Condition {
		c, err := b.Condition(KindCondition, text)
		require.NoError(t, err)
		return c
	}
	built := func(test Test, err error) *Condition {
		require.NoError(t, err)
		return NewCondition(test)
	}
	path := Path{{Name: "a"}}
	sized, err := SizeOperand(PathOperand(path))
	require.NoError(t, err)
	for _, c := range []struct {
		name      string
		condition *Condition
		want      string
	}{
		{"exists", parsed("attribute_exists(a)"), "01" + "08" + "010261"},
		{"does not exist", parsed("attribute_not_exists(#n.b[3])"), "01" + "09" + "03" + "06e5908d" + "0262" + "07"},
		{"or", parsed("attribute_exists(a) OR attribute_exists(b)"), "01" + "01" + "02" + "08010261" + "08010262"},
		{"and", parsed("attribute_exists(a) AND attribute_exists(b)"), "01" + "02" + "02" + "08010261" + "08010262"},
		{"not", parsed("NOT attribute_exists(a)"), "01" + "03" + "08010261"},
		{"comparison", parsed("a >= :n"), "01" + "04" + "05" + "01010261" + "0206" + "02042d312e35"},
		{"size", parsed("size(a) <> size(:s)"), "01" + "04" + "01" + "81010261" + "8203010178"},
		{"difference", built(Compare("<>", PathOperand(path), ValueOperand(item.Bool(true)))), "01" + "05" + "01010261" + "02020401"},
		{"between", parsed("a BETWEEN b AND :s"), "01" + "06" + "01010261" + "01010262" + "0203010178"},
		{"in", parsed("a IN (b, :s)"), "01" + "07" + "01010261" + "02" + "01010262" + "0203010178"},
		{"type", parsed("attribute_type(a, :t)"), "01" + "0a" + "010261" + "08"},
		{"prefix", parsed("begins_with(a, :s)"), "01" + "0b" + "01010261" + "0203010178"},
		{"part", parsed("contains(a, :s)"), "01" + "0c" + "01010261" + "0203010178"},
		{"truth", built(Compare("=", TestOperand(Exists(path)), sized)), "01" + "04" + "00" + "03" + "08010261" + "81010261"},
		{"nothing", built(Compare("=", ValueOperand(nil), ValueOperand(item.Null()))), "01" + "04" + "00" + "00" + "020105"},
		{"never", NewLegacyCondition([]Comparison{{Attribute: "a", Op: "?"}}, false), "01" + "01" + "00"},
	} {
		t.Run(c.name, func(t *testing.T) {
			encoded := c.condition.AppendBinary([]byte("front"))
			require.Equal(t, "front", string(encoded[:5]))
			require.Equal(t, c.want, hex.EncodeToString(encoded[5:]))
			decoded, err := DecodeCondition(encoded[5:])
			require.NoError(t, err)
			require.Equal(t, c.want, hex.EncodeToString(decoded.AppendBinary(nil)))
			if c.name != "never" {
				require.Equal(t, c.condition.Paths(), decoded.Paths())
			}
		})
	}
}

// TestEncodedUpdates has the bytes of every kind of action and set value.
func TestEncodedUpdates(t *testing.T) {
	b := NewBinder(nil, map[string]item.Value{":n": mustValue(t, `{"N":"1"}`), ":s": mustValue(t, `{"SS":["x"]}`), ":l": mustValue(t, `{"L":[]}`)})
	const n, ss, list = "03" + "020131", "09" + "08" + "00000004" + "01010178", "06" + "0700000001" + "00"
	parsed := func(text string) *Update {
		u, err := b.Update(text)
		require.NoError(t, err)
		return u
	}
	for _, c := range []struct {
		name   string
		update *Update
		want   string
	}{
		{"literal", parsed("SET a = :n"), "01" + "00" + "01" + "00" + "010261" + "01" + n},
		{"path", parsed("SET a.b = c[1]"), "01" + "00" + "01" + "00" + "0202610262" + "02" + "02026303"},
		{"if not exists", parsed("SET a = if_not_exists(b, :n)"), "01" + "00" + "01" + "00" + "010261" + "03" + "010262" + "01" + n},
		{"list", parsed("SET a = list_append(b, :l)"), "01" + "00" + "01" + "00" + "010261" + "04" + "02010262" + "01" + list},
		{"sum", parsed("SET a = b + :n"), "01" + "00" + "01" + "00" + "010261" + "05" + "02010262" + "01" + n},
		{"difference", parsed("SET a = b - :n"), "01" + "00" + "01" + "00" + "010261" + "06" + "02010262" + "01" + n},
		{"others", parsed("REMOVE a ADD b :n DELETE c :s"),
			"01" + "00" + "03" + "01010261" + "02010262" + "01" + n + "03010263" + "01" + ss},
		{"attribute updates", NewLegacyUpdate([]LegacyAction{{Attribute: "a", Action: "ADD", Value: mustValue(t, `{"N":"1"}`)}, {Attribute: "b", Action: "DELETE"}}),
			"01" + "01" + "02" + "02010261" + "01" + n + "01010262"},
		{"none", NewLegacyUpdate(nil), "010100"},
	} {
		t.Run(c.name, func(t *testing.T) {
			encoded := c.update.AppendBinary([]byte("front"))
			require.Equal(t, c.want, hex.EncodeToString(encoded[5:]))
			decoded, err := DecodeUpdate(encoded[5:])
			require.NoError(t, err)
			require.Equal(t, c.want, hex.EncodeToString(decoded.AppendBinary(nil)))
		})
	}
}

// requireSameUpdate checks that two updates do the same to an item and say the
// same of themselves.
func requireSameUpdate(t require.TestingT, want, got *Update, it item.Item) {
	changed, err := want.Apply(it)
	again, errAgain := got.Apply(it)
	require.Equal(t, err, errAgain)
	require.Equal(t, changed, again)
	require.Equal(t, want.Charge(), got.Charge())
	require.Equal(t, want.Writes(), got.Writes())
	require.Equal(t, want.Targets(), got.Targets())
	require.Equal(t, append([]Path(nil), want.Paths()...), append([]Path(nil), got.Paths()...))
	for _, target := range want.Targets() {
		v, ok := want.LiteralSet(target[0].Name)
		same, okAgain := got.LiteralSet(target[0].Name)
		require.Equal(t, ok, okAgain)
		require.Equal(t, v, same)
	}
}

func TestEncodedConditionsEvaluateAlike(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		world := genWorld(t)
		it := world.item.item()
		for range 10 {
			text := genWorldOr(t, 2).String()
			c, err := world.binder().Condition(KindCondition, text)
			if err != nil {
				continue // literals of unsuitable types
			}
			decoded, err := DecodeCondition(c.AppendBinary(nil))
			require.NoError(t, err)
			require.Equal(t, c.root, decoded.root, text)
			require.Equal(t, append([]Path(nil), c.Paths()...), append([]Path(nil), decoded.Paths()...), text)
			require.Equal(t, c.Eval(it), decoded.Eval(it), text)
		}
	})
}

func TestEncodedUpdatesApplyAlike(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		world := genWorld(t)
		it := world.item.item()
		if it == nil {
			it = item.Empty
		}
		for range 10 {
			text := genWorldUpdate(t).String()
			u, err := world.binder().Update(text)
			if err != nil {
				continue // overlapping paths, or literals of unsuitable types
			}
			decoded, err := DecodeUpdate(u.AppendBinary(nil))
			require.NoError(t, err)
			requireSameUpdate(t, u, decoded, it)
		}
	})
}

// TestEncodedLegacy does the same with what the older parameters stand for.
func TestEncodedLegacy(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		world := genWorld(t)
		it := world.item.item()
		value := func() item.Value { return genNode(t, 1).value() }
		var terms []Comparison
		for range rapid.IntRange(1, 3).Draw(t, "terms") {
			term := Comparison{Attribute: rapid.SampledFrom(worldNames).Draw(t, "attribute"), Op: rapid.SampledFrom([]string{
				"EQ", "NE", "LT", "LE", "GT", "GE", "NULL", "NOT_NULL", "CONTAINS", "NOT_CONTAINS", "BEGINS_WITH", "BETWEEN", "IN"}).Draw(t, "op")}
			for range map[string]int{"NULL": 0, "NOT_NULL": 0, "BETWEEN": 2, "IN": 3}[term.Op] {
				term.Values = append(term.Values, value())
			}
			if !strings.Contains("NULL NOT_NULL BETWEEN IN", term.Op) {
				term.Values = []item.Value{value()}
			}
			terms = append(terms, term)
		}
		c := NewLegacyCondition(terms, rapid.Bool().Draw(t, "or"))
		decoded, err := DecodeCondition(c.AppendBinary(nil))
		require.NoError(t, err)
		require.Equal(t, c.root, decoded.root)
		require.Equal(t, c.Eval(it), decoded.Eval(it))

		var actions []LegacyAction
		for _, name := range rapid.Permutation(worldNames).Draw(t, "names") {
			a := LegacyAction{Attribute: name, Action: rapid.SampledFrom([]string{"PUT", "ADD", "DELETE"}).Draw(t, "action")}
			if a.Action != "DELETE" || rapid.Bool().Draw(t, "with value") {
				a.Value = value()
			}
			actions = append(actions, a)
		}
		actions = append(actions, actions[0]) // the first counts
		u := NewLegacyUpdate(actions)
		same, err := DecodeUpdate(u.AppendBinary(nil))
		require.NoError(t, err)
		if it == nil {
			it = item.Empty
		}
		requireSameUpdate(t, u, same, it)
	})
}

func TestMalformedEncodings(t *testing.T) {
	deep := "01" + strings.Repeat("03", maxEncodedDepth+1) + "08010261"
	for _, c := range []struct{ name, condition, fault string }{
		{"nothing", "", "ends too early"},
		{"format", "0208010261", "format 2"},
		{"predicate", "0163", "unknown predicate"},
		{"operand", "01040063", "unknown operand"},
		{"comparator", "01040600000", "unknown comparator"},
		{"value type", "01040002010b", "value of unknown type"},
		{"empty value", "0104000200", "value of unknown type"},
		{"value cut off", "01040002050101", "ends too early"},
		{"name cut off", "0108010461", "ends too early"},
		{"no steps", "010800", "document path of no possible length"},
		{"many steps", "010821" + strings.Repeat("00", 40), "document path of no possible length"},
		{"index first", "01080103", "list index out of place"},
		{"count", "0101ffffffff0f08", "ends too early"},
		{"rest", "010801026100", "bytes after its end"},
		{"depth", deep, "nested too deeply"},
	} {
		t.Run(c.name, func(t *testing.T) {
			b, err := hex.DecodeString(c.condition[:len(c.condition)&^1])
			require.NoError(t, err)
			_, err = DecodeCondition(b)
			require.ErrorIs(t, err, ErrEncoding)
			require.EqualError(t, err, "malformed encoded expression: "+c.fault)
		})
	}
	for _, c := range []struct{ name, update, fault string }{
		{"nothing", "", "ends too early"},
		{"format", "02", "format 2"},
		{"flag", "010200", "unknown flag"},
		{"action", "01000104010261", "unknown action"},
		{"set value", "0100010001026163", "unknown set value"},
		{"operand of ADD", "0100010201026102010262", "operand of ADD or DELETE is not a value"},
		{"nested legacy target", "0101010102026103", "nested target in attribute updates"},
		{"overlap", "010002" + "01010261" + "01010261", "targets overlap"},
		{"conflict", "010002" + "0102026103" + "0102026102" + "62", "targets overlap"},
		{"count", "0100ffffffff0f", "ends too early"},
		{"rest", "01000000", "bytes after its end"},
		{"depth", "010001" + "00010261" + strings.Repeat("03010261", maxEncodedDepth+1), "nested too deeply"},
	} {
		t.Run("update "+c.name, func(t *testing.T) {
			b, err := hex.DecodeString(c.update)
			require.NoError(t, err)
			_, err = DecodeUpdate(b)
			require.ErrorIs(t, err, ErrEncoding)
			require.EqualError(t, err, "malformed encoded expression: "+c.fault)
		})
	}
}

// TestDeepestEncoding nests as deeply as is allowed.
func TestDeepestEncoding(t *testing.T) {
	test := Exists(Path{{Name: "a"}})
	for range maxEncodedDepth - 1 {
		test = Not(test)
	}
	c, err := DecodeCondition(NewCondition(test).AppendBinary(nil))
	require.NoError(t, err)
	require.True(t, c.Eval(nil))
}

func FuzzDecodeCondition(f *testing.F) {
	b, it := fuzzBinder(f)
	for _, text := range []string{"a = :n", "NOT (a.b[3] IN (:v, :s) OR size(l) < :1)", "m.k BETWEEN :n AND b", "contains(ss, :v) AND begins_with(b, :s)",
		"attribute_type(a, :s) OR attribute_exists(m) OR attribute_not_exists(l[1])"} {
		c, err := b.Condition(KindFilter, text)
		require.NoError(f, err)
		f.Add(c.AppendBinary(nil))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		c, err := DecodeCondition(b)
		if err != nil {
			require.ErrorIs(t, err, ErrEncoding)
			return
		}
		encoded := c.AppendBinary(nil)
		again, err := DecodeCondition(encoded)
		require.NoError(t, err)
		require.Equal(t, encoded, again.AppendBinary(nil))
		require.Equal(t, c.Eval(it), again.Eval(it))
		c.Eval(nil)
	})
}

func FuzzDecodeUpdate(f *testing.F) {
	b, it := fuzzBinder(f)
	for _, text := range []string{"SET a = :n", "SET a = a + :n, l[2].x = if_not_exists(m.k, :null) REMOVE m.l[0] ADD #s :ss DELETE bs :bs",
		"SET l = list_append(l, :list), b = m.k - :1"} {
		u, err := b.Update(text)
		require.NoError(f, err)
		f.Add(u.AppendBinary(nil))
	}
	f.Add(NewLegacyUpdate([]LegacyAction{{Attribute: "l", Action: "ADD", Value: mustValue(f, `{"L":[{"S":"a"}]}`)}, {Attribute: "a", Action: "DELETE"}}).AppendBinary(nil))
	f.Fuzz(func(t *testing.T, b []byte) {
		u, err := DecodeUpdate(b)
		if err != nil {
			require.ErrorIs(t, err, ErrEncoding)
			return
		}
		encoded := u.AppendBinary(nil)
		again, err := DecodeUpdate(encoded)
		require.NoError(t, err)
		require.Equal(t, encoded, again.AppendBinary(nil))
		requireSameUpdate(t, u, again, it)
	})
}
