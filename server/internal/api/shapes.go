package api

import (
	"maps"
	"slices"
	"strconv"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/stator-db/stator/storage/item"
)

// AttributeValue is one attribute value as a member, list element or map value
// (API shape AttributeValue). Exactly one of Value and Invalid is set when it
// is present: Invalid is the first rule of the data model that it breaks.
type AttributeValue struct {
	Value   item.Value
	Invalid *item.ValueError
	Present bool
}

// AttributeMap is a map of attribute values: an item, a key, an exclusive start
// key (API shapes PutItemInputAttributeMap, Key, AttributeMap). Invalid is the
// first fault in it in document order; Item is then incomplete.
type AttributeMap struct {
	Item    item.Item
	Invalid *item.ValueError
	Present bool
}

// NewAttributeMap returns a present map for a response. It keeps it, uncopied.
func NewAttributeMap(it item.Item) AttributeMap {
	return AttributeMap{Item: it, Present: true}
}

// IsZero reports absence; it makes omitzero drop the member from a response.
func (m AttributeMap) IsZero() bool { return !m.Present }

// MarshalJSONTo writes the map in DynamoDB JSON.
func (m AttributeMap) MarshalJSONTo(enc *jsontext.Encoder) error {
	return enc.WriteValue(m.Item.AppendJSON(enc.AvailableBuffer()))
}

// ExpressionAttributeValues is the member of that name: values by placeholder,
// colon included. A nil Values means that the member is absent, an empty one
// that it was sent as {}.
//
// Invalid is the first faulty value in document order and InvalidKey its
// placeholder; faulty values are nil in Values.
type ExpressionAttributeValues struct {
	Values     map[string]item.Value
	Invalid    *item.ValueError
	InvalidKey string
}

// Map is a map member in the order in which it was sent, with unique keys. Nil
// means absent; a member sent as {} is empty and not nil.
type Map[V any] []Entry[V]

// Entry is one key of a [Map] with its value.
type Entry[V any] struct {
	Key   string
	Value V
}

// set replaces the value of key or appends it; maps are small (at most 100
// tables or a handful of conditions) or were paid for in request bytes, so that
// repeated keys are looked for through index once the map has grown.
func (m *Map[V]) set(index *map[string]int, key string, v V) {
	const small = 16
	if *index == nil {
		for i := range *m {
			if (*m)[i].Key == key {
				(*m)[i].Value = v
				return
			}
		}
		if len(*m) >= small {
			*index = make(map[string]int, 2*small)
			for i := range *m {
				(*index)[(*m)[i].Key] = i
			}
		}
	} else if i, ok := (*index)[key]; ok {
		(*m)[i].Value = v
		return
	}
	if *index != nil {
		(*index)[key] = len(*m)
	}
	*m = append(*m, Entry[V]{Key: key, Value: v})
}

// sorted returns the entries of m by key.
func sorted[V any](m map[string]V) Map[V] {
	list := make(Map[V], 0, len(m))
	for _, key := range slices.Sorted(maps.Keys(m)) {
		list = append(list, Entry[V]{Key: key, Value: m[key]})
	}
	return list
}

// Timestamp is a time in a response (API type timestamp). It is written as
// seconds since 1970 with up to three decimals; the zero Timestamp is absent.
type Timestamp time.Time

// IsZero reports absence; it makes omitzero drop the member from a response.
func (t Timestamp) IsZero() bool { return time.Time(t).IsZero() }

// MarshalJSONTo writes the seconds, cut to whole milliseconds.
func (t Timestamp) MarshalJSONTo(enc *jsontext.Encoder) error {
	seconds := float64(time.Time(t).UnixMilli()) / 1e3
	return enc.WriteValue(strconv.AppendFloat(enc.AvailableBuffer(), seconds, 'f', -1, 64))
}
