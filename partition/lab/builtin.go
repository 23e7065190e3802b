package lab

import (
	"embed"
	"fmt"
	"strings"
)

// experiments has each built-in experiment, NAME.yaml, and what to expect of it and
// why, NAME.md.
//
//go:embed experiments
var experiments embed.FS

// Names lists the built-in experiments, in byte order.
func Names() []string {
	entries, err := experiments.ReadDir("experiments")
	if err != nil {
		panic(err) // they are part of the program
	}
	var names []string
	for _, e := range entries {
		if name, ok := strings.CutSuffix(e.Name(), ".yaml"); ok {
			names = append(names, name)
		}
	}
	return names
}

// Builtin returns a built-in experiment; found is false if there is none of that
// name.
func Builtin(name string) (e *Experiment, found bool, err error) {
	definition, err := experiments.ReadFile("experiments/" + name + ".yaml")
	if err != nil {
		return nil, false, nil //nolint:nilerr // there is none
	}
	if e, err = Parse(name, definition); err != nil {
		return nil, true, err
	}
	about, err := experiments.ReadFile("experiments/" + name + ".md")
	if err != nil {
		return nil, true, fmt.Errorf("experiment %s: %w", name, err)
	}
	e.About = string(about)
	return e, true, nil
}
