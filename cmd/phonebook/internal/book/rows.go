package book

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/attributevalue"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/stator-db/stator/cmd/phonebook/internal/contact"
)

// item is an item as the SDK sends and returns it.
type item = map[string]types.AttributeValue

// row is an item of a contact's collection: the contact itself, or one of the rows that
// it is found by, which carry what a list shows of it.
type row struct {
	PK      string `dynamodbav:"pk"`
	SK      string `dynamodbav:"sk"`
	FindPK  string `dynamodbav:"find_pk,omitempty"`
	FindSK  string `dynamodbav:"find_sk,omitempty"`
	Expires int64  `dynamodbav:"expires,omitempty"`
	contact.Contact
}

const (
	contactPrefix = "contact#"
	skContact     = "contact"
	namePrefix    = "name#"
	numberPrefix  = "number#"
	tagPrefix     = "tag#"
	pkDeleted     = "deleted"
)

// undoPeriod is how long a deleted contact can be brought back.
const undoPeriod = 30 * 24 * time.Hour

// buckets are the partition keys of names in the index, in alphabetical order.
var buckets = strings.Split("0abcdefghijklmnopqrstuvwxyz~", "")

// bucket returns the partition key of a folded name, without its prefix.
func bucket(folded string) string {
	r, _ := utf8.DecodeRuneInString(folded)
	switch {
	case r >= 'a' && r <= 'z':
		return string(r)
	case r >= '0' && r <= '9':
		return "0"
	}
	return "~"
}

// findSK appends the contact to a sort key of the index, so that equal names have an
// order. A space sorts before everything a folded name holds.
func findSK(key, id string) string { return key + " #" + id }

// rowsOf returns the rows of c, the contact row first.
func rowsOf(c contact.Contact) []row {
	names := c.SearchNames()
	self := row{PK: contactPrefix + c.ID, SK: skContact, Contact: c}
	if c.Deleted != 0 {
		self.FindPK, self.FindSK = pkDeleted, findSK(fmt.Sprintf("%013d", c.Deleted), c.ID)
		self.Expires = time.UnixMilli(c.Deleted).Add(undoPeriod).Unix()
		return []row{self}
	}
	self.FindPK, self.FindSK = namePrefix+bucket(names[0]), findSK(names[0], c.ID)
	rows := []row{self}

	shown := c
	shown.Note, shown.Email, shown.Created, shown.Import = "", "", 0, ""
	add := func(sk, findPK, findKey string) {
		rows = append(rows, row{PK: self.PK, SK: sk, FindPK: findPK, FindSK: findSK(findKey, c.ID), Contact: shown})
	}
	for i, name := range names[1:] {
		add(namePrefix+strconv.Itoa(i+1), namePrefix+bucket(name), name)
	}
	for i, n := range c.Numbers {
		digits := contact.Digits(n.Number)
		add(numberPrefix+strconv.Itoa(i), numberKey(digits), reverse(digits))
	}
	for i, tag := range c.Tags {
		add(tagPrefix+strconv.Itoa(i), tagPrefix+contact.Fold(tag), names[0])
	}
	return rows
}

// numberKey is the index's partition key of a number: its last four digits.
func numberKey(digits string) string { return numberPrefix + digits[max(0, len(digits)-4):] }

func reverse(digits string) string {
	b := []byte(digits)
	slices.Reverse(b)
	return string(b)
}

// nameIndex returns which of its contact's search names a row stands for.
func nameIndex(sk string) int {
	i, err := strconv.Atoi(strings.TrimPrefix(sk, namePrefix))
	if err != nil {
		return 0 // the contact row
	}
	return i
}

func (r row) item() (item, error) { return attributevalue.MarshalMap(r) }

func parseRow(i item) (row, error) {
	var r row
	if err := attributevalue.UnmarshalMap(i, &r); err != nil {
		return row{}, fmt.Errorf("item is no row of a phonebook: %w", err)
	}
	return r, nil
}

// key returns the primary key of an item.
func key(pk, sk string) item { return item{attrPK: str(pk), attrSK: str(sk)} }

func str(s string) types.AttributeValue { return &types.AttributeValueMemberS{Value: s} }
