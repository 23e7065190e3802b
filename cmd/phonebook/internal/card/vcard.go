package card

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"mime/quotedprintable"
	"slices"
	"strconv"
	"strings"

	"github.com/emersion/go-vcard"

	"github.com/stator-db/stator/cmd/phonebook/internal/contact"
)

// vcardReader finds the cards in a stream and gives them to the decoder one by one, so
// that a broken card does not end the file.
type vcardReader struct {
	lines   *bufio.Reader
	records int
}

func newVCardReader(r io.Reader) *vcardReader {
	return &vcardReader{lines: bufio.NewReaderSize(skipBOM(r), 64<<10)}
}

func (r *vcardReader) Next() (contact.Contact, error) {
	text, err := r.card()
	if err != nil {
		return contact.Contact{}, err
	}
	r.records++
	decoded, err := vcard.NewDecoder(bytes.NewReader(text)).Decode()
	if err == nil {
		var c contact.Contact
		if c, err = finish(fromVCard(decoded), decoded.Value(vcard.FieldUID)); err == nil {
			return c, nil
		}
	}
	return contact.Contact{}, &contact.RecordError{Record: r.records, Err: err}
}

// errCutOff is the error of a file that ends inside a card.
var errCutOff = errors.New("the file ends within a card")

// card returns the next card without the properties that make cards large (pictures,
// sounds, keys), unfolded. It returns io.EOF when there is none.
func (r *vcardReader) card() ([]byte, error) {
	var card []byte
	inside := false
	for {
		line, err := r.property()
		if err != nil {
			if errors.Is(err, io.EOF) && inside {
				err = errCutOff
			}
			return nil, err
		}
		name, value, _ := strings.Cut(string(line), ":")
		switch {
		case strings.EqualFold(name, "BEGIN") && strings.EqualFold(strings.TrimSpace(value), "VCARD"):
			inside, card = true, card[:0]
		case !inside, skipped(name):
			continue
		}
		card = append(append(card, withParameterNames(line)...), '\n')
		if len(card) > maxRecord {
			return nil, errRecordSize
		}
		if strings.EqualFold(name, "END") {
			return card, nil
		}
	}
}

// withParameterNames turns the bare parameters of version 2.1 ("TEL;CELL:1") into those
// of later versions ("TEL;TYPE=CELL:1"), which are the only ones the decoder takes.
func withParameterNames(line []byte) []byte {
	name, value, found := bytes.Cut(line, []byte(":"))
	if !found || bytes.IndexByte(name, '"') >= 0 {
		return line
	}
	parts := bytes.Split(name, []byte(";"))
	for i, part := range parts {
		if i == 0 || len(part) == 0 || bytes.IndexByte(part, '=') >= 0 {
			continue
		}
		prefix := "TYPE="
		if bytes.EqualFold(part, []byte("QUOTED-PRINTABLE")) {
			prefix = "ENCODING="
		}
		parts[i] = append([]byte(prefix), part...)
	}
	return slices.Concat(bytes.Join(parts, []byte(";")), []byte(":"), value)
}

// skipped reports whether a property is of no use and may be large.
func skipped(name string) bool {
	name, _, _ = strings.Cut(name, ";")
	if _, after, grouped := strings.Cut(name, "."); grouped {
		name = after
	}
	switch strings.ToUpper(name) {
	case "PHOTO", "LOGO", "SOUND", "KEY":
		return true
	}
	return false
}

// property returns a logical line: lines that begin with white space continue the one
// before, and so does the line after a quoted-printable one that ends with "=". What a
// line has beyond maxRecord is dropped; only pictures are that long.
func (r *vcardReader) property() ([]byte, error) {
	var property []byte
	for {
		line, more, err := r.lines.ReadLine()
		if err != nil {
			if errors.Is(err, io.EOF) && len(property) > 0 {
				return property, nil
			}
			return nil, err
		}
		line = bytes.Clone(line)
		for more {
			var rest []byte
			if rest, more, err = r.lines.ReadLine(); err != nil {
				return nil, err
			}
			if len(line) < maxRecord {
				line = append(line, rest...)
			}
		}
		if len(property) > 0 && len(line) > 0 && (line[0] == ' ' || line[0] == '\t') {
			line = line[1:]
		}
		if len(property)+len(line) <= maxRecord {
			property = append(property, line...)
		}
		if soft := bytes.HasSuffix(property, []byte("=")) && quotedPrintable(property); soft {
			property = property[:len(property)-1]
			continue
		}
		if next, err := r.lines.Peek(1); err == nil && (next[0] == ' ' || next[0] == '\t') {
			continue
		}
		return property, nil
	}
}

func quotedPrintable(property []byte) bool {
	name, _, _ := bytes.Cut(property, []byte(":"))
	return bytes.Contains(bytes.ToUpper(name), []byte("QUOTED-PRINTABLE"))
}

