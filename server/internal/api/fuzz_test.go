package api

import (
	"bytes"
	"errors"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// FuzzUnmarshal decodes arbitrary bodies as every operation. Seeds are the
// requests of the scripts.
func FuzzUnmarshal(f *testing.F) {
	ops := slices.Sorted(maps.Keys(newInputs))
	files, err := filepath.Glob("testdata/scripts/*")
	require.NoError(f, err)
	require.NotEmpty(f, files)
	for _, file := range files {
		text, err := os.ReadFile(file)
		require.NoError(f, err)
		lines := strings.Split(string(text), "\n")
		for i, line := range lines {
			if op := slices.Index(ops, line); op >= 0 && len(lines[i+1]) < 2000 {
				f.Add(byte(op), []byte(lines[i+1]))
			}
		}
	}
	f.Fuzz(func(t *testing.T, op byte, body []byte) {
		newInput := newInputs[ops[int(op)%len(ops)]]
		sent := bytes.Clone(body)
		in := newInput()
		err := Unmarshal(body, in)
		require.Equal(t, sent, body, "the body was written to")

		if typed, ok := errors.AsType[*SerializationError](err); ok {
			require.NotEmpty(t, typed.Message)
			require.NoError(t, CheckSyntax(body), "broken JSON must win")
			return
		}
		if err != nil {
			require.ErrorIs(t, err, ErrNotJSON)
			return
		}
		require.NoError(t, CheckSyntax(body))
		vs := in.Constraints()
		require.LessOrEqual(t, len(vs), maxViolations)
		require.Equal(t, len(vs) == 0, vs.Message() == "")

		// Whether it is the first or a later use of a pooled decoder does not
		// matter, nor what becomes of the body.
		again := newInput()
		require.NoError(t, Unmarshal(sent, again))
		clear(body)
		require.Equal(t, again, in)
		require.Equal(t, vs, in.Constraints())
	})
}
