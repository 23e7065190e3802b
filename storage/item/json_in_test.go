package item

import (
	"strings"
	"testing"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/stretchr/testify/require"
)

func TestSmoke(t *testing.T) {
	in := `{"pk":{"S":"a\"b"},"n":{"N":"-001.50e1"},"l":{"L":[{"BOOL":true},{"NULL":true},{"M":{"z":{"B":"AAE="},"a":{"NS":["3","1.0","2"]}}}]}}`
	it, invalid, err := DecodeItem(jsontext.NewDecoder(strings.NewReader(in), jsontext.AllowDuplicateNames(true)))
	require.NoError(t, err)
	require.Nil(t, invalid)
	require.NoError(t, Valid(it))
	require.Equal(t, `{"l":{"L":[{"BOOL":true},{"NULL":true},{"M":{"a":{"NS":["1","2","3"]},"z":{"B":"AAE="}}}]},"n":{"N":"-15"},"pk":{"S":"a\"b"}}`, string(it.AppendJSON(nil)))
}