func fromVCard(card vcard.Card) contact.Contact {
	c := contact.Contact{
		Name:    text(card.Preferred(vcard.FieldFormattedName)),
		Company: strings.Join(components(text(card.Preferred(vcard.FieldOrganization))), " "),
		Email:   text(card.Preferred(vcard.FieldEmail)),
		Note:    text(card.Get(vcard.FieldNote)),
	}
	if strings.TrimSpace(c.Name) == "" {
		c.Name = structuredName(text(card.Get(vcard.FieldName)))
	}
	for _, field := range card[vcard.FieldTelephone] {
		c.Numbers = append(c.Numbers, contact.Number{Label: label(card, field), Number: text(field)})
	}
	for _, field := range card[vcard.FieldCategories] {
		c.Tags = append(c.Tags, strings.Split(text(field), ",")...)
	}
	return c
}

// text returns a field's value. Version 2.1 has values in quoted-printable.
func text(field *vcard.Field) string {
	if field == nil {
		return ""
	}
	if !strings.EqualFold(field.Params.Get("ENCODING"), "QUOTED-PRINTABLE") {
		return field.Value
	}
	decoded, err := io.ReadAll(quotedprintable.NewReader(strings.NewReader(field.Value)))
	if err != nil {
		return field.Value
	}
	return string(decoded)
}

// components splits a structured value and drops the empty parts.
func components(value string) []string {
	var parts []string
	for part := range strings.SplitSeq(strings.ReplaceAll(value, `\;`, "\x00"), ";") {
		if part = strings.TrimSpace(strings.ReplaceAll(part, "\x00", ";")); part != "" {
			parts = append(parts, part)
		}
	}
	return parts
}

// structuredName turns family;given;middle;prefix;suffix into a name.
func structuredName(value string) string {
	parts := append(strings.SplitN(value, ";", 5), "", "", "", "", "")
	return strings.Join([]string{parts[3], parts[1], parts[2], parts[0], parts[4]}, " ")
}

// labels are the types of numbers in vCard and what they are called here.
var labels = []struct{ vcard, name string }{
	{"cell", "mobile"}, {"fax", "fax"}, {"pager", "pager"}, {"work", "work"}, {"home", "home"}, {"main", "main"}, {"car", "car"},
}

// label returns what a number is for: by Apple's label in the same group, or its type.
func label(card vcard.Card, field *vcard.Field) string {
	if field.Group != "" {
		for _, l := range card["X-ABLABEL"] {
			if strings.EqualFold(l.Group, field.Group) {
				return strings.TrimSuffix(strings.TrimPrefix(l.Value, "_$!<"), ">!$_")
			}
		}
	}
	for _, l := range labels {
		if field.Params.HasType(l.vcard) {
			return l.name
		}
	}
	return ""
}

type vcardWriter struct {
	buffer *bufio.Writer
	enc    *vcard.Encoder
}

func newVCardWriter(w io.Writer) *vcardWriter {
	buffer := bufio.NewWriter(w)
	return &vcardWriter{buffer: buffer, enc: vcard.NewEncoder(buffer)}
}

func (w *vcardWriter) Flush() error { return w.buffer.Flush() }

// Write writes a card of version 3.0, which every program reads.
func (w *vcardWriter) Write(c contact.Contact) error {
	card := vcard.Card{}
	add := func(key, value string) {
		if value != "" {
			card.AddValue(key, value)
		}
	}
	add(vcard.FieldVersion, "3.0")
	add(vcard.FieldUID, idPrefix+c.ID)
	add(vcard.FieldFormattedName, c.Name)
	words := strings.Fields(strings.ReplaceAll(c.Name, ";", " "))
	family := ""
	if len(words) > 0 {
		family = words[len(words)-1]
		words = words[:len(words)-1]
	}
	card.AddValue(vcard.FieldName, family+";"+strings.Join(words, " ")+";;;")
	add(vcard.FieldOrganization, strings.ReplaceAll(c.Company, ";", ","))
	add(vcard.FieldEmail, c.Email)
	add(vcard.FieldNote, c.Note)
	for i, n := range c.Numbers {
		field := &vcard.Field{Value: n.Number}
		if kind := vcardType(n.Label); kind != "" {
			field.Params = vcard.Params{vcard.ParamType: {kind}}
		} else if n.Label != "" {
			field.Group = "item" + strconv.Itoa(i+1)
			card.Add("X-ABLABEL", &vcard.Field{Group: field.Group, Value: n.Label})
		}
		card.Add(vcard.FieldTelephone, field)
	}
	for _, tag := range c.Tags {
		add(vcard.FieldCategories, tag)
	}
	return w.enc.Encode(card)
}

func vcardType(label string) string {
	for _, l := range labels {
		if l.name == label {
			return l.vcard
		}
	}
	return ""
}
