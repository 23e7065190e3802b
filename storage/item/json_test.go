package item

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func decoderOf(text string) *jsontext.Decoder {
	return jsontext.NewDecoder(strings.NewReader(text), jsontext.AllowDuplicateNames(true))
}

func decodeValue(text string) (Value, *ValueError, error) { return DecodeValue(decoderOf(text)) }

func decodeItem(text string) (Item, *ValueError, error) { return DecodeItem(decoderOf(text)) }

func TestDecodeValue(t *testing.T) {
	for in, want := range map[string]Value{
		`{"S":""}`:                              String(""),
		`{"S":"a\"\u00e9\ud83d\ude00\n/\/"}`:    String("a\"é😀\n//"),
		`{"\u0053":"x"}`:                        String("x"),
		`{"N":"-0015.789e6"}`:                   num("-15789000"),
		`{"N":"\u0031"}`:                        num("1"),
		`{"B":""}`:                              Binary(nil),
		`{"B":"\/w=="}`:                         Binary([]byte{0xff}),
		`{"B":"AAEC"}`:                          Binary([]byte{0, 1, 2}),
		`{"B":"AAE="}`:                          Binary([]byte{0, 1}),
		` { "BOOL" : true } `:                   Bool(true),
		`{"BOOL":"No"}`:                         Bool(false),
		`{"BOOL":"1"}`:                          Bool(true),
		`{"NULL":true}`:                         Null(),
		`{"NULL":"true"}`:                       Null(),
		`{"M":{}}`:                              Map(nil),
		`{"L":[]}`:                              List(),
		`{"L":[{"S":"a"},{"L":[]}]}`:            List(String("a"), List()),
		`{"M":{"b":{"S":"1"},"a":{"S":"2"}}}`:   Map(map[string]Value{"a": String("2"), "b": String("1")}),
		`{"M":{"a":{"S":"1"},"a":{"N":"2"}}}`:   Map(map[string]Value{"a": num("2")}),
		`{"M":{"a":{"S":"1"},"a":null}}`:        Map(nil),
		`{"M":{"":{"S":"1"}}}`:                  Map(map[string]Value{"": String("1")}),
		`{"SS":["b","a",""]}`:                   Set(SS, String(""), String("a"), String("b")),
		`{"NS":["10","9.0","-1"]}`:              Set(NS, num("-1"), num("9"), num("10")),
		`{"BS":["/w==","AA=="]}`:                Set(BS, Binary([]byte{0}), Binary([]byte{255})),
		`{"S":"a","S":"b"}`:                     String("b"),
		`{"S":"a","N":null}`:                    String("a"),
		`{"X":{"deep":[1,2]},"S":"a","s":"no"}`: String("a"),
		`null`:                                  nil,
	} {
		v, fault, err := decodeValue(in)
		require.NoError(t, err, in)
		require.Nil(t, fault, in)
		require.Equal(t, want, v, in)
	}
}

func TestDecodeItem(t *testing.T) {
	it, fault, err := decodeItem(`{"b":{"N":"1.0"},"a":{"S":"x"},"b":{"N":"2"},"n":null}`)
	require.NoError(t, err)
	require.Nil(t, fault)
	require.Equal(t, build(map[string]Value{"a": String("x"), "b": num("2")}), it)
	require.Equal(t, 5, it.Size())

	it, fault, err = decodeItem(`{}`)
	require.NoError(t, err)
	require.Nil(t, fault)
	require.Equal(t, Empty, it)

	it, fault, err = decodeItem(`null`)
	require.NoError(t, err)
	require.Nil(t, fault)
	require.Nil(t, it)
}

func TestDecodeStopsAfterValue(t *testing.T) {
	d := decoderOf(`[{"S":"a"},{"N":"bad"},{"S":"c"}]`)
	_, err := d.ReadToken()
	require.NoError(t, err)
	v, fault, err := DecodeValue(d)
	require.NoError(t, err)
	require.Nil(t, fault)
	require.Equal(t, String("a"), v)
	v, fault, err = DecodeValue(d)
	require.NoError(t, err)
	require.Nil(t, v)
	require.Equal(t, &ValueError{Kind: NumberSyntax, Type: N, Text: "bad"}, fault)
	v, fault, err = DecodeValue(d)
	require.NoError(t, err)
	require.Nil(t, fault, "a fault does not stick")
	require.Equal(t, String("c"), v)
	require.Equal(t, jsontext.Kind(']'), d.PeekKind())
}

