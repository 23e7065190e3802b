package book

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"reflect"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/stator-db/stator/cmd/phonebook/internal/contact"
)

// ErrNotFound is returned for a contact that is not in the book, nor among the deleted.
var ErrNotFound = errors.New("no such contact")

// A ConflictError says that a contact is not in the version that the writer has seen.
// Nothing was written.
type ConflictError struct {
	// Current is the contact as it is now.
	Current contact.Contact
}

func (e *ConflictError) Error() string {
	return fmt.Sprintf("contact %s is in version %d by now", e.Current.ID, e.Current.Version)
}

// Get reads a contact, also a deleted one, with strong consistency.
func (b *Book) Get(ctx context.Context, id string) (contact.Contact, error) {
	out, err := b.db.GetItem(ctx, &dynamodb.GetItemInput{
		TableName: &b.table, Key: key(contactPrefix+id, skContact), ConsistentRead: aws.Bool(true),
	})
	if err != nil {
		return contact.Contact{}, err
	}
	if out.Item == nil {
		return contact.Contact{}, fmt.Errorf("contact %s: %w", id, ErrNotFound)
	}
	r, err := parseRow(out.Item)
	return r.Contact, err
}

// Save writes a contact over the version that c.Version names; 0 creates it. The
// answer is the contact as it is now, with its new version. Saving a deleted contact
// brings it back. Errors: contact.ErrInvalid, ErrNotFound, *ConflictError. If ctx ends
// while it waits, the write may or may not have happened. Repeating it is safe: an edit
// then conflicts with itself, and a creation that finds its own contact succeeds.
func (b *Book) Save(ctx context.Context, c contact.Contact) (contact.Contact, error) {
	c, err := c.Clean()
	if err != nil {
		return contact.Contact{}, err
	}
	saved, err := b.replace(ctx, c.ID, c.Version, func(contact.Contact) contact.Contact {
		next := c
		next.Deleted, next.Import = 0, ""
		return next
	})
	var conflict *ConflictError
	if errors.As(err, &conflict) && c.Version == 0 && conflict.Current.Version == 1 && sameContent(conflict.Current, c) {
		return conflict.Current, nil
	}
	return saved, err
}

// Delete removes a contact that is in the given version. For 30 days Restore brings it
// back. A deleted contact stays deleted since when it was. Errors: ErrNotFound, *ConflictError.
func (b *Book) Delete(ctx context.Context, id string, version int64) (contact.Contact, error) {
	return b.replace(ctx, id, version, func(current contact.Contact) contact.Contact {
		if current.Deleted == 0 {
			current.Deleted = b.now().UnixMilli()
		}
		return current
	})
}

// Restore brings a deleted contact back that is in the given version. Errors:
// ErrNotFound, *ConflictError.
func (b *Book) Restore(ctx context.Context, id string, version int64) (contact.Contact, error) {
	return b.replace(ctx, id, version, func(current contact.Contact) contact.Contact {
		current.Deleted = 0
		return current
	})
}

func sameContent(a, b contact.Contact) bool {
	plain := func(c contact.Contact) contact.Contact {
		c.Version, c.Created, c.Updated, c.Import = 0, 0, 0, ""
		return c
	}
	return reflect.DeepEqual(plain(a), plain(b))
}

// conflictRetries is how often a write is repeated that met another one on the same
// rows. Each time it reads again: if that other write won, it ends with a ConflictError.
const conflictRetries = 8

// replace changes a contact from one version to the next with all its rows.
func (b *Book) replace(ctx context.Context, id string, version int64, change func(contact.Contact) contact.Contact) (contact.Contact, error) {
	for attempt := 0; ; attempt++ {
		next, err := b.tryReplace(ctx, id, version, change)
		var canceled *types.TransactionCanceledException
		var inProgress *types.TransactionInProgressException
		if !errors.As(err, &canceled) && !errors.As(err, &inProgress) {
			return next, err
		}
		if attempt == conflictRetries || (canceled != nil && !collided(canceled)) {
			return contact.Contact{}, fmt.Errorf("contact %s: %w", id, err)
		}
		if err := pause(ctx, attempt); err != nil {
			return contact.Contact{}, err
		}
	}
}

