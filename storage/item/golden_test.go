package item

import (
	"encoding/hex"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// golden removes the comments and line breaks of an annotated hex dump.
func golden(t *testing.T, dump string) []byte {
	t.Helper()
	var digits strings.Builder
	for line := range strings.Lines(dump) {
		line, _, _ = strings.Cut(line, "#")
		digits.WriteString(strings.Join(strings.Fields(line), ""))
	}
	b, err := hex.DecodeString(digits.String())
	require.NoError(t, err)
	return b
}

// These bytes are on disks and in replication logs. A change here is a new
// format version.
func TestGoldenItem(t *testing.T) {
	want := golden(t, `
		01                 # version
		30                 # DynamoDB size: 48 bytes
		0a                 # 10 attributes
		01 61              # name "a"
		   01 02 c3 a9     #   S, 2 bytes, "é"
		01 62              # name "b"
		   02 05 2d 31 32 2e 35  # N, 5 bytes, "-12.5"
		01 63
		   03 02 00 ff     #   B, 2 bytes
		01 64
		   04 01           #   BOOL, true
		01 65
		   05              #   NULL
		01 66
		   06 0000000d     #   M, 13 bytes follow
		      02           #     2 entries
		      01 78        #     name "x"
		         07 00000001 00  # L, 1 byte follows, empty
		      01 79        #     name "y"
		         04 00     #       BOOL, false
		01 67
		   07 00000005     #   L, 5 bytes follow
		      02           #     2 elements
		      05           #     NULL
		      01 01 7a     #     S "z"
		01 68
		   08 00000007     #   SS, 7 bytes follow
		      02           #     2 members
		      01 01 41     #     S "A"
		      01 01 61     #     S "a"
		01 69
		   09 0000000c     #   NS, 12 bytes follow
		      03           #     3 members
		      02 02 2d 31  #     N "-1"
		      02 01 39     #     N "9"
		      02 02 31 30  #     N "10"
		01 6a
		   0a 00000006     #   BS, 6 bytes follow
		      02           #     2 members
		      03 00        #     B, empty
		      03 01 80     #     B
	`)
	it, fault, err := decodeItem(`{
		"j": {"BS": ["gA==", ""]}, "i": {"NS": ["10", "9.0", "-1"]}, "h": {"SS": ["a", "A"]},
		"g": {"L": [{"NULL": true}, {"S": "z"}]}, "f": {"M": {"y": {"BOOL": false}, "x": {"L": []}}},
		"e": {"NULL": true}, "d": {"BOOL": true}, "c": {"B": "AP8="}, "b": {"N": "-1.25e1"}, "a": {"S": "é"}
	}`)
	require.NoError(t, err)
	require.Nil(t, fault)
	require.Equal(t, hex.Dump(want), hex.Dump(it))
	require.NoError(t, Valid(want))
}

func TestGoldenLongCounts(t *testing.T) {
	elems := make([]Value, 200)
	for i := range elems {
		elems[i] = Null()
	}
	require.Equal(t, golden(t, "07 000000ca c801"+strings.Repeat("05", 200)), []byte(List(elems...)))
	require.Equal(t, golden(t, "01 c801"+strings.Repeat("61", 200)), []byte(String(strings.Repeat("a", 200))))
	require.Equal(t, golden(t, "03 c801"+strings.Repeat("61", 200)), []byte(Binary([]byte(strings.Repeat("a", 200)))))
}

func TestGoldenKeys(t *testing.T) {
	for _, c := range []struct {
		value Value
		key   string
	}{
		{String(""), "00 01"},
		{String("ab"), "61 62 00 01"},
		{Binary([]byte{0, 0xFF, 0}), "00 ff ff 00 ff 00 01"},
		{num("0"), "80"},
		{num("1"), "81 82 0b 00"},            // 10^0, pair 10
		{num("12"), "81 83 0d 00"},           // 10^1, pair 12
		{num("100"), "81 84 0b 00"},          // 10^2, pair 10
		{num("10.05"), "81 83 0b 06 00"},     // 10^1, pairs 10 05
		{num("0.099"), "81 80 64 00"},        // 10^-2, pair 99
		{num("100.01"), "81 84 0b 01 0b 00"}, // 10^2, pairs 10 00 10
		{num("-12"), "7f 7c f2 ff"},          // as 12, inverted
		{num("-1e125"), "7f 00 f4 ff"},       //
		{num("1e125"), "81 ff 0b 00"},        //
		{num("1e-130"), "81 00 0b 00"},       // an exponent that looks like an end
		{num("-1e-130"), "7f ff f4 ff"},      //
		{num(strings.Repeat("9", 38)), "81 a7" + strings.Repeat("64", 19) + "00"}, // the longest
	} {
		require.Equal(t, hex.Dump(golden(t, c.key)), hex.Dump(AppendKey(nil, c.value)), string(c.value.AppendJSON(nil)))
		v, rest, err := DecodeKey(golden(t, c.key), c.value.Type())
		require.NoError(t, err)
		require.Empty(t, rest)
		require.Equal(t, c.value, v)
	}
	require.Equal(t, golden(t, "61 00 ff"), AppendKeyPrefix(nil, String("a\x00")))
}
