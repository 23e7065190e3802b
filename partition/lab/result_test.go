package lab

import (
	"bytes"
	"encoding/json"
	"os"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestExampleHasTheFormOfAResult(t *testing.T) {
	raw, err := os.ReadFile("testdata/example.json")
	require.NoError(t, err)
	d := json.NewDecoder(bytes.NewReader(raw))
	d.DisallowUnknownFields()
	var r Result
	require.NoError(t, d.Decode(&r))
	require.Equal(t, ResultFormat, r.Format)
	again, err := json.Marshal(r)
	require.NoError(t, err)
	require.Equal(t, string(bytes.TrimSpace(raw)), string(again))
}