func TestDecodeSoftFaults(t *testing.T) {
	fault := func(kind ValueErrorKind) *ValueError { return &ValueError{Kind: kind} }
	bad := func(kind ValueErrorKind, text string) *ValueError {
		return &ValueError{Kind: kind, Type: N, Text: text}
	}
	for in, want := range map[string]*ValueError{
		`{}`:                             fault(NoType),
		`{"X":"a"}`:                      fault(NoType),
		`{"s":"a"}`:                      fault(NoType),
		`{"S":null}`:                     fault(NoType),
		`{"L":[null]}`:                   fault(NoType),
		`{"L":[{}]}`:                     fault(NoType),
		`{"SS":["a",null]}`:              fault(NoType),
		`{"M":{"a":{}}}`:                 fault(NoType),
		`{"S":"a","N":"1"}`:              fault(MoreThanOneType),
		`{"SS":[],"S":"a"}`:              fault(MoreThanOneType),
		`{"M":{"a":{}},"S":"a"}`:         fault(MoreThanOneType),
		`{"S":"a","N":"bad"}`:            bad(NumberSyntax, "bad"),
		`{"NS":["1","x"],"S":"a"}`:       bad(NumberSyntax, "x"),
		`{"L":[{"NULL":false},{}]}`:      {Kind: NullFalse, Type: NULL},
		`{"NULL":false}`:                 {Kind: NullFalse, Type: NULL},
		`{"SS":[]}`:                      {Kind: EmptySet, Type: SS},
		`{"NS":[]}`:                      {Kind: EmptySet, Type: NS},
		`{"BS":[]}`:                      {Kind: EmptySet, Type: BS},
		`{"SS":["b","a","b"]}`:           {Kind: DuplicateMembers, Type: SS, Members: []Value{String("b"), String("a"), String("b")}},
		`{"BS":["/w==","AA==","AA=="]}`:  {Kind: DuplicateMembers, Type: BS, Members: []Value{Binary([]byte{255}), Binary([]byte{0}), Binary([]byte{0})}},
		`{"NS":["1","1.0"]}`:             {Kind: DuplicateMembers, Type: NS, Members: []Value{num("1"), num("1")}},
		`{"N":""}`:                       bad(NumberSyntax, ""),
		`{"N":"1e126"}`:                  bad(NumberOverflow, "1e126"),
		`{"N":"1e-131"}`:                 bad(NumberUnderflow, "1e-131"),
		`{"L":[{"N":"1e999"},{"S":""}]}`: bad(NumberOverflow, "1e999"),
		nested(32):                       fault(TooDeep),
		nested(400):                      fault(TooDeep),
		strings.Repeat(`{"L":[`, 32) + `{"S":"x"}` + strings.Repeat(`]}`, 32): fault(TooDeep),
	} {
		v, got, err := decodeValue(in)
		require.NoError(t, err, in)
		require.Equal(t, want, got, in)
		require.Nil(t, v, in)
		require.NotEmpty(t, got.Error())

		it, got, err := decodeItem(`{"a":` + in + `,"b":{"S":"x"}}`)
		require.NoError(t, err, in)
		require.Equal(t, want, got, in)
		require.Nil(t, it, in)
	}
	_, got, err := decodeItem(`{"":{"S":"x"}}`)
	require.NoError(t, err)
	require.Equal(t, fault(EmptyName), got)

	v, got, err := decodeValue(nested(31))
	require.NoError(t, err)
	require.Nil(t, got)
	require.Equal(t, MaxDepth, v.Depth())
}

