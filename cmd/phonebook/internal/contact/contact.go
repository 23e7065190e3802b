package contact

import (
	"crypto/sha256"
	"encoding/base32"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/google/uuid"
)

// A Contact is one entry of the phonebook. Its JSON form is that of the REST API, and
// its attributes in the table have the same names.
type Contact struct {
	// ID is 8 to 64 letters a-z, digits and hyphens. It never changes.
	ID      string   `json:"id" dynamodbav:"id"`
	Name    string   `json:"name" dynamodbav:"name"`
	Company string   `json:"company,omitempty" dynamodbav:"company,omitempty"`
	Email   string   `json:"email,omitempty" dynamodbav:"email,omitempty"`
	Note    string   `json:"note,omitempty" dynamodbav:"note,omitempty"`
	Numbers []Number `json:"numbers,omitempty" dynamodbav:"numbers,omitempty"`
	Tags    []string `json:"tags,omitempty" dynamodbav:"tags,omitempty"`
	// Version counts the writes, from 1. Whoever writes says which version it has
	// seen; 0 says that there was none.
	Version int64 `json:"version" dynamodbav:"version"`
	// Created, Updated and Deleted are milliseconds since 1970; Deleted is 0 for a
	// contact that is there.
	Created int64 `json:"created,omitempty" dynamodbav:"created,omitempty"`
	Updated int64 `json:"updated,omitempty" dynamodbav:"updated,omitempty"`
	Deleted int64 `json:"deleted,omitempty" dynamodbav:"deleted,omitempty"`
	// Import names the import that brought the contact, until it is edited.
	Import string `json:"import,omitempty" dynamodbav:"import,omitempty"`
}

// A Number is a telephone number as somebody wrote it, and what it is for.
type Number struct {
	Label  string `json:"label,omitempty" dynamodbav:"label,omitempty"`
	Number string `json:"number" dynamodbav:"number"`
}

// NewID returns a fresh random ID.
func NewID() string { return uuid.NewString() }

// ValidID reports whether id has the form of an ID.
func ValidID(id string) bool {
	if len(id) < 8 || len(id) > 64 {
		return false
	}
	return strings.Trim(id, "abcdefghijklmnopqrstuvwxyz0123456789-") == ""
}

// DerivedID returns an ID that depends only on key, or on c's fields if key is empty:
// who imports a file twice gets the same contacts, not their doubles.
func DerivedID(key string, c Contact) string {
	if key == "" {
		plain := Contact{Name: c.Name, Company: c.Company, Email: c.Email, Note: c.Note, Numbers: c.Numbers, Tags: c.Tags}
		text, err := json.Marshal(plain)
		if err != nil { // strings and slices of them always marshal
			return NewID()
		}
		key = "content\x00" + string(text)
	}
	sum := sha256.Sum256([]byte(key))
	return "i-" + strings.ToLower(base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(sum[:16]))
}

// A RecordError says why a record of a file is no contact.
type RecordError struct {
	Record int // from 1, without a header
	Err    error
}

func (e *RecordError) Error() string { return fmt.Sprintf("record %d: %v", e.Record, e.Err) }

// Unwrap returns the cause.
func (e *RecordError) Unwrap() error { return e.Err }
