package book_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/stator-db/stator/cmd/phonebook/internal/book"
	"github.com/stator-db/stator/cmd/phonebook/internal/book/booktest"
	"github.com/stator-db/stator/cmd/phonebook/internal/contact"
	"github.com/stator-db/stator/cmd/phonebook/internal/sample"
)

func recent(t testing.TB, b *book.Book) []book.Change {
	t.Helper()
	for {
		changes, behind, err := b.Changes.Recent(t.Context(), time.Minute)
		require.NoError(t, err)
		if !behind {
			return changes
		}
	}
}

func TestChanges(t *testing.T) {
	now := time.UnixMilli(1_767_225_600_000)
	b, _ := booktest.Open(t, func(o *book.Options) {
		o.Now = func() time.Time {
			now = now.Add(time.Second)
			return now
		}
	})
	ctx := t.Context()
	require.Empty(t, recent(t, b))
	c := save(t, b, contact.Contact{ID: "contact-1", Name: "Ada Lovelace", Tags: []string{"x"}, Numbers: []contact.Number{{Number: "030 1"}}})
	require.Len(t, recent(t, b), 1)
	c.Name, c.Note = "Ada", "hello"
	c = save(t, b, c)
	c, err := b.Delete(ctx, c.ID, c.Version)
	require.NoError(t, err)
	_, err = b.Restore(ctx, c.ID, c.Version)
	require.NoError(t, err)
	_, err = b.Import(ctx, "import-1", sample.New(120, 1), nil)
	require.NoError(t, err)

	changes := recent(t, b)
	for i := range changes {
		require.Positive(t, changes[i].Time)
		changes[i].Time = 0
	}
	require.Equal(t, []book.Change{
		{Kind: book.ChangeImported, Import: "import-1", Count: 120},
		{Kind: book.ChangeRestored, ID: "contact-1", Name: "Ada", Version: 4},
		{Kind: book.ChangeDeleted, ID: "contact-1", Name: "Ada", Version: 3},
		{Kind: book.ChangeEdited, ID: "contact-1", Name: "Ada", Version: 2, Fields: []string{"name", "note"}},
		{Kind: book.ChangeAdded, ID: "contact-1", Name: "Ada Lovelace", Version: 1},
	}, changes)
	require.Equal(t, len(changes), len(recent(t, b)))
}

// A stream that is longer than a request may read is read by the next ones.
func TestChangesWithinABudget(t *testing.T) {
	b, _ := booktest.Open(t, nil)
	save(t, b, contact.Contact{Name: "Ada"})
	changes, behind, err := b.Changes.Recent(context.Background(), 0)
	require.NoError(t, err)
	require.True(t, behind)
	require.Empty(t, changes)
	require.Len(t, recent(t, b), 1)
}

func TestChangesAreBounded(t *testing.T) {
	b, _ := booktest.Open(t, nil)
	c := save(t, b, contact.Contact{Name: "0"})
	for i := range 210 {
		c.Note = string(rune('a' + i%26))
		c = save(t, b, c)
	}
	changes := recent(t, b)
	require.Len(t, changes, 200)
	require.Equal(t, c.Version, changes[0].Version)
}
