package card

import (
	"bufio"
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strings"

	"github.com/stator-db/stator/cmd/phonebook/internal/contact"
)

// maxRecord bounds one record of a file, and with it the memory of a reader.
const maxRecord = 1 << 20

// errRecordSize ends a file with a longer record: where it ends is anybody's guess.
var errRecordSize = fmt.Errorf("a record is longer than %d bytes", maxRecord)

// column says what a column of a CSV file holds.
type column struct {
	field  string // name, given, family, company, email, note, tags, id, number, label; empty: ignored
	number int    // which number, for number and label
	label  string // label of a number column without a label column
}

// phoneColumn matches "Phone 2 - Value" and its likes.
var phoneColumn = regexp.MustCompile(`^phone (\d{1,2}) - (value|type|label)$`)

// columns are headers in lower case.
var columns = map[string]column{
	"name": {field: "name"}, "full name": {field: "name"}, "display name": {field: "name"}, "fn": {field: "name"},
	"first name": {field: "given"}, "given name": {field: "given"},
	"middle name": {field: "middle"}, "additional name": {field: "middle"},
	"last name": {field: "family"}, "family name": {field: "family"}, "surname": {field: "family"},
	"company": {field: "company"}, "organization": {field: "company"}, "organisation": {field: "company"},
	"organization name": {field: "company"}, "organization 1 - name": {field: "company"},
	"email": {field: "email"}, "e-mail": {field: "email"}, "e-mail address": {field: "email"},
	"email address": {field: "email"}, "e-mail 1 - value": {field: "email"},
	"note": {field: "note"}, "notes": {field: "note"},
	"tags": {field: "tags"}, "labels": {field: "tags"}, "categories": {field: "tags"}, "group membership": {field: "tags"},
	"id":    {field: "id"},
	"phone": {field: "number"}, "number": {field: "number"}, "telephone": {field: "number"}, "phone number": {field: "number"},
	"mobile": {field: "number", label: "mobile"}, "mobile phone": {field: "number", label: "mobile"},
	"home phone": {field: "number", label: "home"}, "home phone 2": {field: "number", label: "home"},
	"business phone": {field: "number", label: "work"}, "business phone 2": {field: "number", label: "work"},
	"work phone": {field: "number", label: "work"}, "primary phone": {field: "number", label: "main"},
	"other phone": {field: "number", label: "other"},
}

type csvReader struct {
	limited *recordLimit
	csv     *csv.Reader
	columns []column
	records int
}

func newCSVReader(r io.Reader) *csvReader {
	limited := &recordLimit{r: r, left: maxRecord}
	return &csvReader{limited: limited, csv: csv.NewReader(skipBOM(limited))}
}

// skipBOM removes the mark that spreadsheets put before UTF-8.
func skipBOM(r io.Reader) io.Reader {
	b := bufio.NewReader(r)
	if mark, err := b.Peek(3); err == nil && bytes.Equal(mark, []byte("\xEF\xBB\xBF")) {
		_, _ = b.Discard(3) // they are in the buffer
	}
	return b
}

// recordLimit fails when one record makes its reader ask for too much.
type recordLimit struct {
	r    io.Reader
	left int
}

func (l *recordLimit) Read(p []byte) (int, error) {
	if l.left <= 0 {
		return 0, errRecordSize
	}
	n, err := l.r.Read(p[:min(len(p), l.left)])
	l.left -= n
	return n, err
}

func (r *csvReader) Next() (contact.Contact, error) {
	if r.columns == nil {
		if err := r.readHeader(); err != nil {
			return contact.Contact{}, err
		}
	}
	r.limited.left = maxRecord
	record, err := r.csv.Read()
	var syntax *csv.ParseError
	switch {
	case errors.Is(err, io.EOF), errors.Is(err, errRecordSize):
		return contact.Contact{}, err
	case errors.As(err, &syntax):
		r.records++
		return contact.Contact{}, &contact.RecordError{Record: r.records, Err: err}
	case err != nil:
		return contact.Contact{}, err
	}
	r.records++
	c, id := r.contact(record)
	c, err = finish(c, id)
	if err != nil {
		return contact.Contact{}, &contact.RecordError{Record: r.records, Err: err}
	}
	return c, nil
}

func (r *csvReader) readHeader() error {
	r.csv.FieldsPerRecord, r.csv.LazyQuotes, r.csv.ReuseRecord = -1, true, true
	header, err := r.csv.Read()
	if err != nil {
		return err
	}
	if len(header) == 1 && strings.Contains(header[0], ";") { // Excel where the comma is a decimal point
		header = strings.Split(header[0], ";")
		r.csv.Comma = ';'
	}
	named := false
	for _, name := range header {
		name = strings.ToLower(strings.Trim(strings.TrimSpace(name), `"`))
		c, known := columns[name]
		if m := phoneColumn.FindStringSubmatch(name); m != nil {
			c = column{field: "label"}
			if m[2] == "value" {
				c.field = "number"
			}
			_, err := fmt.Sscan(m[1], &c.number)
			known = err == nil
		}
		if known && (c.field == "name" || c.field == "given" || c.field == "family" || c.field == "company") {
			named = true
		}
		r.columns = append(r.columns, c)
	}
	if !named {
		return errors.New("the first line names no column that holds a name: expected Name, First Name, Last Name or Company")
	}
	return nil
}

