package contact

import (
	"errors"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Limits of a contact, in characters unless it is a count. With them a contact and all
// the rows that make it findable fit into one transaction of 100 writes.
const (
	MaxText    = 120 // name, company
	MaxEmail   = 254
	MaxNote    = 4000
	MaxNumbers = 10
	MaxNumber  = 40
	MaxLabel   = 30
	MaxTags    = 20
	MaxTag     = 40
)

// ErrInvalid is in the chain of every error of [Contact.Clean]. The text is meant for
// the person who typed.
var ErrInvalid = errors.New("invalid contact")

// A FieldError says what is wrong with one field.
type FieldError struct {
	Field   string // name of the field in JSON
	Message string // a sentence about it
}

func (e *FieldError) Error() string { return e.Field + ": " + e.Message }

// Unwrap makes a FieldError an ErrInvalid.
func (e *FieldError) Unwrap() error { return ErrInvalid }

// Clean returns c with white space trimmed, control characters and empty or repeated
// numbers and tags removed, or a *FieldError for the first field that breaks a limit.
// A contact without a name takes its company's. c itself does not change.
func (c Contact) Clean() (Contact, error) {
	if !ValidID(c.ID) {
		return c, &FieldError{"id", "an id is 8 to 64 letters a-z, digits and hyphens"}
	}
	c.Name, c.Company, c.Email = line(c.Name), line(c.Company), line(c.Email)
	c.Note = strings.TrimSpace(strip(c.Note, true))
	if c.Name == "" {
		c.Name = c.Company
	}
	if c.Name == "" {
		return c, &FieldError{"name", "a contact needs a name"}
	}
	for _, f := range []struct {
		field, text string
		limit       int
	}{{"name", c.Name, MaxText}, {"company", c.Company, MaxText}, {"email", c.Email, MaxEmail}, {"note", c.Note, MaxNote}} {
		if err := within(f.field, f.text, f.limit); err != nil {
			return c, err
		}
	}
	var err error
	if c.Numbers, err = cleanNumbers(c.Numbers); err != nil {
		return c, err
	}
	c.Tags, err = cleanTags(c.Tags)
	return c, err
}

// cleanNumber removes what is not the number: the scheme of a link, and the colons that
// files have between numbers.
func cleanNumber(number string) string {
	number = line(strings.ReplaceAll(number, ":::", " "))
	for strings.HasPrefix(number, "tel:") {
		number = line(strings.TrimPrefix(number, "tel:"))
	}
	return number
}

func cleanNumbers(numbers []Number) ([]Number, error) {
	var clean []Number
	seen := map[Number]bool{}
	for _, n := range numbers {
		n = Number{Label: line(n.Label), Number: cleanNumber(n.Number)}
		if n.Number == "" || seen[n] {
			continue
		}
		seen[n] = true
		if err := within("numbers", n.Number, MaxNumber); err != nil {
			return nil, err
		}
		if err := within("numbers", n.Label, MaxLabel); err != nil {
			return nil, err
		}
		if Digits(n.Number) == "" {
			return nil, &FieldError{"numbers", fmt.Sprintf("%q has no digits", n.Number)}
		}
		clean = append(clean, n)
	}
	if len(clean) > MaxNumbers {
		return nil, &FieldError{"numbers", fmt.Sprintf("a contact has at most %d numbers", MaxNumbers)}
	}
	return clean, nil
}

// tagSeparators are what files have between tags: a tag cannot contain them.
var tagSeparators = strings.NewReplacer(",", " ", ";", " ", ":::", " ")

func cleanTags(tags []string) ([]string, error) {
	var clean []string
	seen := map[string]bool{}
	for _, tag := range tags {
		tag = line(tagSeparators.Replace(tag))
		if tag == "" || seen[Fold(tag)] {
			continue
		}
		seen[Fold(tag)] = true
		if err := within("tags", tag, MaxTag); err != nil {
			return nil, err
		}
		clean = append(clean, tag)
	}
	if len(clean) > MaxTags {
		return nil, &FieldError{"tags", fmt.Sprintf("a contact has at most %d tags", MaxTags)}
	}
	return clean, nil
}

func within(field, text string, limit int) error {
	if utf8.RuneCountInString(text) > limit {
		return &FieldError{field, fmt.Sprintf("at most %d characters", limit)}
	}
	return nil
}

// line returns text as one trimmed line with single spaces.
func line(text string) string {
	return strings.Join(strings.Fields(strip(text, false)), " ")
}

// strip removes what cannot be seen: control characters, and the marks that turn the
// direction of text, with which one name can pose as another. Line feeds stay if asked
// for; otherwise white space becomes a space.
func strip(text string, keepLines bool) string {
	text = strings.ReplaceAll(strings.ToValidUTF8(text, "\uFFFD"), "\r\n", "\n")
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\n' && keepLines:
			return r
		case unicode.IsSpace(r):
			return ' '
		case unicode.IsControl(r), unicode.Is(unicode.Bidi_Control, r), r == '\uFEFF':
			return -1
		}
		return r
	}, text)
}
