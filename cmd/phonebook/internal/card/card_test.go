package card

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/stator-db/stator/cmd/phonebook/internal/contact"
)

// read returns the contacts of a file without their IDs, and the refused records.
func read(t testing.TB, format, file string) (contacts []contact.Contact, refused []string) {
	t.Helper()
	r, err := NewReader(format, strings.NewReader(file))
	require.NoError(t, err)
	for {
		c, err := r.Next()
		var record *contact.RecordError
		switch {
		case errors.Is(err, io.EOF):
			return contacts, refused
		case errors.As(err, &record):
			refused = append(refused, record.Error())
			continue
		}
		require.NoError(t, err)
		require.True(t, contact.ValidID(c.ID))
		c.ID = ""
		contacts = append(contacts, c)
	}
}

func TestReadCSV(t *testing.T) {
	ada := contact.Contact{Name: "Ada Lovelace", Company: "Engines", Numbers: []contact.Number{{Label: "mobile", Number: "+44 20 7946 0001"}}}
	tests := []struct {
		name, file string
		want       []contact.Contact
	}{
		{"plain", "\xEF\xBB\xBFName,Company,Mobile\nAda Lovelace,Engines,+44 20 7946 0001\n", []contact.Contact{ada}},
		{"semicolons", "Name;Company;Mobile\r\nAda Lovelace;Engines;+44 20 7946 0001\r\n", []contact.Contact{ada}},
		{
			"google", "First Name,Last Name,Organization Name,Labels,Phone 1 - Label,Phone 1 - Value,Photo\n" +
				"Ada,Lovelace,Engines,* friends ::: * myContacts,Work,030 1 ::: 030 2,x\n",
			[]contact.Contact{{
				Name: "Ada Lovelace", Company: "Engines", Tags: []string{"friends", "myContacts"},
				Numbers: []contact.Number{{Label: "Work", Number: "030 1"}, {Label: "Work", Number: "030 2"}},
			}},
		},
		{"outlook", "\"First Name\",\"Last Name\",\"Business Phone\",\"Notes\"\n\"Ada\",\"Lovelace\",\"030 1\",\"two\nlines\"\n", []contact.Contact{{
			Name: "Ada Lovelace", Note: "two\nlines", Numbers: []contact.Number{{Label: "work", Number: "030 1"}},
		}}},
		{"formula", "Name\n'=1+1\n", []contact.Contact{{Name: "=1+1"}}},
		{"short and long lines", "Name,Company\nAda\nBob,B,C,D\n", []contact.Contact{{Name: "Ada"}, {Name: "Bob", Company: "B"}}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			contacts, refused := read(t, CSV, tt.file)
			require.Empty(t, refused)
			require.Equal(t, tt.want, contacts)
		})
	}
}

func TestReadVCard(t *testing.T) {
	file := "\xEF\xBB\xBFBEGIN:VCARD\r\nVERSION:3.0\r\nN:Lovelace;Ada;King;;\r\nFN:Ada Love\r\n lace\r\n" +
		"TEL;TYPE=CELL:+44 1\r\nitem1.TEL:030 2\r\nitem1.X-ABLabel:Büro\r\nPHOTO;ENCODING=b:AAAA\r\n BBBB\r\n" +
		"CATEGORIES:friends,work\r\nNOTE:one\\ntwo\\, three\r\nORG:Engines;Research\r\nEND:VCARD\r\n" +
		"noise\r\n" +
		"BEGIN:VCARD\nVERSION:2.1\nN;CHARSET=UTF-8;ENCODING=QUOTED-PRINTABLE:M=C3=BCller;=\nJ=C3=B6rg;;;\nTEL;CELL:0171 3\nEND:VCARD\n" +
		"BEGIN:VCARD\nVERSION:4.0\nTEL:tel:+49-30-4\nEND:VCARD\n" +
		"begin:vcard\nversion:4.0\nfn:Bob\ntel;value=uri;type=home:tel:+49-30-4\nend:vcard"
	contacts, refused := read(t, VCard, file)
	require.Equal(t, []string{"record 3: name: a contact needs a name"}, refused)
	require.Equal(t, []contact.Contact{
		{
			Name: "Ada Lovelace", Company: "Engines Research", Note: "one\ntwo, three", Tags: []string{"friends", "work"},
			Numbers: []contact.Number{{Label: "mobile", Number: "+44 1"}, {Label: "Büro", Number: "030 2"}},
		},
		{Name: "Jörg Müller", Numbers: []contact.Number{{Label: "mobile", Number: "0171 3"}}},
		{Name: "Bob", Numbers: []contact.Number{{Label: "home", Number: "+49-30-4"}}},
	}, contacts)
}

