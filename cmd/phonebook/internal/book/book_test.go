package book_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/stator-db/stator/cmd/phonebook/internal/book"
	"github.com/stator-db/stator/cmd/phonebook/internal/book/booktest"
	"github.com/stator-db/stator/cmd/phonebook/internal/contact"
)

func save(t testing.TB, b *book.Book, c contact.Contact) contact.Contact {
	t.Helper()
	if c.ID == "" {
		c.ID = contact.NewID()
	}
	saved, err := b.Save(t.Context(), c)
	require.NoError(t, err)
	return saved
}

func names(t testing.TB) func(book.Page, error) []string {
	return func(p book.Page, err error) []string {
		t.Helper()
		require.NoError(t, err)
		names := []string{}
		for _, c := range p.Contacts {
			names = append(names, c.Name)
		}
		return names
	}
}

func TestSearch(t *testing.T) {
	b, _ := booktest.Open(t, nil)
	ctx, all := t.Context(), book.PageOptions{}
	save(t, b, contact.Contact{Name: "Ada King Lovelace", Company: "Analytical Engines", Tags: []string{"Friends"},
		Numbers: []contact.Number{{Label: "home", Number: "+44 20 7946 0001"}, {Number: "020 7946 0001"}}})
	save(t, b, contact.Contact{Name: "Anna Anders", Tags: []string{"friends", "work"}, Numbers: []contact.Number{{Number: "030 23125 002"}}})
	save(t, b, contact.Contact{Name: "Šimon Øre", Numbers: []contact.Number{{Number: "112"}}})
	save(t, b, contact.Contact{Name: "Жанна", Tags: []string{"work"}})
	save(t, b, contact.Contact{Name: "3M"})

	for _, tt := range []struct {
		prefix string
		want   []string
	}{
		{"", []string{"3M", "Ada King Lovelace", "Anna Anders", "Šimon Øre", "Жанна"}},
		{"a", []string{"Ada King Lovelace", "Anna Anders"}},
		{"AN", []string{"Ada King Lovelace", "Anna Anders"}},
		{"anders a", []string{"Anna Anders"}},
		{"love", []string{"Ada King Lovelace"}},
		{"engines", []string{}},
		{"analytical eng", []string{"Ada King Lovelace"}},
		{"simon ore", []string{"Šimon Øre"}},
		{"ЖАН", []string{"Жанна"}},
		{"3", []string{"3M"}},
		{"zzz", []string{}},
	} {
		require.Equal(t, tt.want, names(t)(b.ByName(ctx, tt.prefix, all)), "%q", tt.prefix)
	}
	for _, tt := range []struct {
		number string
		want   []string
	}{
		{"+44 20 7946 0001", []string{"Ada King Lovelace"}},
		{"0044 (0)20 79460001", []string{"Ada King Lovelace"}},
		{"0001", []string{"Ada King Lovelace"}},
		{"+49 30 23125002", []string{"Anna Anders"}},
		{"+43 1 7946 0001", []string{}},
		{"112", []string{"Šimon Øre"}},
		{"no digits", []string{}},
	} {
		require.Equal(t, tt.want, names(t)(b.ByNumber(ctx, tt.number, all)), "%q", tt.number)
	}
	require.Equal(t, []string{"Ada King Lovelace", "Anna Anders"}, names(t)(b.ByTag(ctx, "FRIENDS", all)))
	require.Equal(t, []string{"Anna Anders", "Жанна"}, names(t)(b.ByTag(ctx, "work", all)))
	tags, err := b.Tags(ctx)
	require.NoError(t, err)
	require.Equal(t, []string{"friends", "work"}, tags)
}

// Pages of any size, one after the other, are the list.
func TestPages(t *testing.T) {
	b, _ := booktest.Open(t, nil)
	for i := range 40 {
		save(t, b, contact.Contact{Name: fmt.Sprintf("Ab%c Aber %02d", 'a'+i%3, i), Tags: []string{"x"}})
	}
	for _, list := range []struct {
		name string
		call func(book.PageOptions) (book.Page, error)
	}{
		{"all", func(o book.PageOptions) (book.Page, error) { return b.ByName(t.Context(), "", o) }},
		{"prefix", func(o book.PageOptions) (book.Page, error) { return b.ByName(t.Context(), "ab", o) }},
		{"tag", func(o book.PageOptions) (book.Page, error) { return b.ByTag(t.Context(), "x", o) }},
	} {
		t.Run(list.name, func(t *testing.T) {
			whole := names(t)(list.call(book.PageOptions{Limit: book.MaxPage}))
			require.Len(t, whole, 40)
			for _, limit := range []int{1, 7, 20, 39, 40} {
				var got []string
				for o := (book.PageOptions{Limit: limit}); ; {
					page, err := list.call(o)
					got = append(got, names(t)(page, err)...)
					if o.Cursor = page.Cursor; o.Cursor == "" {
						break
					}
					require.Len(t, page.Contacts, limit)
				}
				require.Equal(t, whole, got, "limit %d", limit)
			}
		})
	}
	page, err := b.ByName(t.Context(), "ab", book.PageOptions{Limit: 5})
	require.NoError(t, err)
	for _, bad := range []string{"?", "e30", page.Cursor + "x", page.Cursor[:10]} {
		_, err := b.ByName(t.Context(), "ab", book.PageOptions{Cursor: bad})
		require.ErrorIs(t, err, book.ErrCursor, bad)
	}
	_, err = b.ByTag(t.Context(), "x", book.PageOptions{Cursor: page.Cursor})
	require.ErrorIs(t, err, book.ErrCursor)
}

