package main

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/go-json-experiment/json"
)

// model is an API model in the form that the AWS SDKs for Python and
// JavaScript carry, without documentation.
type model struct {
	Metadata struct {
		TargetPrefix string `json:"targetPrefix"`
	} `json:"metadata"`
	Operations map[string]*operation `json:"operations"`
	Shapes     map[string]*shape     `json:"shapes"`
}

type operation struct {
	Input  string `json:"input"`
	Output string `json:"output"`
}

type shape struct {
	Type     string   `json:"type"`
	Required []string `json:"required"`
	Members  members  `json:"members"`
	Member   ref      `json:"member"` // of a list
	Value    ref      `json:"value"`  // of a map
	Enum     []string `json:"enum"`
	Min      *int     `json:"min"`
	Max      *int     `json:"max"`
	Pattern  string   `json:"pattern"`
}

type ref struct {
	Shape string `json:"shape"`
}

// services lists the model files with the Go name of their target prefix.
var services = []struct{ file, constant string }{
	{"dynamodb-2012-08-10.json", "DynamoDB"},
	{"dynamodbstreams-2012-08-10.json", "Streams"},
}

// load reads one model.
func load(dir, file string) (*model, error) {
	text, err := os.ReadFile(filepath.Join(dir, file))
	if err != nil {
		return nil, err
	}
	m := new(model)
	if err := json.Unmarshal(text, m); err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	return m, nil
}