func TestDecodeHardFaults(t *testing.T) {
	wrong := func(expected Shape, got jsontext.Kind) *TypeError { return &TypeError{Expected: expected, Got: got} }
	inside := func(expected Shape, got jsontext.Kind) *TypeError {
		return &TypeError{Expected: expected, Got: got, Element: true}
	}
	for in, want := range map[string]*TypeError{
		`"x"`:                  wrong(ShapeAttributeValue, '"'),
		`[]`:                   wrong(ShapeAttributeValue, '['),
		`1`:                    wrong(ShapeAttributeValue, '0'),
		`{"S":1}`:              wrong(ShapeString, '0'),
		`{"S":-1.5}`:           {Expected: ShapeString, Got: '0', Decimal: true},
		`{"S":1e3}`:            {Expected: ShapeString, Got: '0', Decimal: true},
		`{"S":true}`:           wrong(ShapeString, 't'),
		`{"S":{}}`:             wrong(ShapeString, '{'),
		`{"N":5}`:              wrong(ShapeString, '0'),
		`{"N":[]}`:             wrong(ShapeString, '['),
		`{"B":false}`:          wrong(ShapeBlob, 'f'),
		`{"B":"AAE"}`:          {Expected: ShapeBlob, Got: '"', Base64: Base64Length, Length: 3},
		`{"B":"AA*="}`:         {Expected: ShapeBlob, Got: '"', Base64: Base64Character},
		`{"B":"AAB="}`:         {Expected: ShapeBlob, Got: '"', Base64: Base64Character},
		`{"B":"===="}`:         {Expected: ShapeBlob, Got: '"', Base64: Base64Character},
		`{"B":"AA==AA=="}`:     {Expected: ShapeBlob, Got: '"', Base64: Base64Character},
		`{"B":"AA\n\n\n\nAA"}`: {Expected: ShapeBlob, Got: '"', Base64: Base64Character},
		`{"B":"-_=="}`:         {Expected: ShapeBlob, Got: '"', Base64: Base64Character},
		`{"BS":["AA"]}`:        {Expected: ShapeBlob, Got: '"', Element: true, Base64: Base64Length, Length: 2},
		`{"BOOL":1}`:           wrong(ShapeBoolean, '0'),
		`{"BOOL":"maybe"}`:     wrong(ShapeBoolean, '"'),
		`{"BOOL":[]}`:          wrong(ShapeBoolean, '['),
		`{"NULL":{}}`:          wrong(ShapeBoolean, '{'),
		`{"M":[]}`:             wrong(ShapeMap, '['),
		`{"M":"x"}`:            wrong(ShapeMap, '"'),
		`{"M":{"a":"x"}}`:      inside(ShapeAttributeValue, '"'),
		`{"M":{"a":[]}}`:       inside(ShapeAttributeValue, '['),
		`{"L":{}}`:             wrong(ShapeList, '{'),
		`{"L":["x"]}`:          inside(ShapeAttributeValue, '"'),
		`{"SS":"x"}`:           wrong(ShapeList, '"'),
		`{"SS":[1]}`:           inside(ShapeString, '0'),
		`{"NS":[[]]}`:          inside(ShapeString, '['),
		`{"L":[{},{"S":1}]}`:   wrong(ShapeString, '0'), // wins over the soft fault before it
	} {
		_, fault, err := decodeValue(in)
		require.Equal(t, want, err, in)
		require.Nil(t, fault, in)
		require.NotEmpty(t, err.Error())
	}
	_, _, err := decodeItem(`[]`)
	require.Equal(t, wrong(ShapeMap, '['), err)
	_, _, err = decodeItem(`{"a":5}`)
	require.Equal(t, inside(ShapeAttributeValue, '0'), err)

	for _, in := range []string{
		``, `{`, `{"S"`, `{"S":`, `{"S":"x"`, `{"S":"x",}`, `{"S":}`, `}`, `{"M":{]}`, `{"L":[}`, `{"L":[{"S":"x"}`,
		`{"SS":["a"`, `{"SS":[}`, `{"BOOL":tru}`, `{"S":-}`, `{5:1}`, "{\"S\":\"\xff\"}", `{"S":"\ud800"}`,
		"{\"M\":{\"\xff\":{\"S\":\"\"}}}", `{"M":{"a"}}`, `{"X":[}`, `{"N":"1`, `{"B":`,
	} {
		_, _, err := decodeValue(in)
		require.Error(t, err, in)
		var typeError *TypeError
		require.False(t, errors.As(err, &typeError), in)
		_, _, err = decodeItem(`{"a":` + in)
		require.Error(t, err, in)
	}
	_, _, err = decodeValue(strings.Repeat(`{"L":[`, 501))
	require.ErrorIs(t, err, ErrNestingLimit)
	_, _, err = decodeValue(strings.Repeat(`{"M":{"a":`, 100_000))
	require.ErrorIs(t, err, ErrNestingLimit)
}

func TestAppendJSON(t *testing.T) {
	for _, text := range []string{
		`{"S":"plain ascii text"}`, `{"S":"a\"b\\c\n\u0001é😀"}`, `{"S":"12345678\""}`, `{"N":"-1.5"}`, `{"B":"AAE="}`,
		`{"BOOL":true}`, `{"BOOL":false}`, `{"NULL":true}`, `{"SS":["","a"]}`, `{"NS":["1","20"]}`, `{"BS":["","AA=="]}`,
		`{"L":[]}`, `{"M":{}}`, `{"L":[{"S":"a"},{"M":{"a":{"L":[]},"b\"":{"S":""}}}]}`,
	} {
		v, fault, err := decodeValue(text)
		require.NoError(t, err)
		require.Nil(t, fault)
		require.Equal(t, text, string(v.AppendJSON(nil)))
	}
	require.Equal(t, "{}", string(Item(nil).AppendJSON(nil)))
	require.Equal(t, "{}", string(Empty.AppendJSON(nil)))
	require.Equal(t, "null", string(Value(nil).AppendJSON(nil)))
	require.Equal(t, `x{"a":{"S":"1"},"b":{"S":"2"}}`, string(build(map[string]Value{"b": String("2"), "a": String("1")}).AppendJSON([]byte("x"))))
}