func TestSaveDeleteRestore(t *testing.T) {
	now := time.UnixMilli(1_767_225_600_000)
	b, db := booktest.Open(t, func(o *book.Options) { o.Now = func() time.Time { return now } })
	ctx := t.Context()
	first := save(t, b, contact.Contact{Name: "Ada Lovelace", Tags: []string{"a", "b"}, Numbers: []contact.Number{{Number: "030 1234"}, {Number: "030 5678"}}})
	require.Equal(t, int64(1), first.Version)
	require.Equal(t, []string{"contact", "name#1", "number#0", "number#1", "tag#0", "tag#1"}, sortKeys(t, db, first.ID))

	second := first
	second.Name, second.Tags, second.Numbers = "Ada", []string{"b"}, nil
	second = save(t, b, second)
	require.Equal(t, []string{"contact", "tag#0"}, sortKeys(t, db, first.ID))
	require.Empty(t, names(t)(b.ByName(ctx, "love", book.PageOptions{})))
	require.Empty(t, names(t)(b.ByNumber(ctx, "1234", book.PageOptions{})))
	tags, err := b.Tags(ctx)
	require.NoError(t, err)
	require.Equal(t, []string{"b"}, tags)

	// Who has seen the first version changes nothing any more.
	var conflict *book.ConflictError
	_, err = b.Save(ctx, first)
	require.ErrorAs(t, err, &conflict)
	require.Equal(t, second, conflict.Current)
	_, err = b.Delete(ctx, first.ID, 1)
	require.ErrorAs(t, err, &conflict)

	gone, err := b.Delete(ctx, first.ID, 2)
	require.NoError(t, err)
	require.Equal(t, now.UnixMilli(), gone.Deleted)
	require.Equal(t, []string{"contact"}, sortKeys(t, db, first.ID))
	require.Empty(t, names(t)(b.ByName(ctx, "", book.PageOptions{})))
	require.Equal(t, []string{"Ada"}, names(t)(b.Deleted(ctx, book.PageOptions{})))
	item, err := db.GetItem(ctx, &dynamodb.GetItemInput{TableName: aws.String(booktest.Table), Key: map[string]types.AttributeValue{
		"pk": &types.AttributeValueMemberS{Value: "contact#" + first.ID}, "sk": &types.AttributeValueMemberS{Value: "contact"},
	}})
	require.NoError(t, err)
	require.Equal(t, &types.AttributeValueMemberN{Value: fmt.Sprint(now.Add(30 * 24 * time.Hour).Unix())}, item.Item["expires"])

	back, err := b.Restore(ctx, first.ID, 3)
	require.NoError(t, err)
	require.Equal(t, int64(4), back.Version)
	require.Equal(t, []string{"Ada"}, names(t)(b.ByTag(ctx, "b", book.PageOptions{})))
	require.Empty(t, names(t)(b.Deleted(ctx, book.PageOptions{})))

	_, err = b.Save(ctx, contact.Contact{ID: "nobody-there", Name: "x", Version: 3})
	require.ErrorIs(t, err, book.ErrNotFound)
	_, err = b.Get(ctx, "nobody-there")
	require.ErrorIs(t, err, book.ErrNotFound)
	_, err = b.Delete(ctx, "nobody-there", 1)
	require.ErrorIs(t, err, book.ErrNotFound)
}

// A save whose answer got lost may be sent again.
func TestSaveTwice(t *testing.T) {
	b, _ := booktest.Open(t, nil)
	c := contact.Contact{ID: contact.NewID(), Name: "Ada"}
	first := save(t, b, c)
	require.Equal(t, first, save(t, b, c))
	c.Name = "Bob"
	var conflict *book.ConflictError
	_, err := b.Save(t.Context(), c)
	require.ErrorAs(t, err, &conflict)
}

