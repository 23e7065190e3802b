package partition

import (
	"bytes"
	"slices"
	"strings"
	"time"

	"github.com/stator-db/stator/storage/item"
)

// Namespace owns a set of tables: the account (access key) and region a
// request was signed for. The zero Namespace is the one shared by everybody.
type Namespace struct {
	Account string `json:"account,omitempty"`
	Region  string `json:"region,omitempty"`
}

// A KeyAttribute names a top-level attribute and its declared type (S, N or B).
type KeyAttribute struct {
	Name string    `json:"name"`
	Type item.Type `json:"type"`
}

// KeySchema is the key of a table or of an index. Tables and local indexes have
// one hash and at most one range attribute, global indexes up to four of each.
type KeySchema struct {
	Hash  []KeyAttribute `json:"hash"`
	Range []KeyAttribute `json:"range,omitempty"`
}

// Attributes lists all key attributes, hash attributes first.
func (k KeySchema) Attributes() []KeyAttribute {
	all := make([]KeyAttribute, 0, len(k.Hash)+len(k.Range))
	return append(append(all, k.Hash...), k.Range...)
}

// Names lists the names of all key attributes, hash attributes first.
func (k KeySchema) Names() []string {
	names := make([]string, 0, len(k.Hash)+len(k.Range))
	for _, a := range k.Hash {
		names = append(names, a.Name)
	}
	for _, a := range k.Range {
		names = append(names, a.Name)
	}
	return names
}

// ProjectionKind says which attributes an index entry holds beside its keys.
type ProjectionKind uint8

// The projection types of the API shape Projection.
const (
	ProjectAll ProjectionKind = iota + 1
	ProjectKeysOnly
	ProjectInclude
)

// TableStatus is the life cycle state of a table.
type TableStatus uint8

// The states of the API shape TableStatus that a single node passes through.
const (
	TableCreating TableStatus = iota + 1
	TableActive
	TableUpdating
	TableDeleting
)

// IndexStatus is the life cycle state of a global secondary index.
type IndexStatus uint8

// The states of the API shape IndexStatus.
const (
	IndexCreating IndexStatus = iota + 1
	IndexActive
	IndexDeleting
)

// BillingMode is how a table's throughput is paid for.
type BillingMode uint8

// The values of the API shape BillingMode.
const (
	Provisioned BillingMode = iota + 1
	PayPerRequest
)

// Throughput is provisioned capacity in units per second, with the bookkeeping
// that DescribeTable shows.
type Throughput struct {
	Read           int64     `json:"read"`
	Write          int64     `json:"write"`
	LastIncrease   time.Time `json:"lastIncrease,omitzero"`
	LastDecrease   time.Time `json:"lastDecrease,omitzero"`
	DecreasesToday int64     `json:"decreasesToday,omitempty"`
}

// OnDemand caps an on-demand table; 0 is unset and -1 cleared.
type OnDemand struct {
	MaxRead  int64 `json:"maxRead,omitempty"`
	MaxWrite int64 `json:"maxWrite,omitempty"`
}

// Warm is the throughput a table can serve at once, in units per second.
type Warm struct {
	Read  int64 `json:"read"`
	Write int64 `json:"write"`
}

// SSE is the encryption setting a caller asked for.
type SSE struct {
	KeyARN string `json:"keyArn"`
}

// StreamSpec is an enabled stream: its view type in the API's spelling. ID is
// assigned when the stream is enabled and is unique in the table.
type StreamSpec struct {
	ViewType string `json:"viewType"`
	ID       uint32 `json:"id"`
}

// TTLSpec names the attribute whose time expires an item.
type TTLSpec struct {
	Attribute string    `json:"attribute"`
	Enabled   bool      `json:"enabled"`
	Changed   time.Time `json:"changed,omitzero"`
	// Building is true while items written before are being ordered by expiry,
	// which began with the table's version Since. UpdateTable sets both.
	Building bool   `json:"building,omitempty"`
	Since    uint64 `json:"since,omitempty"`
}

// Index is a secondary index of a table. It is immutable once it is part of a
// Table that others can see.
type Index struct {
	ID         uint16         `json:"id"` // unique in its table, never reused
	Name       string         `json:"name"`
	Local      bool           `json:"local,omitempty"`
	Key        KeySchema      `json:"key"`
	Projection ProjectionKind `json:"projection"`
	// NonKey holds the projected non-key attributes of ProjectInclude, sorted.
	NonKey []string    `json:"nonKey,omitempty"`
	Status IndexStatus `json:"status"`
	// Backfilling is true while items written before the index are added to it.
	Backfilling bool        `json:"backfilling,omitempty"`
	Throughput  *Throughput `json:"throughput,omitempty"`
	OnDemand    *OnDemand   `json:"onDemand,omitempty"`
	Warm        *Warm       `json:"warm,omitempty"`
	Created     time.Time   `json:"created,omitzero"`

	// projected is the sorted list of attributes an entry holds; nil means all.
	projected []string
	keys      []KeyAttribute // Key.Attributes()
}

