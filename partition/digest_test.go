package partition

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/stator-db/stator/partition/replication"
	"github.com/stator-db/stator/storage"
)

// digestOfMap digests records as digestOf does those of a snapshot.
func digestOfMap(records map[string]string, bounds storage.Range) digest {
	var keys []string
	for k := range records {
		if k >= string(bounds.Lower) && (bounds.Upper == nil || k < string(bounds.Upper)) {
			keys = append(keys, k)
		}
	}
	slices.Sort(keys)
	var d digester
	for _, k := range keys {
		d.add([]byte(k), []byte(records[k]))
	}
	return digest{ranges: d.end()}
}

// Equal records have equal digests; otherwise the first range that differs holds
// the first record that does, and nothing before it.
func TestDigestsFindTheFirstDifference(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		records := make(map[string]string)
		for i := range rapid.SampledFrom([]int{0, 1, 5, 700, 3000, 9000}).Draw(t, "records") {
			records[fmt.Sprintf("key %d", i)] = "x"
		}
		other := make(map[string]string, len(records))
		for k, v := range records {
			other[k] = v
		}
		a := digestOfMap(records, storage.Range{})
		require.Less(t, len(a.ranges), maxDigestRanges)
		b := digestOfMap(other, storage.Range{})
		require.Equal(t, a, b)
		_, differ := a.firstDifference(&b, storage.Range{})
		require.False(t, differ)

		var changed []string
		for i := range rapid.IntRange(1, 3).Draw(t, "changes") {
			k := fmt.Sprintf("key %d", rapid.IntRange(0, 10000).Draw(t, "key"))
			changed = append(changed, k)
			if rapid.Bool().Draw(t, "delete") {
				delete(other, k)
				records[k] = "there"
			} else {
				other[k] = fmt.Sprint("y", i)
			}
		}
		first := slices.Min(changed)
		var diff difference
		for range maxLooks {
			a, b = digestOfMap(records, diff.bounds), digestOfMap(other, diff.bounds)
			x, y := a.total(), b.total()
			require.False(t, x.same(&y))
			diff, differ = a.firstDifference(&b, diff.bounds)
			require.True(t, differ)
			require.LessOrEqual(t, string(diff.bounds.Lower), first)
			require.True(t, diff.bounds.Upper == nil || first < string(diff.bounds.Upper))
			if diff.key != nil {
				require.Equal(t, first, string(diff.key))
			}
		}
		require.NotNil(t, diff.key, "the last look is at single records")
	})
}

func TestDigestsKeepTheirForm(t *testing.T) {
	var d digester
	d.add([]byte("a"), []byte("1"))
	d.add([]byte("b"), nil)
	of := digest{ranges: d.end(), index: 300}
	encoded := appendDigest(nil, &of)
	require.Equal(t, "01"+"ac02"+"03"+
		"01"+"38f3cf73223ff3d0df5ba5f98f5f4c98"+"0161"+
		"01"+"39361160903c6695c6804b7157c7bd10"+"0162"+
		"00"+"00000000000000000000000000000000", hex.EncodeToString(encoded))
	decoded, err := parseDigest(encoded)
	require.NoError(t, err)
	require.Equal(t, of, decoded)
	for i := range encoded {
		_, err := parseDigest(encoded[:i])
		require.ErrorIs(t, err, errBadRequest)
	}
	_, err = parseDigest(append([]byte{2}, encoded[1:]...))
	require.ErrorIs(t, err, errBadRequest)
}

func TestDigestRequests(t *testing.T) {
	for _, bounds := range []storage.Range{{}, {Lower: []byte("a")}, {Lower: []byte("a"), Upper: []byte("b")}} {
		q := digestRequest{group: 3, mark: markID{1, 15: 2}, bounds: bounds}
		encoded := appendDigestRequest(nil, q)
		decoded, err := parseDigestRequest(encoded)
		require.NoError(t, err)
		require.Equal(t, q.group, decoded.group)
		require.Equal(t, q.mark, decoded.mark)
		require.True(t, bytes.Equal(bounds.Lower, decoded.bounds.Lower))
		require.Equal(t, bounds.Upper, decoded.bounds.Upper)
		for i := range encoded {
			_, err := parseDigestRequest(encoded[:i])
			require.ErrorIs(t, err, errBadRequest)
		}
	}
}

func TestMarksInTheLog(t *testing.T) {
	mark := markID{7}
	entry := func(c command) []byte {
		body, err := appendCommand([]byte{entryFormat, 0, 0, 0, 0, 0, 0, 0, 0, 0xac, 2}, c)
		require.NoError(t, err)
		return body
	}
	for _, c := range []struct {
		data []byte
		is   bool
	}{
		{nil, false}, {make([]byte, 9), false}, {entry(&markCommand{mark}), true}, {entry(&abortCommand{}), false},
		{entry(&markCommand{mark})[:12], false},
	} {
		id, is := markOf(&replication.Entry{Data: c.data})
		require.Equal(t, c.is, is)
		if is {
			require.Equal(t, mark, id)
		}
	}
}