// collided reports whether a transaction met another writer.
func collided(e *types.TransactionCanceledException) bool {
	for _, reason := range e.CancellationReasons {
		switch aws.ToString(reason.Code) {
		case "ConditionalCheckFailed", "TransactionConflict", "ThrottlingError", "ProvisionedThroughputExceeded":
			return true
		}
	}
	return false
}

// pause waits before another attempt: up to 10 ms, then up to 20 ms, and so on to a
// second, by chance, so that writers who met do not meet again.
func pause(ctx context.Context, attempt int) error {
	limit := min(10*time.Millisecond<<min(attempt, 10), time.Second)
	timer := time.NewTimer(rand.N(limit))
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

func (b *Book) tryReplace(ctx context.Context, id string, version int64, change func(contact.Contact) contact.Contact) (contact.Contact, error) {
	old, current, err := b.collection(ctx, id)
	switch {
	case err != nil:
		return contact.Contact{}, err
	case current.Version != version && current.Version == 0:
		return contact.Contact{}, fmt.Errorf("contact %s: %w", id, ErrNotFound)
	case current.Version != version:
		return contact.Contact{}, &ConflictError{Current: current}
	}
	next := change(current)
	now := b.now().UnixMilli()
	next.ID, next.Version, next.Created, next.Updated = id, version+1, current.Created, now
	if next.Created == 0 {
		next.Created = now
	}
	writes, err := b.writes(old, rowsOf(next), version)
	if err != nil {
		return contact.Contact{}, err
	}
	if _, err := b.db.TransactWriteItems(ctx, &dynamodb.TransactWriteItemsInput{TransactItems: writes}); err != nil {
		return contact.Contact{}, err
	}
	return next, b.noteTags(ctx, current, next)
}

// collection reads the sort keys of a contact's rows and the contact. Without a contact
// row the contact is zero; there may be search rows of an import that was cut off.
func (b *Book) collection(ctx context.Context, id string) (sortKeys []string, c contact.Contact, err error) {
	pages := dynamodb.NewQueryPaginator(b.db, &dynamodb.QueryInput{
		TableName:                 &b.table,
		KeyConditionExpression:    aws.String("pk = :contact"),
		ExpressionAttributeValues: item{":contact": str(contactPrefix + id)},
		ConsistentRead:            aws.Bool(true),
	})
	for pages.HasMorePages() {
		out, err := pages.NextPage(ctx)
		if err != nil {
			return nil, c, err
		}
		for _, i := range out.Items {
			r, err := parseRow(i)
			if err != nil {
				return nil, c, err
			}
			sortKeys = append(sortKeys, r.SK)
			if r.SK == skContact {
				c = r.Contact
			}
		}
	}
	return sortKeys, c, nil
}

// writes makes the transaction that puts rows and deletes those of old that are not
// among them. Its condition stands at the contact row, which is rows[0].
func (b *Book) writes(old []string, rows []row, version int64) ([]types.TransactWriteItem, error) {
	var writes []types.TransactWriteItem
	kept := map[string]bool{}
	for i, r := range rows {
		kept[r.SK] = true
		values, err := r.item()
		if err != nil {
			return nil, err
		}
		put := &types.Put{TableName: &b.table, Item: values}
		switch {
		case i > 0:
		case version == 0:
			put.ConditionExpression = aws.String("attribute_not_exists(pk)")
		default:
			put.ConditionExpression = aws.String("version = :seen")
			put.ExpressionAttributeValues = item{":seen": &types.AttributeValueMemberN{Value: fmt.Sprint(version)}}
		}
		writes = append(writes, types.TransactWriteItem{Put: put})
	}
	for _, sk := range old {
		if !kept[sk] {
			writes = append(writes, types.TransactWriteItem{Delete: &types.Delete{
				TableName: &b.table, Key: key(rows[0].PK, sk),
			}})
		}
	}
	return writes, nil
}
