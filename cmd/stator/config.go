package main

import (
	"fmt"
	"io"
	"os"
	"reflect"
	"slices"
	"strings"

	"github.com/alecthomas/kong"
	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
)

// maxConfigBytes bounds a configuration file; a real one has a few hundred bytes.
const maxConfigBytes = 1 << 20

// configFile is a parsed configuration file: one flat mapping from flag names to
// scalars or lists of scalars. It is a kong.Resolver, which kong asks for every
// flag that the command line does not set.
type configFile struct {
	name    string
	entries map[string]configEntry
}

type configEntry struct {
	line int
	text string // a list is joined with commas, as on the command line
}

// loadConfig reads a configuration file for kong.
func loadConfig(r io.Reader) (kong.Resolver, error) {
	name := "configuration"
	if f, ok := r.(*os.File); ok {
		name = f.Name()
	}
	data, err := io.ReadAll(io.LimitReader(r, maxConfigBytes+1))
	if err != nil {
		return nil, err
	}
	if len(data) > maxConfigBytes {
		return nil, fmt.Errorf("%s: larger than %d bytes", name, maxConfigBytes)
	}
	return parseConfig(name, data)
}

// parseConfig parses the text of a configuration file. Anything but a mapping of
// scalars and lists of scalars is an error that names the file and the line.
func parseConfig(name string, data []byte) (*configFile, error) {
	file, err := parser.ParseBytes(data, 0)
	if err != nil {
		return nil, fmt.Errorf("%s: %s", name, yaml.FormatError(err, false, false))
	}
	config := &configFile{name: name, entries: map[string]configEntry{}}
	for _, document := range file.Docs {
		if document.Body == nil {
			continue
		}
		mapping, ok := document.Body.(ast.MapNode)
		if !ok {
			return nil, fmt.Errorf("%s:%d: expected lines of the form key: value", name, lineOf(document.Body))
		}
		for entries := mapping.MapRange(); entries.Next(); {
			key, ok := entries.Key().(ast.ScalarNode)
			if !ok {
				return nil, fmt.Errorf("%s:%d: expected the name of a flag as key", name, lineOf(entries.Key()))
			}
			text, err := flagText(entries.Value())
			if err != nil {
				return nil, fmt.Errorf("%s:%d: %v: %w", name, lineOf(key), key.GetValue(), err)
			}
			config.entries[fmt.Sprint(key.GetValue())] = configEntry{line: lineOf(key), text: text}
		}
	}
	return config, nil
}

// flagText writes a YAML value as it would stand on the command line.
func flagText(node ast.Node) (string, error) {
	switch node := node.(type) {
	case *ast.NullNode:
		return "", fmt.Errorf("no value")
	case *ast.SequenceNode:
		var texts []string
		for _, element := range node.Values {
			scalar, ok := element.(ast.ScalarNode)
			if !ok {
				return "", fmt.Errorf("expected a list of plain values")
			}
			texts = append(texts, fmt.Sprint(scalar.GetValue()))
		}
		return strings.Join(texts, ","), nil
	case ast.ScalarNode:
		return fmt.Sprint(node.GetValue()), nil
	default:
		return "", fmt.Errorf("expected a plain value or a list")
	}
}

func lineOf(node ast.Node) int {
	if token := node.GetToken(); token != nil && token.Position != nil {
		return token.Position.Line
	}
	return 1
}

// Validate rejects keys that are no flag of any subcommand. One file may serve
// several subcommands, so a key need not belong to the one that runs.
func (c *configFile) Validate(app *kong.Application) error {
	known := map[string]bool{}
	for _, leaf := range app.Leaves(false) {
		for _, group := range leaf.AllFlags(false) {
			for _, flag := range group {
				known[flag.Name] = flag.Name != "help" && flag.Name != "config"
			}
		}
	}
	var unknown []string
	for key := range c.entries {
		if !known[key] {
			unknown = append(unknown, key)
		}
	}
	if len(unknown) == 0 {
		return nil
	}
	slices.SortFunc(unknown, func(a, b string) int { return c.entries[a].line - c.entries[b].line })
	return fmt.Errorf("%s:%d: unknown key %q", c.name, c.entries[unknown[0]].line, unknown[0])
}

// Resolve returns the value of flag, or nil when the file has none or the
// environment overrides it.
func (c *configFile) Resolve(_ *kong.Context, _ *kong.Path, flag *kong.Flag) (any, error) {
	entry, ok := c.entries[flag.Name]
	if !ok || flag.Name == "help" || flag.Name == "config" {
		return nil, nil
	}
	for _, name := range flag.Envs {
		if _, set := os.LookupEnv(name); set {
			return nil, nil
		}
	}
	// kong parses the value again; doing it here first lets the error name the line.
	scratch := reflect.New(flag.Target.Type()).Elem()
	if err := flag.Parse(kong.Scan().PushTyped(entry.text, kong.FlagValueToken), scratch); err != nil {
		reason := strings.TrimPrefix(err.Error(), flag.ShortSummary()+": ") // which kong puts in front again
		return nil, fmt.Errorf("%s:%d: %s", c.name, entry.line, reason)
	}
	return entry.text, nil
}
