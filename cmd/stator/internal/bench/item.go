package bench

import (
	"math/rand/v2"
	"strconv"
)

// The table has a partition key "pk" (S) and a sort key "sk" (N). Consecutive
// items share a partition, so that a Query has 100 items to read.
const itemsPerPartition = 100

const (
	// bareItemSize counts pk (2+11), sk (2+2), count (5+1) and the name "text".
	bareItemSize = 2 + 11 + 2 + 2 + 5 + 1 + 4
	minItemSize  = 50
	// mixedSize is the size from which an item has attributes of many types, so that
	// decoding it costs what decoding an item of an application costs.
	mixedSize = 200
	// fieldedSize is the size from which the text is in ten attributes, as in YCSB.
	fieldedSize = 1000
	fields      = 10
)

// mixedAttributes is part of every item of at least mixedSize bytes.
const (
	mixedAttributes = `,"title":{"S":"The quick brown fox"},"price":{"N":"12.5"},"active":{"BOOL":true},` +
		`"tags":{"SS":["blue","green","red"]},` +
		`"details":{"M":{"maker":{"S":"Acme"},"sizes":{"L":[{"N":"1"},{"N":"2"},{"N":"3"}]}}}`
	mixedAttributesSize = 5 + 19 + 5 + 3 + 6 + 1 + 4 + 12 + 7 + 3 + (5 + 4 + 1) + (5 + 3 + 3*(2+1) + 1)
)

// itemWriter appends items of one size as DynamoDB JSON. Items differ in their keys
// and their text.
type itemWriter struct {
	mixed      bool
	textNames  []string
	textLength []int
	pool       string // letters to cut texts from
}

func newItemWriter(size int, seed uint64) *itemWriter {
	w := &itemWriter{mixed: size >= mixedSize}
	left := size - bareItemSize
	if w.mixed {
		left -= mixedAttributesSize
	}
	w.textNames, w.textLength = []string{"text"}, []int{left}
	if size >= fieldedSize {
		left += len("text")
		w.textNames, w.textLength = nil, nil
		for i := range fields {
			name := "field" + strconv.Itoa(i)
			share := left/(fields-i) - len(name)
			left -= share + len(name)
			w.textNames, w.textLength = append(w.textNames, name), append(w.textLength, share)
		}
	}
	longest := 0
	for _, n := range w.textLength {
		longest = max(longest, n)
	}
	w.pool = randomLetters(longest+64<<10, seed)
	return w
}

// randomLetters returns text that compresses badly, as an upper bound on what a
// database has to store.
func randomLetters(n int, seed uint64) string {
	const letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789 -"
	random := rand.New(rand.NewPCG(seed, 0x7e87))
	text := make([]byte, n)
	for i := range text {
		text[i] = letters[random.IntN(len(letters))]
	}
	return string(text)
}

// appendItem appends {"pk":…,…} for the item with the index.
func (w *itemWriter) appendItem(buf []byte, index int64, random *rand.Rand) []byte {
	buf = appendKey(buf, index)
	buf = buf[:len(buf)-1] // the brace
	buf = append(buf, `,"count":{"N":"0"}`...)
	if w.mixed {
		buf = append(buf, mixedAttributes...)
	}
	for i, name := range w.textNames {
		buf = append(buf, `,"`...)
		buf = append(buf, name...)
		buf = append(buf, `":{"S":"`...)
		buf = w.appendText(buf, w.textLength[i], random)
		buf = append(buf, `"}`...)
	}
	return append(buf, '}')
}

// appendText appends length letters without quotes.
func (w *itemWriter) appendText(buf []byte, length int, random *rand.Rand) []byte {
	at := random.IntN(len(w.pool) - length)
	return append(buf, w.pool[at:at+length]...)
}

// updatedText is the attribute that workloads overwrite, and its length.
func (w *itemWriter) updatedText() (name string, length int) {
	return w.textNames[0], w.textLength[0]
}

// appendKey appends {"pk":{"S":"p0000000012"},"sk":{"N":"34"}} for index 1234.
func appendKey(buf []byte, index int64) []byte {
	buf = append(buf, `{"pk":`...)
	buf = appendPartition(buf, index)
	buf = append(buf, `,"sk":`...)
	buf = appendSort(buf, index)
	return append(buf, '}')
}

func appendPartition(buf []byte, index int64) []byte {
	partition := index / itemsPerPartition
	buf = append(buf, `{"S":"p`...)
	for unit := int64(1e9); unit > 0; unit /= 10 {
		buf = append(buf, '0'+byte(partition/unit%10))
	}
	return append(buf, `"}`...)
}

func appendSort(buf []byte, index int64) []byte {
	buf = append(buf, `{"N":"`...)
	buf = strconv.AppendInt(buf, index%itemsPerPartition, 10)
	return append(buf, `"}`...)
}
