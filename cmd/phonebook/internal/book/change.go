package book

import (
	"fmt"
	"reflect"

	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/attributevalue"
	"github.com/aws/aws-sdk-go-v2/service/dynamodbstreams/types"

	"github.com/stator-db/stator/cmd/phonebook/internal/contact"
)

// Kinds of changes.
const (
	ChangeAdded    = "added"
	ChangeImported = "imported"
	ChangeEdited   = "edited"
	ChangeDeleted  = "deleted"
	ChangeRestored = "restored"
	ChangeExpired  = "expired" // a deleted contact can no longer be brought back
)

// A Change is an entry of the recent history.
type Change struct {
	Kind    string `json:"kind"`
	ID      string `json:"id,omitempty"` // of the contact; empty for an import
	Name    string `json:"name,omitempty"`
	Version int64  `json:"version,omitempty"`
	// Fields are the names of the fields that an edit changed.
	Fields []string `json:"fields,omitempty"`
	// Import and Count are the import and how many contacts it added so far.
	Import string `json:"import,omitempty"`
	Count  int    `json:"count,omitempty"`
	Time   int64  `json:"time"` // milliseconds since 1970
}

// changeOf reads a record of the stream. about is false for rows that are no contacts.
func changeOf(record types.Record) (change Change, about bool, err error) {
	if sk, ok := record.Dynamodb.Keys[attrSK].(*types.AttributeValueMemberS); !ok || sk.Value != skContact {
		return Change{}, false, nil
	}
	before, err := image(record.Dynamodb.OldImage)
	if err != nil {
		return Change{}, false, err
	}
	after, err := image(record.Dynamodb.NewImage)
	if err != nil {
		return Change{}, false, err
	}
	change = Change{ID: after.ID, Name: after.Name, Version: after.Version, Time: after.Updated}
	switch {
	case after.ID == "":
		change = Change{Kind: ChangeExpired, ID: before.ID, Name: before.Name, Version: before.Version}
		if at := record.Dynamodb.ApproximateCreationDateTime; at != nil {
			change.Time = at.UnixMilli()
		}
	case before.ID == "" && after.Import != "":
		change = Change{Kind: ChangeImported, Import: after.Import, Count: 1, Time: after.Updated}
	case before.ID == "":
		change.Kind = ChangeAdded
	case after.Deleted != 0:
		change.Kind = ChangeDeleted
	case before.Deleted != 0:
		change.Kind = ChangeRestored
	default:
		change.Kind, change.Fields = ChangeEdited, differences(before, after)
	}
	return change, true, nil
}

func image(values map[string]types.AttributeValue) (contact.Contact, error) {
	converted, err := attributevalue.FromDynamoDBStreamsMap(values)
	if err != nil {
		return contact.Contact{}, fmt.Errorf("record of the stream: %w", err)
	}
	r, err := parseRow(converted)
	return r.Contact, err
}

// differences names the fields in which two versions of a contact differ.
func differences(a, b contact.Contact) []string {
	var fields []string
	for _, f := range []struct {
		name   string
		differ bool
	}{
		{"name", a.Name != b.Name},
		{"company", a.Company != b.Company},
		{"numbers", !reflect.DeepEqual(a.Numbers, b.Numbers)},
		{"email", a.Email != b.Email},
		{"tags", !reflect.DeepEqual(a.Tags, b.Tags)},
		{"note", a.Note != b.Note},
	} {
		if f.differ {
			fields = append(fields, f.name)
		}
	}
	return fields
}