// plain says in maps and slices what the JSON form of v is.
func plain(v Value) any {
	tag, elems := v.Type().String(), []any{}
	switch v.Type() {
	case S, N:
		return map[string]any{tag: string(v.Bytes())}
	case B:
		return map[string]any{tag: base64.StdEncoding.EncodeToString(v.Bytes())}
	case BOOL:
		return map[string]any{tag: v.Bool()}
	case NULL:
		return map[string]any{tag: true}
	case M:
		fields := map[string]any{}
		for name, f := range v.Fields() {
			fields[string(name)] = plain(f)
		}
		return map[string]any{tag: fields}
	case L:
		for e := range v.Elements() {
			elems = append(elems, plain(e))
		}
	default:
		for e := range v.Elements() {
			elems = append(elems, plain(e).(map[string]any)[e.Type().String()])
		}
	}
	return map[string]any{tag: elems}
}

func TestJSONRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		fields := anyFields.Draw(t, "fields")
		it := build(fields)
		require.NoError(t, Valid(it))
		want := map[string]any{}
		for name, v := range fields {
			want[name] = plain(v)
		}

		text := it.AppendJSON(nil)
		var got map[string]any
		require.NoError(t, json.Unmarshal(text, &got))
		require.Equal(t, want, got)
		again, fault, err := decodeItem(string(text))
		require.NoError(t, err)
		require.Nil(t, fault)
		require.Equal(t, it, again)

		// Another writer's spelling: other escapes.
		text, err = json.Marshal(want)
		require.NoError(t, err)
		again, fault, err = decodeItem(string(text))
		require.NoError(t, err)
		require.Nil(t, fault)
		require.Equal(t, it, again)

		// Any order of names and members, as maps and reversed sets give.
		shuffled := []byte{'{'}
		for name, v := range fields {
			if len(shuffled) > 1 {
				shuffled = append(shuffled, ',')
			}
			shuffled, err = jsontext.AppendQuote(shuffled, name)
			require.NoError(t, err)
			shuffled = append(shuffled, ':')
			shuffled = appendReversed(shuffled, v)
		}
		again, fault, err = decodeItem(string(append(shuffled, '}')))
		require.NoError(t, err)
		require.Nil(t, fault)
		require.Equal(t, it, again)
	})
}

// appendReversed writes v's sets and maps in descending order.
func appendReversed(dst []byte, v Value) []byte {
	var parts [][]byte
	open, shut := "[", "]"
	switch t := v.Type(); {
	case t.isSet():
		for e := range v.Elements() {
			text, _ := json.Marshal(plain(e).(map[string]any)[t.member().String()])
			parts = append([][]byte{text}, parts...)
		}
	case t == M:
		open, shut = "{", "}"
		for name, f := range v.Fields() {
			text, _ := json.Marshal(string(name))
			parts = append([][]byte{appendReversed(append(text, ':'), f)}, parts...)
		}
	case t == L:
		for e := range v.Elements() {
			parts = append(parts, appendReversed(nil, e))
		}
	default:
		return v.AppendJSON(dst)
	}
	dst = append(dst, `{"`+v.Type().String()+`":`+open...)
	for i, p := range parts {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = append(dst, p...)
	}
	return append(append(dst, shut...), '}')
}

func FuzzDecodeItem(f *testing.F) {
	for _, seed := range []string{
		`{}`, `{"a":{"S":"x"},"b":{"N":"1.50"},"c":{"M":{"x":{"L":[{"BOOL":true},{"NULL":true}]}}}}`,
		`{"a":{"SS":["b","a"]},"a":{"NS":["1","1.0"]}}`, `{"a":{"BS":["AA==",""]},"":{}}`, `{"a":{"S":"\ud83d\ude00","N":"x"}}`,
		`{"a":null,"b":{"S":null,"X":1}}`, `{"a":` + nested(32) + `}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		it, fault, err := decodeItem(string(text))
		if err != nil || fault != nil || it == nil {
			require.Nil(t, it)
			return
		}
		require.NoError(t, Valid(it))
		again, fault, err := decodeItem(string(it.AppendJSON(nil)))
		require.NoError(t, err)
		require.Nil(t, fault)
		require.Equal(t, it, again)
	})
}
