package item

import (
	"bytes"
	"strings"
	"testing"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/stretchr/testify/require"
)

// A typical small item, 250 bytes of JSON.
const smallJSON = `{"pk":{"S":"customer#4711"},"sk":{"S":"order#2026-11-23T06:56:30Z"},"total":{"N":"129.95"},` +
	`"count":{"N":"3"},"paid":{"BOOL":true},"status":{"S":"shipped"},"tags":{"SS":["express","gift"]},` +
	`"address":{"M":{"city":{"S":"Lisbon"},"zip":{"S":"1100"}}}}`

// The same in the order of names, as an item comes back.
func smallItem(tb testing.TB) Item {
	it, fault, err := decodeItem(smallJSON)
	require.NoError(tb, err)
	require.Nil(tb, fault)
	return it
}

func BenchmarkDecodeItem(b *testing.B) {
	sorted := string(smallItem(b).AppendJSON(nil))
	large := `{"a":{"L":[` + strings.Repeat(`{"M":{"name":{"S":"some text here"},"n":{"N":"42"}}},`, 80) + `{"NULL":true}]}}`
	for _, c := range []struct{ name, json string }{{"small", smallJSON}, {"small sorted", sorted}, {"4KB nested", large}} {
		b.Run(c.name, func(b *testing.B) {
			b.ReportAllocs()
			b.SetBytes(int64(len(c.json)))
			var d jsontext.Decoder
			text, option := []byte(c.json), jsontext.AllowDuplicateNames(true)
			buf := new(bytes.Buffer)
			for b.Loop() {
				*buf = *bytes.NewBuffer(text)
				d.Reset(buf, option)
				if _, _, err := DecodeItem(&d); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkItem(b *testing.B) {
	it := smallItem(b)
	run := func(name string, f func()) {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				f()
			}
		})
	}
	dst := make([]byte, 0, 1024)
	run("AppendJSON", func() { it.AppendJSON(dst) })
	run("Get first", func() { it.Get("address") })
	run("Get last", func() { it.Get("total") })
	run("Get absent", func() { it.Get("zzz") })
	run("Field", func() { it.Get("address").Field("zip") })
	run("Fields", func() {
		for range it.Fields() {
		}
	})
	run("Elements", func() {
		for range it.Get("tags").Elements() {
		}
	})
	change := Change{"status", String("delivered")}
	run("With", func() { it.With(change) })
	names := []string{"pk", "sk", "total"}
	run("Project", func() { it.Project(names) })
	run("Valid", func() { _ = Valid(it) })
	address := it.Get("address")
	run("Tree round trip", func() { address.Tree().Value() })
	run("Value.Size", func() { address.Size() })
	builder := NewBuilder()
	run("Builder", func() {
		for name, v := range it.Fields() {
			builder.Set(string(name), v)
		}
		builder.Item()
	})
}

func BenchmarkNumber(b *testing.B) {
	for _, text := range []string{"42", "-129.95", "12345678901234567890.123456789012345678", "1e-130"} {
		n, _ := ParseNumber([]byte(text))
		v, raw := NumberValue(n), []byte(text)
		key, dst := AppendKey(nil, v), make([]byte, 0, 256)
		other := NumberFromInt(7)
		run := func(name string, f func()) {
			b.Run(name+"/"+text, func(b *testing.B) {
				b.ReportAllocs()
				for b.Loop() {
					f()
				}
			})
		}
		run("ParseNumber", func() { ParseNumber(raw) })
		run("AppendText", func() { n.AppendText(dst) })
		run("Add", func() { _, _ = n.Add(other) })
		run("Cmp", func() { n.Cmp(other) })
		run("Compare", func() { Compare(v, v) })
		run("Size", func() { v.Size() })
		run("AppendKey", func() { AppendKey(dst, v) })
		run("DecodeKey", func() { _, _, _ = DecodeKey(key, N) })
	}
}

func BenchmarkTextKey(b *testing.B) {
	v := String("order#2026-11-23T06:56:30Z")
	key, dst := AppendKey(nil, v), make([]byte, 0, 256)
	b.Run("AppendKey", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			AppendKey(dst, v)
		}
	})
	b.Run("DecodeKey", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			_, _, _ = DecodeKey(key, S)
		}
	})
}
