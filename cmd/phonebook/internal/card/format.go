package card

import (
	"errors"
	"fmt"
	"io"

	"github.com/stator-db/stator/cmd/phonebook/internal/contact"
)

// Names of the formats.
const (
	VCard = "vcard"
	CSV   = "csv"
)

// ErrFormat is returned for a format that is neither VCard nor CSV.
var ErrFormat = errors.New("format is neither vcard nor csv")

// A Reader yields contacts and io.EOF at the end. A *contact.RecordError is about one
// record, other errors end the file.
type Reader interface {
	Next() (contact.Contact, error)
}

// A Writer writes contacts. Flush ends the file.
type Writer interface {
	Write(contact.Contact) error
	Flush() error
}

// NewReader reads contacts in a format.
func NewReader(format string, r io.Reader) (Reader, error) {
	switch format {
	case VCard:
		return newVCardReader(r), nil
	case CSV:
		return newCSVReader(r), nil
	}
	return nil, fmt.Errorf("%w: %q", ErrFormat, format)
}

// NewWriter writes contacts in a format.
func NewWriter(format string, w io.Writer) (Writer, error) {
	switch format {
	case VCard:
		return newVCardWriter(w), nil
	case CSV:
		return newCSVWriter(w), nil
	}
	return nil, fmt.Errorf("%w: %q", ErrFormat, format)
}

// ContentType is the media type of a format's files.
func ContentType(format string) string {
	if format == VCard {
		return "text/vcard; charset=utf-8"
	}
	return "text/csv; charset=utf-8; header=present"
}

// Extension is the usual end of a format's file names.
func Extension(format string) string {
	if format == VCard {
		return ".vcf"
	}
	return ".csv"
}

// idPrefix marks the UIDs that are IDs of this phonebook.
const idPrefix = "urn:x-phonebook:"

// identify gives a contact from a file its ID: its own if a phonebook wrote the file,
// otherwise one derived from uid or, without one, from the contact's fields.
func identify(c contact.Contact, uid string) contact.Contact {
	if len(uid) > len(idPrefix) && uid[:len(idPrefix)] == idPrefix && contact.ValidID(uid[len(idPrefix):]) {
		c.ID = uid[len(idPrefix):]
	} else {
		c.ID = contact.DerivedID(uid, c)
	}
	return c
}

// finish cleans a contact from a file and gives it its ID. The fields are cleaned
// first, so that the same contact in two formats has the same ID.
func finish(c contact.Contact, uid string) (contact.Contact, error) {
	c.ID = contact.NewID() // Clean wants one
	c, err := c.Clean()
	return identify(c, uid), err
}