func TestReaderRefusesFiles(t *testing.T) {
	for _, tt := range []struct{ name, format, file, want string }{
		{"csv without names", CSV, "a,b\n1,2\n", "the first line names no column that holds a name: expected Name, First Name, Last Name or Company"},
		{"csv record too long", CSV, "Name\n\"" + strings.Repeat("x", 2*maxRecord), errRecordSize.Error()},
		{"vcard cut off", VCard, "BEGIN:VCARD\nFN:Ada\n", errCutOff.Error()},
		{"vcard too long", VCard, "BEGIN:VCARD\n" + strings.Repeat("NOTE:"+strings.Repeat("x", 1000)+"\n", 1100), errRecordSize.Error()},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r, err := NewReader(tt.format, strings.NewReader(tt.file))
			require.NoError(t, err)
			_, err = r.Next()
			require.EqualError(t, err, tt.want)
		})
	}
	_, err := NewReader("xml", nil)
	require.ErrorIs(t, err, ErrFormat)
	_, err = NewWriter("xml", nil)
	require.ErrorIs(t, err, ErrFormat)
}

// Whatever a contact holds, a file brings it back under its own ID.
func TestRoundTrip(t *testing.T) {
	for _, format := range []string{VCard, CSV} {
		t.Run(format, func(t *testing.T) {
			rapid.Check(t, func(t *rapid.T) {
				text := rapid.OneOf(rapid.String(), rapid.SampledFrom([]string{"=cmd|' /C calc'!A0", "a,b\\n;\"c\"", "'=1", "\\", "BEGIN:VCARD", "* x", "'*", "''*,*", "a ::: b", "tel:tel:1"}))
				c := contact.Contact{
					ID: contact.NewID(), Name: text.Draw(t, "name"), Note: text.Draw(t, "note"), Email: text.Draw(t, "email"),
					Company: strings.ReplaceAll(strings.ReplaceAll(text.Draw(t, "company"), ";", ""), `\`, ""),
					Numbers: []contact.Number{{Label: text.Draw(t, "label"), Number: text.Draw(t, "number") + "+49 30 1"}},
					Tags:    []string{text.Draw(t, "tag"), text.Draw(t, "tag")},
				}
				want, err := c.Clean()
				if err != nil {
					t.Skip("not a contact")
				}
				var file bytes.Buffer
				w, err := NewWriter(format, &file)
				require.NoError(t, err)
				require.NoError(t, w.Write(want))
				require.NoError(t, w.Flush())
				r, err := NewReader(format, &file)
				require.NoError(t, err)
				got, err := r.Next()
				require.NoError(t, err)
				require.Equal(t, want, got)
				_, err = r.Next()
				require.ErrorIs(t, err, io.EOF)
			})
		})
	}
}

func TestEmptyExportHasAHeader(t *testing.T) {
	var file bytes.Buffer
	w, err := NewWriter(CSV, &file)
	require.NoError(t, err)
	require.NoError(t, w.Flush())
	require.True(t, strings.HasPrefix(file.String(), "Name,Company,Email,Notes,Labels,Id,Phone 1 - Label,Phone 1 - Value,"))
}

func FuzzVCard(f *testing.F) {
	f.Add("BEGIN:VCARD\nVERSION:4.0\nFN:Ada\nTEL;TYPE=\"cell,home\":1\nEND:VCARD\n")
	f.Add("BEGIN:VCARD\nN;QUOTED-PRINTABLE:a=\n =\nEND:VCARD")
	f.Fuzz(func(t *testing.T, file string) { drain(t, VCard, file) })
}

func FuzzCSV(f *testing.F) {
	f.Add("Name,Phone 1 - Value\n\"a\"\"b\",1\n")
	f.Add("Name;Phone\nx;2\n")
	f.Fuzz(func(t *testing.T, file string) { drain(t, CSV, file) })
}

// drain reads a file to its end; every contact must be clean.
func drain(t *testing.T, format, file string) {
	r, err := NewReader(format, strings.NewReader(file))
	require.NoError(t, err)
	for {
		c, err := r.Next()
		var record *contact.RecordError
		if errors.As(err, &record) {
			continue
		}
		if err != nil {
			return
		}
		again, err := c.Clean()
		require.NoError(t, err)
		require.Equal(t, c, again)
	}
}
