package bench

import (
	"fmt"
	"strings"
	"testing"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/stretchr/testify/require"

	"github.com/stator-db/stator/storage/item"
)

func TestItemSize(t *testing.T) {
	for _, size := range []int{minItemSize, 100, 199, 200, 250, 999, 1000, 4096, 10_000, 100 << 10, maxItemSize} {
		t.Run(fmt.Sprint(size), func(t *testing.T) {
			w := newItemWriter(size, 1)
			for _, index := range []int64{10, 1234, maxItems - 1} { // two digits of sort key
				text := w.appendItem(nil, index, testRandom())
				decoded, invalid, err := item.DecodeItem(jsontext.NewDecoder(strings.NewReader(string(text))))
				require.NoError(t, err)
				require.Nil(t, invalid)
				require.Equal(t, size, decoded.Size())
			}
		})
	}
}

func TestItemsDifferInTextOnly(t *testing.T) {
	w, random := newItemWriter(250, 1), testRandom()
	a, b := string(w.appendItem(nil, 7, random)), string(w.appendItem(nil, 7, random))
	require.NotEqual(t, a, b)
	require.Len(t, b, len(a))
	require.Equal(t, a[:strings.Index(a, `"text"`)], b[:strings.Index(b, `"text"`)])
	require.Equal(t, a, string(newItemWriter(250, 1).appendItem(nil, 7, testRandom())), "the same seeds give the same items")
}

func TestAppendKey(t *testing.T) {
	require.Equal(t, `{"pk":{"S":"p0000000012"},"sk":{"N":"34"}}`, string(appendKey(nil, 1234)))
	require.Equal(t, `{"pk":{"S":"p0000000000"},"sk":{"N":"0"}}`, string(appendKey(nil, 0)))
}