// contact reads a record. The record's strings are only valid until the next one.
func (r *csvReader) contact(record []string) (contact.Contact, string) {
	var c contact.Contact
	var id string
	var given, middle, family string
	labels := map[int]string{}
	type number struct {
		which int
		label string
		text  string
	}
	var numbers []number
	for i, value := range record {
		if i >= len(r.columns) || value == "" {
			continue
		}
		value = fromSpreadsheet(strings.Clone(value))
		switch col := r.columns[i]; col.field {
		case "name":
			c.Name = value
		case "given":
			given = value
		case "middle":
			middle = value
		case "family":
			family = value
		case "company":
			c.Company = value
		case "email":
			c.Email = value
		case "note":
			c.Note = value
		case "tags":
			c.Tags = splitTags(value)
		case "id":
			id = idPrefix + value
		case "label":
			labels[col.number] = unmarked(value)
		case "number":
			// Google puts several numbers with one label into one field.
			for text := range strings.SplitSeq(value, ":::") {
				numbers = append(numbers, number{which: col.number, label: col.label, text: text})
			}
		}
	}
	if strings.TrimSpace(c.Name) == "" {
		c.Name = given + " " + middle + " " + family
	}
	for _, n := range numbers {
		label := n.label
		if label == "" {
			label = labels[n.which]
		}
		c.Numbers = append(c.Numbers, contact.Number{Label: label, Number: n.text})
	}
	return c, id
}

// splitTags takes "a;b", "a, b" and Google's "* friends ::: * myContacts".
func splitTags(text string) []string {
	text = strings.NewReplacer(":::", ",", ";", ",").Replace(text)
	var tags []string
	for tag := range strings.SplitSeq(text, ",") {
		tags = append(tags, unmarked(tag))
	}
	return tags
}

// unmarked takes away the asterisk with which Google marks a preferred number's label
// and the groups that everybody has. A text that begins with one of its own has an
// apostrophe before it, see [marked].
func unmarked(text string) string {
	text = strings.TrimLeft(strings.TrimSpace(text), "* ")
	if strings.HasPrefix(strings.TrimLeft(text, "'"), "*") {
		return text[1:]
	}
	return text
}

// marked puts an apostrophe before an asterisk that is no mark of Google's, and one more
// where there are some.
func marked(text string) string {
	if strings.HasPrefix(strings.TrimLeft(text, "'"), "*") {
		return "'" + text
	}
	return text
}

type csvWriter struct {
	csv    *csv.Writer
	header bool
}

func newCSVWriter(w io.Writer) *csvWriter { return &csvWriter{csv: csv.NewWriter(w)} }

func (w *csvWriter) Write(c contact.Contact) error {
	if err := w.writeHeader(); err != nil {
		return err
	}
	tags := make([]string, len(c.Tags))
	for i, tag := range c.Tags {
		tags[i] = marked(tag)
	}
	record := []string{c.Name, c.Company, c.Email, c.Note, strings.Join(tags, ","), c.ID}
	for i := range contact.MaxNumbers {
		var n contact.Number
		if i < len(c.Numbers) {
			n = c.Numbers[i]
		}
		record = append(record, marked(n.Label), n.Number)
	}
	for i := range record {
		record[i] = forSpreadsheet(record[i])
	}
	return w.csv.Write(record)
}

func (w *csvWriter) writeHeader() error {
	if w.header {
		return nil
	}
	w.header = true
	header := []string{"Name", "Company", "Email", "Notes", "Labels", "Id"}
	for i := range contact.MaxNumbers {
		header = append(header, fmt.Sprintf("Phone %d - Label", i+1), fmt.Sprintf("Phone %d - Value", i+1))
	}
	return w.csv.Write(header)
}

// Flush writes the header too, if there were no contacts.
func (w *csvWriter) Flush() error {
	if err := w.writeHeader(); err != nil {
		return err
	}
	w.csv.Flush()
	return w.csv.Error()
}

// forSpreadsheet puts an apostrophe before a text that a spreadsheet would run as a
// formula, and fromSpreadsheet takes it away. A plain telephone number may begin with
// its plus.
func forSpreadsheet(text string) string {
	if text == "" || !strings.ContainsRune("=+-@'\t\r", rune(text[0])) || plainNumber.MatchString(text) {
		return text
	}
	return "'" + text
}

func fromSpreadsheet(text string) string {
	if len(text) > 1 && text[0] == '\'' && strings.ContainsRune("=+-@'\t\r", rune(text[1])) {
		return text[1:]
	}
	return text
}

var plainNumber = regexp.MustCompile(`^\+[0-9 ()./-]*$`)