// Table is an immutable snapshot of a table's schema and settings. A changed
// table is a new value with a higher Version.
type Table struct {
	ID        uint32      `json:"id"` // never reused, so a recreated name never sees old bytes
	Version   uint64      `json:"version"`
	Pending   bool        `json:"pending,omitempty"` // not installed in every shard yet
	Namespace Namespace   `json:"namespace"`
	Name      string      `json:"name"`
	UUID      string      `json:"uuid"`
	Created   time.Time   `json:"created"`
	Status    TableStatus `json:"status"`
	Key       KeySchema   `json:"key"`
	// Attributes are the declared key attributes of table and indexes, by name.
	Attributes []KeyAttribute `json:"attributes"`
	Local      []*Index       `json:"local,omitempty"`
	Global     []*Index       `json:"global,omitempty"`
	NextIndex  uint16         `json:"nextIndex"`

	Billing            BillingMode       `json:"billing"`
	BillingSet         bool              `json:"billingSet,omitempty"` // a BillingModeSummary is shown
	BillingChanged     time.Time         `json:"billingChanged,omitzero"`
	Throughput         Throughput        `json:"throughput"`
	OnDemand           *OnDemand         `json:"onDemand,omitempty"`
	Warm               *Warm             `json:"warm,omitempty"`
	Class              string            `json:"class,omitempty"`
	ClassChanged       time.Time         `json:"classChanged,omitzero"`
	DeletionProtection bool              `json:"deletionProtection,omitempty"`
	SSE                *SSE              `json:"sse,omitempty"`
	Stream             *StreamSpec       `json:"stream,omitempty"`
	LatestStreamLabel  string            `json:"latestStreamLabel,omitempty"`
	NextStream         uint32            `json:"nextStream,omitempty"`
	Tags               map[string]string `json:"tags,omitempty"`
	TTL                *TTLSpec          `json:"ttl,omitempty"`

	byName []*Index // all indexes of both kinds by name
}

// Index returns the named index of either kind, or nil.
func (t *Table) Index(name string) *Index {
	for _, ix := range t.byName {
		if ix.Name == name {
			return ix
		}
	}
	return nil
}

// KeyNames lists, sorted and without repeats, the attributes that make up a
// position in the table (ix nil) or in an index: the members of LastEvaluatedKey.
func (t *Table) KeyNames(ix *Index) []string {
	names := t.Key.Names()
	if ix != nil {
		names = append(names, ix.Key.Names()...)
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// indexByID finds an index of either kind.
func (t *Table) indexByID(id uint16) *Index {
	for _, ix := range t.byName {
		if ix.ID == id {
			return ix
		}
	}
	return nil
}

// prepare fills in what is derived from the schema. It is called once on every
// Table before others can see it.
func (t *Table) prepare() {
	slices.SortFunc(t.Attributes, func(a, b KeyAttribute) int { return strings.Compare(a.Name, b.Name) })
	t.byName = slices.Concat(t.Local, t.Global)
	slices.SortFunc(t.byName, func(a, b *Index) int { return strings.Compare(a.Name, b.Name) })
	for _, list := range [][]*Index{t.Local, t.Global} {
		for _, ix := range list {
			ix.keys = ix.Key.Attributes()
			ix.projected = nil
			if ix.Projection == ProjectAll {
				continue
			}
			ix.projected = t.KeyNames(ix)
			if ix.Projection == ProjectInclude {
				ix.projected = append(ix.projected, ix.NonKey...)
				slices.Sort(ix.projected)
				ix.projected = slices.Compact(ix.projected)
			}
		}
	}
}

// Projects reports whether entries of the index hold the attribute.
func (ix *Index) Projects(name string) bool {
	if ix.Projection == ProjectAll {
		return true
	}
	_, found := slices.BinarySearch(ix.projected, name)
	return found
}

// clone copies t deeply enough that every field of the copy may be changed.
func (t *Table) clone() *Table {
	c := *t
	c.Attributes = slices.Clone(t.Attributes)
	c.Local = cloneIndexes(t.Local)
	c.Global = cloneIndexes(t.Global)
	c.OnDemand = clonePtr(t.OnDemand)
	c.Warm = clonePtr(t.Warm)
	c.SSE = clonePtr(t.SSE)
	c.Stream = clonePtr(t.Stream)
	c.TTL = clonePtr(t.TTL)
	if t.Tags != nil {
		c.Tags = make(map[string]string, len(t.Tags))
		for k, v := range t.Tags {
			c.Tags[k] = v
		}
	}
	c.prepare() // its index lists must not share with t
	return &c
}

func cloneIndexes(in []*Index) []*Index {
	out := make([]*Index, len(in))
	for i, ix := range in {
		c := *ix
		c.Key.Hash = slices.Clone(ix.Key.Hash)
		c.Key.Range = slices.Clone(ix.Key.Range)
		c.NonKey = slices.Clone(ix.NonKey)
		c.Throughput = clonePtr(ix.Throughput)
		c.OnDemand = clonePtr(ix.OnDemand)
		c.Warm = clonePtr(ix.Warm)
		out[i] = &c
	}
	return out
}

func clonePtr[T any](p *T) *T {
	if p == nil {
		return nil
	}
	c := *p
	return &c
}

// entry returns what the index holds for the item: nil if the item lacks a key
// attribute or holds one of another type (sparse index), else the projection.
func (ix *Index) entry(it item.Item) item.Item {
	if it == nil || !ix.holds(it) {
		return nil
	}
	if ix.projected == nil {
		return it
	}
	return it.Project(ix.projected)
}

// holds reports whether every key attribute of the index is present in the item
// as a value that an index key may have.
func (ix *Index) holds(it item.Item) bool {
	for i, a := range ix.keys {
		v := it.Get(a.Name)
		if v == nil || keyFault(v, a.Type, i < len(ix.Key.Hash)) != 0 {
			return false
		}
	}
	return true
}

// Longest key values in bytes (Developer Guide, "Quotas": partition key and sort key values).
const (
	MaxHashKeySize  = 2048
	MaxRangeKeySize = 1024
)

// sameKey reports whether two items agree on all attributes of the schema.
func (k KeySchema) sameKey(a, b item.Item) bool {
	for _, attr := range k.Hash {
		if !bytes.Equal(a.Get(attr.Name), b.Get(attr.Name)) {
			return false
		}
	}
	for _, attr := range k.Range {
		if !bytes.Equal(a.Get(attr.Name), b.Get(attr.Name)) {
			return false
		}
	}
	return true
}