func sortKeys(t testing.TB, db *dynamodb.Client, id string) []string {
	t.Helper()
	out, err := db.Query(t.Context(), &dynamodb.QueryInput{
		TableName: aws.String(booktest.Table), KeyConditionExpression: aws.String("pk = :pk"),
		ExpressionAttributeValues: map[string]types.AttributeValue{":pk": &types.AttributeValueMemberS{Value: "contact#" + id}},
	})
	require.NoError(t, err)
	var keys []string
	for _, i := range out.Items {
		keys = append(keys, i["sk"].(*types.AttributeValueMemberS).Value)
	}
	return keys
}

// Writers who all read, add one to a counter and save, lose none of them.
func TestNoLostUpdate(t *testing.T) {
	b, _ := booktest.Open(t, nil)
	c := save(t, b, contact.Contact{Name: "0"})
	const writers, each = 8, 10
	var conflicts atomic.Int64
	var group sync.WaitGroup
	for range writers {
		group.Go(func() {
			for done := 0; done < each; {
				current, err := b.Get(context.Background(), c.ID)
				if err != nil {
					t.Error(err)
					return
				}
				var n int
				fmt.Sscan(current.Name, &n)
				current.Name = fmt.Sprint(n + 1)
				_, err = b.Save(context.Background(), current)
				var conflict *book.ConflictError
				switch {
				case err == nil:
					done++
				case errors.As(err, &conflict):
					conflicts.Add(1)
				default:
					t.Error(err)
					return
				}
			}
		})
	}
	group.Wait()
	end, err := b.Get(t.Context(), c.ID)
	require.NoError(t, err)
	require.Equal(t, fmt.Sprint(writers*each), end.Name)
	require.Equal(t, int64(writers*each+1), end.Version)
	require.Positive(t, conflicts.Load())
}

// Whatever happens to contacts, every list shows what a plain slice would.
func TestBookAgainstModel(t *testing.T) {
	b, _ := booktest.Open(t, nil)
	ctx := context.Background()
	model := map[string]contact.Contact{}
	word := rapid.SampledFrom([]string{"an", "anna", "Änn", "b", "berg", "3", "ж"})
	rapid.Check(t, func(t *rapid.T) {
		t.Repeat(map[string]func(*rapid.T){
			"save": func(t *rapid.T) {
				id := rapid.SampledFrom([]string{"contact-1", "contact-2", "contact-3", "contact-4"}).Draw(t, "id")
				c := contact.Contact{
					ID: id, Version: model[id].Version,
					Name: word.Draw(t, "first") + " " + word.Draw(t, "last"), Company: rapid.SampledFrom([]string{"", "an co"}).Draw(t, "company"),
					Tags: rapid.SliceOfN(rapid.SampledFrom([]string{"x", "X", "y"}), 0, 2).Draw(t, "tags"),
				}
				saved, err := b.Save(ctx, c)
				require.NoError(t, err)
				model[id] = saved
			},
			"delete or restore": func(t *rapid.T) {
				id := rapid.SampledFrom([]string{"contact-1", "contact-2", "contact-3"}).Draw(t, "id")
				if model[id].Version == 0 {
					return
				}
				do := b.Delete
				if model[id].Deleted != 0 {
					do = b.Restore
				}
				c, err := do(ctx, id, model[id].Version)
				require.NoError(t, err)
				model[id] = c
			},
			"look": func(t *rapid.T) {
				prefix := contact.Fold(word.Draw(t, "prefix"))
				named, tagged, deleted, tags := []string{}, []string{}, []string{}, map[string]bool{}
				for id, c := range model {
					if c.Deleted != 0 {
						deleted = append(deleted, id)
						continue
					}
					if slices.ContainsFunc(c.SearchNames(), func(n string) bool { return len(n) >= len(prefix) && n[:len(prefix)] == prefix }) {
						named = append(named, id)
					}
					for _, tag := range c.Tags {
						tags[contact.Fold(tag)] = true
						if contact.Fold(tag) == "x" {
							tagged = append(tagged, id)
						}
					}
				}
				require.ElementsMatch(t, named, ids(t)(b.ByName(ctx, prefix, book.PageOptions{Limit: 4})))
				require.ElementsMatch(t, tagged, ids(t)(b.ByTag(ctx, "x", book.PageOptions{})))
				require.ElementsMatch(t, deleted, ids(t)(b.Deleted(ctx, book.PageOptions{})))
				listed, err := b.Tags(ctx)
				require.NoError(t, err)
				require.Len(t, listed, len(tags))
			},
		})
	})
}

func ids(t require.TestingT) func(book.Page, error) []string {
	return func(p book.Page, err error) []string {
		require.NoError(t, err)
		ids := []string{}
		for _, c := range p.Contacts {
			ids = append(ids, c.ID)
		}
		return ids
	}
}
