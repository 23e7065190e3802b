package book_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync/atomic"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/smithy-go/middleware"
	"github.com/stretchr/testify/require"

	"github.com/stator-db/stator/cmd/phonebook/internal/book"
	"github.com/stator-db/stator/cmd/phonebook/internal/book/booktest"
	"github.com/stator-db/stator/cmd/phonebook/internal/contact"
	"github.com/stator-db/stator/cmd/phonebook/internal/sample"
)

// source yields what it holds: contacts and errors.
type source []any

func (s *source) Next() (contact.Contact, error) {
	if len(*s) == 0 {
		return contact.Contact{}, io.EOF
	}
	next := (*s)[0]
	*s = (*s)[1:]
	if err, ok := next.(error); ok {
		return contact.Contact{}, err
	}
	return next.(contact.Contact), nil
}

func TestImport(t *testing.T) {
	b, _ := booktest.Open(t, nil)
	ctx := t.Context()
	edited := save(t, b, contact.Contact{ID: "contact-edited", Name: "Edited", Note: "keep me"})
	deleted := save(t, b, contact.Contact{ID: "contact-deleted", Name: "Deleted"})
	_, err := b.Delete(ctx, deleted.ID, deleted.Version)
	require.NoError(t, err)
	file := func() *source {
		return &source{
			contact.Contact{ID: "contact-new", Name: "New", Tags: []string{"t"}, Numbers: []contact.Number{{Number: "030 1234"}}},
			&contact.RecordError{Record: 2, Err: errors.New("no name")},
			contact.Contact{ID: edited.ID, Name: "From the file"},
			contact.Contact{ID: deleted.ID, Name: "From the file"},
			contact.Contact{ID: "contact-new", Name: "Twice"},
		}
	}
	var reports []book.Progress
	p, err := b.Import(ctx, "import-1", file(), func(p book.Progress) { reports = append(reports, p) })
	require.NoError(t, err)
	require.Equal(t, p, reports[len(reports)-1])
	require.Equal(t, []any{"import-1", book.ImportDone, 5, 1, 2, 1, 1, []string{"record 2: no name"}},
		[]any{p.ID, p.State, p.Read, p.Added, p.Present, p.Restored, p.Refused, p.Problems})
	require.Equal(t, []string{"Deleted", "Edited", "New"}, names(t)(b.ByName(ctx, "", book.PageOptions{})))
	require.Equal(t, []string{"New"}, names(t)(b.ByNumber(ctx, "1234", book.PageOptions{})))
	require.Equal(t, []string{"New"}, names(t)(b.ByTag(ctx, "t", book.PageOptions{})))
	kept, err := b.Get(ctx, edited.ID)
	require.NoError(t, err)
	require.Equal(t, edited, kept)

	p, err = b.Import(ctx, "import-2", file(), nil)
	require.NoError(t, err)
	require.Equal(t, []int{0, 4, 0}, []int{p.Added, p.Present, p.Restored})
}

func TestImportEndsWithItsSource(t *testing.T) {
	b, _ := booktest.Open(t, nil)
	broken := errors.New("broken pipe")
	p, err := b.Import(t.Context(), "import-1", &source{contact.Contact{ID: "contact-1", Name: "Ada"}, broken}, nil)
	require.ErrorIs(t, err, broken)
	require.Equal(t, book.ImportFailed, p.State)
	require.Equal(t, "broken pipe", p.Error)
	require.Equal(t, 1, p.Added)

	ctx, cancel := context.WithCancelCause(t.Context())
	stopped := errors.New("stopped")
	cancel(stopped)
	_, err = b.Import(ctx, "import-2", sample.New(10, 1), nil)
	require.ErrorIs(t, err, stopped)
}

// forgetful makes BatchWriteItem return the first half of every batch as unprocessed
// and counts the calls.
func forgetful(calls *atomic.Int64) func(*dynamodb.Options) {
	return func(o *dynamodb.Options) {
		o.APIOptions = append(o.APIOptions, func(stack *middleware.Stack) error {
			return stack.Initialize.Add(middleware.InitializeMiddlewareFunc("forgetful",
				func(ctx context.Context, in middleware.InitializeInput, next middleware.InitializeHandler) (middleware.InitializeOutput, middleware.Metadata, error) {
					batch, ok := in.Parameters.(*dynamodb.BatchWriteItemInput)
					if !ok {
						return next.HandleInitialize(ctx, in)
					}
					calls.Add(1)
					requests := batch.RequestItems[booktest.Table]
					half := len(requests) / 2
					sent := *batch
					sent.RequestItems = map[string][]types.WriteRequest{booktest.Table: requests[half:]}
					out, metadata, err := next.HandleInitialize(ctx, middleware.InitializeInput{Parameters: &sent})
					if result, ok := out.Result.(*dynamodb.BatchWriteItemOutput); ok && half > 0 {
						result.UnprocessedItems = map[string][]types.WriteRequest{booktest.Table: requests[:half]}
					}
					return out, metadata, err
				}), middleware.After)
		})
	}
}

// What a batch leaves over is sent again until everything is there.
func TestImportSendsUnprocessedItemsAgain(t *testing.T) {
	var calls atomic.Int64
	b, _ := booktest.Open(t, func(o *book.Options) { o.DB = dynamodb.New(o.DB.Options(), forgetful(&calls)) })
	const count = 60
	p, err := b.Import(t.Context(), "import-1", sample.New(count, 1), nil)
	require.NoError(t, err)
	require.Equal(t, count, p.Added)
	require.Greater(t, calls.Load(), int64(20))
	source := sample.New(count, 1)
	for range count {
		c, err := source.Next()
		require.NoError(t, err)
		stored, err := b.Get(t.Context(), c.ID)
		require.NoError(t, err)
		require.Equal(t, c.Name, stored.Name)
		for _, n := range c.Numbers {
			require.Contains(t, ids(t)(b.ByNumber(t.Context(), n.Number, book.PageOptions{})), c.ID)
		}
	}
}

func TestExportIsEverythingInOrder(t *testing.T) {
	b, _ := booktest.Open(t, nil)
	_, err := b.Import(t.Context(), "import-1", sample.New(700, 1), nil)
	require.NoError(t, err)
	seen := map[string]bool{}
	last := ""
	err = b.Export(t.Context(), func(c contact.Contact) error {
		name := c.SearchNames()[0]
		if name[0] >= 'a' && name[0] <= 'z' {
			require.LessOrEqual(t, last, name)
			last = name
		}
		seen[c.ID] = true
		return nil
	})
	require.NoError(t, err)
	require.Len(t, seen, 700)
}

func TestProgress(t *testing.T) {
	b, _ := booktest.Open(t, nil)
	p := book.Progress{ID: "import-1", State: book.ImportRunning, Total: 100, Problems: []string{"record 1: <b>"}}
	require.NoError(t, b.StartProgress(t.Context(), p))
	require.ErrorIs(t, b.StartProgress(t.Context(), p), book.ErrImportExists)
	p.Read, p.Bytes = 7, 50
	require.NoError(t, b.SaveProgress(t.Context(), p))
	got, err := b.Progress(t.Context(), "import-1")
	require.NoError(t, err)
	require.Equal(t, p, got)
	_, err = b.Progress(t.Context(), "import-2")
	require.ErrorIs(t, err, book.ErrNoImport)
	require.Equal(t, "import import-2: no such import", fmt.Sprint(err))
}
