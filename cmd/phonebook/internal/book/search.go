package book

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"slices"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"github.com/stator-db/stator/cmd/phonebook/internal/contact"
)

// A Page is a part of a list.
type Page struct {
	Contacts []contact.Contact `json:"contacts"`
	// Cursor continues the list; empty at its end.
	Cursor string `json:"cursor,omitempty"`
}

// Limits of a page.
const (
	DefaultPage = 50
	MaxPage     = 500
)

// minRows is the least that one Query reads: a few rows cost hardly less than some.
const minRows = 25

// PageOptions say which part of a list is wanted.
type PageOptions struct {
	// Cursor is that of the page before; empty is the first.
	Cursor string
	// Limit is how many contacts; 0 is DefaultPage, more than MaxPage is MaxPage.
	Limit int
}

// ErrCursor is returned for a cursor that no page had.
var ErrCursor = errors.New("cursor is not from a page of this list")

// ByName lists contacts with a name that begins with prefix, whatever its case and
// accents, in the order of the names; all contacts for an empty prefix. Lists do not
// show note and email unless the prefix is empty.
func (b *Book) ByName(ctx context.Context, prefix string, o PageOptions) (Page, error) {
	folded := contact.Fold(prefix)
	keys := buckets
	if folded != "" {
		keys = []string{bucket(folded)}
	}
	partitions := make([]string, len(keys))
	for i, k := range keys {
		partitions[i] = namePrefix + k
	}
	return b.list(ctx, o, listing{
		partitions: partitions,
		prefix:     folded,
		onlySelf:   folded == "",
		keep: func(r row) bool {
			index := nameIndex(r.SK)
			if index == 0 {
				return true
			}
			names := r.SearchNames()
			return !slices.ContainsFunc(names[:min(index, len(names))], func(name string) bool {
				return strings.HasPrefix(name, folded)
			})
		},
	})
}

// ByNumber lists contacts with a number that may be the given one (see
// [contact.SameNumber]), or ends with it.
func (b *Book) ByNumber(ctx context.Context, number string, o PageOptions) (Page, error) {
	digits := contact.Digits(number)
	if digits == "" {
		return Page{Contacts: []contact.Contact{}}, nil
	}
	matches := func(n contact.Number) bool { return contact.SameNumber(digits, contact.Digits(n.Number)) }
	return b.list(ctx, o, listing{
		partitions: []string{numberKey(digits)},
		// A stored number may be shorter than the one asked for: its last seven digits
		// are enough to look at, keep compares the rest.
		prefix: reverse(digits[max(0, len(digits)-7):]),
		keep: func(r row) bool {
			// The row of the first number that matches speaks for the contact.
			first := slices.IndexFunc(r.Numbers, matches)
			return first >= 0 && r.SK == numberPrefix+strconv.Itoa(first)
		},
	})
}

// ByTag lists the contacts with a tag in the order of their names.
func (b *Book) ByTag(ctx context.Context, tag string, o PageOptions) (Page, error) {
	return b.list(ctx, o, listing{partitions: []string{tagPrefix + contact.Fold(tag)}})
}

// Deleted lists the contacts that can be brought back, the last deleted first.
func (b *Book) Deleted(ctx context.Context, o PageOptions) (Page, error) {
	return b.list(ctx, o, listing{partitions: []string{pkDeleted}, backward: true})
}

// listing is a walk over the index.
type listing struct {
	partitions []string       // find_pk, one after the other
	prefix     string         // of find_sk; empty for all
	onlySelf   bool           // contact rows only
	backward   bool           // from the largest find_sk
	keep       func(row) bool // nil keeps all
}

// cursor is the row after which a page begins, in the JSON inside Page.Cursor.
type cursor struct {
	PK     string `json:"p"`
	SK     string `json:"s"`
	FindPK string `json:"f"`
	FindSK string `json:"k"`
}

func (b *Book) list(ctx context.Context, o PageOptions, l listing) (Page, error) {
	limit := o.Limit
	if limit <= 0 {
		limit = DefaultPage
	}
	limit = min(limit, MaxPage)
	partition, start, err := l.start(o.Cursor)
	if err != nil {
		return Page{}, err
	}
	page := Page{Contacts: []contact.Contact{}}
	var shown cursor // the row of the last contact on the page
	for ; partition < len(l.partitions); partition++ {
		for more := true; more; more = start != nil {
			// One more than wanted, to know whether there is another page, and not too few
			// when the last rows were not kept.
			rows := max(limit-len(page.Contacts)+1, minRows)
			out, err := b.db.Query(ctx, l.query(b.table, l.partitions[partition], start, rows))
			if err != nil {
				return Page{}, err
			}
			for _, i := range out.Items {
				r, err := parseRow(i)
				if err != nil {
					return Page{}, err
				}
				if l.keep != nil && !l.keep(r) {
					continue
				}
				if len(page.Contacts) == limit {
					page.Cursor, err = shown.text()
					return page, err
				}
				page.Contacts = append(page.Contacts, r.Contact)
				shown = cursor{r.PK, r.SK, r.FindPK, r.FindSK}
			}
			start = out.LastEvaluatedKey
		}
	}
	return page, nil
}

func (l listing) query(table, partition string, start item, limit int) *dynamodb.QueryInput {
	q := &dynamodb.QueryInput{
		TableName:                 &table,
		IndexName:                 aws.String(indexFind),
		KeyConditionExpression:    aws.String("find_pk = :partition"),
		ExpressionAttributeValues: item{":partition": str(partition)},
		ExclusiveStartKey:         start,
		Limit:                     aws.Int32(int32(limit)),
		ScanIndexForward:          aws.Bool(!l.backward),
	}
	if l.prefix != "" {
		q.KeyConditionExpression = aws.String("find_pk = :partition AND begins_with(find_sk, :prefix)")
		q.ExpressionAttributeValues[":prefix"] = str(l.prefix)
	}
	if l.onlySelf {
		q.FilterExpression = aws.String("sk = :self")
		q.ExpressionAttributeValues[":self"] = str(skContact)
	}
	return q
}

// text returns the cursor as it stands in a page.
func (c cursor) text() (string, error) {
	b, err := json.Marshal(c)
	return base64.RawURLEncoding.EncodeToString(b), err
}

// start returns where a page begins: the index of its partition and the key to start
// after. A cursor comes from outside and must lie within the listing.
func (l listing) start(text string) (int, item, error) {
	if text == "" {
		return 0, nil, nil
	}
	b, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil {
		return 0, nil, ErrCursor
	}
	var c cursor
	if err := json.Unmarshal(b, &c); err != nil {
		return 0, nil, ErrCursor
	}
	partition := slices.Index(l.partitions, c.FindPK)
	if partition < 0 || c.PK == "" || c.SK == "" || !strings.HasPrefix(c.FindSK, l.prefix) || c.FindSK == "" ||
		len(c.PK) > 2048 || len(c.SK) > 1024 || len(c.FindSK) > 1024 {
		return 0, nil, ErrCursor
	}
	return partition, item{
		attrPK: str(c.PK), attrSK: str(c.SK), attrFindPK: str(c.FindPK), attrFindSK: str(c.FindSK),
	}, nil
}
