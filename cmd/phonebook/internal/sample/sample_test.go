package sample

import (
	"errors"
	"io"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/stator-db/stator/cmd/phonebook/internal/contact"
)

func TestSameSeedSameContacts(t *testing.T) {
	a, b, other := all(t, New(50, 1)), all(t, New(50, 1)), all(t, New(50, 2))
	require.Len(t, a, 50)
	require.Equal(t, a, b)
	require.NotEqual(t, a, other)
}

func all(t *testing.T, s *Contacts) []contact.Contact {
	t.Helper()
	var contacts []contact.Contact
	for {
		c, err := s.Next()
		if errors.Is(err, io.EOF) {
			return contacts
		}
		require.NoError(t, err)
		contacts = append(contacts, c)
	}
}
