package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// The generated files in the tree are what the generator writes today.
func TestGeneratedFilesAreUpToDate(t *testing.T) {
	files, err := generate(filepath.Join("..", "model"))
	require.NoError(t, err)
	for name, want := range files {
		got, err := os.ReadFile(filepath.Join("..", name))
		require.NoError(t, err)
		require.Equal(t, string(want), string(got), "%s is stale: run go generate in package api", name)
	}
	present, err := filepath.Glob(filepath.Join("..", "*_gen.go"))
	require.NoError(t, err)
	require.Len(t, present, len(files), "a generated file has no generator")
}

// An override that names nothing is a typing error or outlived its member.
func TestOverridesNameSomething(t *testing.T) {
	for _, key := range []string{"PutItemInput.Nothing", "Nothing.TableName", "NoShape"} {
		limits[key] = notEmpty()
		_, err := generate(filepath.Join("..", "model"))
		require.ErrorContains(t, err, key)
		delete(limits, key)
	}

	order := enumOrder["Select"]
	defer func() { enumOrder["Select"] = order }()
	enumOrder["Select"] = order[1:]
	_, err := generate(filepath.Join("..", "model"))
	require.ErrorContains(t, err, "Select")
}

func TestSetName(t *testing.T) {
	for shape, want := range map[string]string{
		"Select": "selectSet", "SSEType": "sseTypeSet", "ReturnValue": "returnValueSet",
	} {
		require.Equal(t, want, setName(shape))
	}
}
