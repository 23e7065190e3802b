package main

import (
	"encoding/json"
	"os"
	"testing"

	"github.com/goccy/go-yaml"
	"github.com/stretchr/testify/require"

	"github.com/stator-db/stator/cmd/phonebook/internal/book"
)

// The template makes the very table that the program makes for itself.
func TestTemplateDescribesTheTable(t *testing.T) {
	text, err := os.ReadFile("template.yaml")
	require.NoError(t, err)
	var template struct {
		Resources map[string]struct {
			Type       string         `yaml:"Type"`
			Properties map[string]any `yaml:"Properties"`
		} `yaml:"Resources"`
	}
	require.NoError(t, yaml.Unmarshal(text, &template))
	table := template.Resources["Table"]
	require.Equal(t, "AWS::DynamoDB::Table", table.Type)

	schema := plain(t, book.Schema(""))
	for _, property := range []string{"BillingMode", "AttributeDefinitions", "KeySchema"} {
		require.Equal(t, schema[property], plain(t, table.Properties)[property], property)
	}
	index := schema["GlobalSecondaryIndexes"].([]any)[0].(map[string]any)
	described := plain(t, table.Properties)["GlobalSecondaryIndexes"].([]any)[0].(map[string]any)
	for _, property := range []string{"IndexName", "KeySchema"} {
		require.Equal(t, index[property], described[property], property)
	}
	require.Equal(t, index["Projection"].(map[string]any)["ProjectionType"], described["Projection"].(map[string]any)["ProjectionType"])
	require.Equal(t, schema["StreamSpecification"].(map[string]any)["StreamViewType"],
		plain(t, table.Properties)["StreamSpecification"].(map[string]any)["StreamViewType"])
	require.Equal(t, plain(t, book.TimeToLive()), plain(t, table.Properties)["TimeToLiveSpecification"])
}

// plain turns a value into maps, slices and texts.
func plain(t *testing.T, value any) map[string]any {
	t.Helper()
	text, err := json.Marshal(value)
	require.NoError(t, err)
	var m map[string]any
	require.NoError(t, json.Unmarshal(text, &m))
	return m
}
