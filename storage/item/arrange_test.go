package item

import (
	"strconv"
	"strings"
	"testing"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/stretchr/testify/require"
)

// TestArrangeLargeSet: sorting members allocates for the set, not for every pair
// compared, or one request could keep the collector busy for seconds.
func TestArrangeLargeSet(t *testing.T) {
	var text strings.Builder
	text.WriteString(`{"s":{"SS":["x"`)
	for i := range 10_000 {
		text.WriteString(`,"` + strconv.Itoa(i) + `"`)
	}
	text.WriteString(`]}}`)
	allocs := testing.AllocsPerRun(3, func() {
		it, invalid, err := DecodeItem(jsontext.NewDecoder(strings.NewReader(text.String())))
		require.NoError(t, err)
		require.Nil(t, invalid)
		require.Equal(t, 10_001, it.Get("s").Len())
	})
	require.Less(t, allocs, 1000.0)
}
