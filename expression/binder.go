package expression

import (
	"fmt"
	"slices"
	"strings"

	"github.com/stator-db/stator/storage/item"
)

// Binder resolves the placeholders of one request and remembers which of them
// its expressions used. It is not safe for concurrent use.
type Binder struct {
	names  map[string]string
	values map[string]item.Value

	usedNames, usedValues []string

	// room for the placeholders of ordinary requests
	nameRoom, valueRoom [8]string
}

// NewBinder returns a Binder for a request's ExpressionAttributeNames (#name to
// attribute name) and ExpressionAttributeValues (:name to value). Either may be
// nil. The maps must not change while the Binder is in use; expressions bound
// with it keep the values, not the maps.
func NewBinder(names map[string]string, values map[string]item.Value) *Binder {
	b := &Binder{names: names, values: values}
	b.usedNames, b.usedValues = b.nameRoom[:0], b.valueRoom[:0]
	return b
}

// maxPlaceholderLength is the limit, in bytes with the leading character, for a
// placeholder.
const maxPlaceholderLength = 255

// What the service says of an attribute name of no or of more than
// [item.MaxNameSize] bytes.
const (
	EmptyName = "Empty attribute name"
	LongName  = "Attribute name is too large, must be less than 65536 bytes"
)

// NameFault returns EmptyName or LongName if no attribute can have that name, and
// an empty string otherwise.
func NameFault(name string) string {
	switch {
	case name == "":
		return EmptyName
	case len(name) > item.MaxNameSize:
		return LongName
	}
	return ""
}

// CheckPlaceholders returns an [*Error] if a placeholder is not written as # or
// : followed by letters, digits and underscores, is too long, or stands for a
// name that no attribute can have. Of several, the first in alphabetical order is
// reported, names before values.
func (b *Binder) CheckPlaceholders() error {
	if err := checkPlaceholders("ExpressionAttributeNames", '#', b.names); err != nil {
		return err
	}
	worst := ""
	for alias, name := range b.names {
		if NameFault(name) != "" && (worst == "" || alias < worst) {
			worst = alias
		}
	}
	if worst != "" {
		return &Error{Text: "ExpressionAttributeNames contains invalid value: " + NameFault(b.names[worst]) + " for key " + worst}
	}
	return checkPlaceholders("ExpressionAttributeValues", ':', b.values)
}

func checkPlaceholders[V any](parameter string, sigil byte, placeholders map[string]V) error {
	worst, found := "", false
	for p := range placeholders {
		if (!isPlaceholder(p, sigil) || len(p) > maxPlaceholderLength) && (!found || p < worst) {
			worst, found = p, true
		}
	}
	if !found {
		return nil
	}
	fault := fmt.Sprintf(`Syntax error; key: "%s"`, worst)
	if isPlaceholder(worst, sigil) {
		fault = fmt.Sprintf("key too long; size of key: %d", len(worst))
	}
	return &Error{Text: parameter + " contains invalid key: " + fault}
}

func isPlaceholder(s string, sigil byte) bool {
	if len(s) < 2 || s[0] != sigil {
		return false
	}
	for i := 1; i < len(s); i++ {
		c := s[i]
		switch {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', c == '_':
		default:
			return false
		}
	}
	return true
}

// Unused returns an [*Error] that lists, in alphabetical order, the
// placeholders that no expression bound so far has used; names are reported
// before values.
func (b *Binder) Unused() error {
	if unused := unusedKeys(b.names, &b.usedNames); len(unused) > 0 {
		return unusedError("ExpressionAttributeNames", unused)
	}
	if unused := unusedKeys(b.values, &b.usedValues); len(unused) > 0 {
		return unusedError("ExpressionAttributeValues", unused)
	}
	return nil
}

func unusedError(parameter string, keys []string) error {
	return &Error{Text: fmt.Sprintf("Value provided in %s unused in expressions: keys: {%s}", parameter, strings.Join(keys, ", "))}
}

// unusedKeys returns the keys that are not among used, which it sorts when
// there are many.
func unusedKeys[V any](placeholders map[string]V, used *[]string) []string {
	isUsed := func(key string) bool { return slices.Contains(*used, key) }
	if len(*used) > 16 {
		slices.Sort(*used)
		isUsed = func(key string) bool {
			_, ok := slices.BinarySearch(*used, key)
			return ok
		}
	}
	var unused []string
	for key := range placeholders {
		if !isUsed(key) {
			unused = append(unused, key)
		}
	}
	slices.Sort(unused)
	return unused
}

// value returns what a :placeholder stands for, nil (with a fault) if nothing.
func (b *Binder) value(placeholder string, f *faults) item.Value {
	v, ok := b.values[placeholder]
	if !ok {
		f.note(undefinedValue, "An expression attribute value used in expression is not defined; attribute value: %s", placeholder)
		return nil
	}
	b.usedValues = append(b.usedValues, placeholder)
	return v
}

// name returns the attribute name that name, which may be a #placeholder,
// stands for.
func (b *Binder) name(name string, f *faults) string {
	if !isAlias(name) {
		return name
	}
	attribute, ok := b.names[name]
	if !ok {
		f.note(undefinedName, "An expression attribute name used in the document path is not defined; attribute name: %s", name)
		return ""
	}
	b.usedNames = append(b.usedNames, name)
	return attribute
}

func (b *Binder) path(p *pathSyntax, f *faults) Path {
	if p.bound != nil {
		return p.bound
	}
	path := make(Path, 0, 1+len(p.Steps))
	path = append(path, Step{Name: b.name(p.Head, f)})
	for _, s := range p.Steps {
		if s.Index != "" {
			path = append(path, s.step(""))
		} else {
			path = append(path, s.step(b.name(s.Name, f)))
		}
	}
	return path
}

func (b *Binder) paths(syntax []*pathSyntax, f *faults) []Path {
	paths := make([]Path, len(syntax))
	for i, p := range syntax {
		paths[i] = b.path(p, f)
	}
	return paths
}
