package api

import (
	"testing"

	"github.com/stator-db/stator/storage/item"
)

const (
	benchItem = `{"pk":{"S":"customer#0000001234"},"sk":{"S":"order#2026-10-09"},"total":{"N":"129.95"},"paid":{"BOOL":true},` +
		`"tags":{"SS":["new","gift"]},"note":{"S":"leave at the door"}}`
	benchPut = `{"TableName":"orders","Item":` + benchItem + `,"ReturnConsumedCapacity":"TOTAL"}`
)

// BenchmarkPutItem is a request of about 250 bytes; BenchmarkItemAlone is the
// share of it that belongs to package item.
func BenchmarkPutItem(b *testing.B) {
	body := []byte(benchPut)
	b.ReportAllocs()
	b.SetBytes(int64(len(body)))
	for b.Loop() {
		var in PutItemInput
		if err := Unmarshal(body, &in); err != nil {
			b.Fatal(err)
		}
		if vs := in.Constraints(); len(vs) > 0 {
			b.Fatal(vs.Message())
		}
	}
}

func BenchmarkItemAlone(b *testing.B) {
	body := []byte(benchItem)
	var r reader
	b.ReportAllocs()
	for b.Loop() {
		r.read(body)
		if _, invalid, err := item.DecodeItem(&r.dec); invalid != nil || err != nil {
			b.Fatal(invalid, err)
		}
	}
}

func BenchmarkGetItem(b *testing.B) {
	body := []byte(`{"TableName":"orders","Key":{"pk":{"S":"customer#0000001234"},"sk":{"S":"order#2026-10-09"}}}`)
	b.ReportAllocs()
	for b.Loop() {
		var in GetItemInput
		if err := Unmarshal(body, &in); err != nil {
			b.Fatal(err)
		}
		if vs := in.Constraints(); len(vs) > 0 {
			b.Fatal(vs.Message())
		}
	}
}
