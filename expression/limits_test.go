package expression

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/stator-db/stator/storage/item"
)

var testValues = map[string]item.Value{":v": item.String("a"), ":n": item.NumberValue(item.NumberFromInt(1))}

// bind binds text as an expression of the given kind and returns the error's
// text.
func bind(kind Kind, text string) string {
	b := NewBinder(nil, testValues)
	var err error
	switch kind {
	case KindProjection:
		_, err = b.Projection(text)
	case KindUpdate:
		_, err = b.Update(text)
	case KindKeyCondition:
		_, err = b.KeyCondition(text)
	default:
		_, err = b.Condition(kind, text)
	}
	if err == nil {
		return ""
	}
	return err.Error()
}

// joined returns count copies of part with separators.
func joined(part, separator string, count int) string {
	return strings.Repeat(part+separator, count-1) + part
}

// padded returns text with blanks up to the given length.
func padded(text string, length int) string { return text + strings.Repeat(" ", length-len(text)) }

func TestLimits(t *testing.T) {
	deep := strings.Repeat("a.", 31) + "a"
	nested := strings.Repeat("(a=:v AND ", 100) + "a=:v" + strings.Repeat(")", 100)
	const mixed = "NOT contains(a,:v) AND NOT a BETWEEN size(b) AND :n AND " // seven operators and functions
	tests := []struct {
		name string
		kind Kind
		text string
		want string // "" if the expression is accepted
	}{
		{"empty condition", KindCondition, "", "Invalid ConditionExpression: The expression can not be empty;"},
		{"blank filter", KindFilter, " \t\r\n", "Invalid FilterExpression: The expression can not be empty;"},
		{"empty key condition", KindKeyCondition, "", "Invalid KeyConditionExpression: The expression can not be empty;"},
		{"empty projection", KindProjection, "", "Invalid ProjectionExpression: The expression can not be empty;"},
		{"empty update", KindUpdate, "", "Invalid UpdateExpression: The expression can not be empty;"},

		{"4096 bytes", KindCondition, padded("a = :v", 4096), ""},
		{"4097 bytes", KindCondition, padded("a = :v", 4097),
			"Invalid ConditionExpression: Expression size has exceeded the maximum allowed size; expression size: 4097"},
		{"long filter", KindFilter, padded("a = :v", 4109),
			"Invalid FilterExpression: Expression size has exceeded the maximum allowed size; expression size: 4109"},
		{"long update", KindUpdate, padded("SET a = :v", 4097),
			"Invalid UpdateExpression: Expression size has exceeded the maximum allowed size;"},
		{"long projection", KindProjection, padded("a", 4097),
			"Invalid ProjectionExpression: Expression size has exceeded the maximum allowed size;"},
		{"long key condition", KindKeyCondition, padded("a = :v", 4097),
			"Invalid KeyConditionExpression: Expression size has exceeded the maximum allowed size;"},
		{"syntax before length", KindProjection, padded("a b", 4097),
			`Invalid ProjectionExpression: Syntax error; token: "b", near: "a b"`},
		{"length before the rest", KindCondition, padded("((name = :x))", 4097),
			"Invalid ConditionExpression: Expression size has exceeded the maximum allowed size; expression size: 4097"},
		{"a megabyte", KindUpdate, strings.Repeat("(", 1<<20),
			"Invalid UpdateExpression: Expression size has exceeded the maximum allowed size;"},

		{"299 operators", KindCondition, joined("a=:v", " OR ", 150), ""},
		{"300 operators", KindCondition, "NOT " + joined("a=:v", " OR ", 150), ""},
		{"301 operators", KindCondition, joined("a=:v", " OR ", 151), tooMany(KindCondition)},
		{"300 of all kinds", KindFilter, mixed + joined("a=:v", " AND ", 147), ""},
		{"301 of all kinds", KindFilter, "NOT " + mixed + joined("a=:v", " AND ", 147), tooMany(KindFilter)},
		{"300 NOT", KindCondition, strings.Repeat("NOT ", 300) + "a=:v", tooMany(KindCondition)},
		{"900 operators", KindCondition, joined("a=:v", " OR ", 450), tooMany(KindCondition)},
		{"SET has no operator", KindUpdate, "SET " + assignments(340, "=b"), ""},
		{"301 sums", KindUpdate, "SET " + assignments(301, "=b+c"), tooMany(KindUpdate)},
		{"300 sums", KindUpdate, "SET " + assignments(300, "=b+c"), ""},
		{"301 functions", KindUpdate, "SET a=" + strings.Repeat("if_not_exists(b,", 151) + "c" + strings.Repeat(")", 151) + "," +
			assignments(150, "=b+c"), tooMany(KindUpdate)},
		{"operators before parentheses", KindCondition, "((a=:v)) OR " + joined("a=:v", " OR ", 151), tooMany(KindCondition)},

		{"100 operands of IN", KindCondition, "a IN (" + joined(":v", ",", 100) + ")", ""},
		{"101 operands of IN", KindCondition, "a IN (" + joined(":v", ",", 101) + ")",
			"Invalid ConditionExpression: The IN operator is provided with too many operands; number of operands: 101"},

		{"32 path elements", KindProjection, deep, ""},
		{"33 path elements", KindProjection, deep + "[0]",
			"Invalid ProjectionExpression: The document path has too many nesting elements; nesting levels: 33"},
		{"33 in a condition", KindCondition, "attribute_exists(" + deep + ".b)",
			"Invalid ConditionExpression: The document path has too many nesting elements; nesting levels: 33"},
		{"33 in an update", KindUpdate, "REMOVE " + deep + ".b",
			"Invalid UpdateExpression: The document path has too many nesting elements; nesting levels: 33"},

		{"largest index", KindProjection, "a[4294967294]", ""},
		{"index too large", KindProjection, "a[4294967295]",
			"Invalid ProjectionExpression: List index is not within the allowable range; index: [4294967295]"},
		{"index beyond 64 bits", KindUpdate, "REMOVE a[99999999999999999999]",
			"Invalid UpdateExpression: List index is not within the allowable range; index: [99999999999999999999]"},

		{"100 levels", KindCondition, nested, ""},
		{"100 redundant levels", KindCondition, strings.Repeat("(", 100) + "a=:v" + strings.Repeat(")", 100),
			"Invalid ConditionExpression: The expression has redundant parentheses;"},
		{"2000 redundant levels", KindFilter, strings.Repeat("(", 2000) + "a=:v" + strings.Repeat(")", 2000),
			"Invalid FilterExpression: The expression has redundant parentheses;"},
		{"4096 parentheses", KindCondition, strings.Repeat("(", 4096),
			`Invalid ConditionExpression: Syntax error; token: "<EOF>", near: "("`},
		{"parentheses up to the longest text parsed", KindUpdate, "SET a=" + strings.Repeat("(", maxParsedLength-6),
			`Invalid UpdateExpression: Syntax error; token: "<EOF>", near: "("`},
		{"4096 closing parentheses", KindCondition, strings.Repeat(")", 4096),
			`Invalid ConditionExpression: Syntax error; token: ")", near: "))"`},
		{"1000 functions", KindCondition, strings.Repeat("size(", 800) + "a" + strings.Repeat(")", 800) + " = :n",
			"Invalid ConditionExpression: The expression has redundant parentheses;"},

		{"invalid UTF-8", KindCondition, "a = \xff:v", `Invalid ConditionExpression: Syntax error; token: "` + "\uFFFD" + `", near: "` + "\uFFFD:" + `"`},
		{"zero byte", KindUpdate, "SET a\x00 = :v", "Invalid UpdateExpression: Syntax error; token: \"\x00\", near: \"\x00\""},
		{"invalid UTF-8 inside a name", KindProjection, "a\xc3b", `Invalid ProjectionExpression: Syntax error; token: "` + "\uFFFD" + `", near: "` + "\uFFFDb" + `"`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			require.Equal(t, tt.want, bind(tt.kind, tt.text))
		})
	}
}

func tooMany(kind Kind) string {
	return fmt.Sprintf("Invalid %v: The expression contains too many operators; operator count: 301", kind)
}

// assignments returns count actions of SET on different targets.
func assignments(count int, value string) string {
	var actions []string
	for i := range count {
		actions = append(actions, fmt.Sprintf("x%d%s", i, value))
	}
	return strings.Join(actions, ",")
}

func TestReservedWords(t *testing.T) {
	words := strings.Fields(reservedWords)
	require.Len(t, words, 573)
	require.Len(t, reserved, 573)
	for _, w := range words {
		lower := strings.ToLower(w)
		want := "Invalid ProjectionExpression: Attribute name is a reserved keyword; reserved keyword: " + lower
		require.Equal(t, want, bind(KindProjection, lower))
	}
}

func TestPlaceholderTooLong(t *testing.T) {
	longest := "#" + strings.Repeat("a", 254)
	require.NoError(t, NewBinder(map[string]string{longest: "a"}, nil).CheckPlaceholders())
	err := NewBinder(map[string]string{longest + "a": "a"}, nil).CheckPlaceholders()
	require.EqualError(t, err, "ExpressionAttributeNames contains invalid key: key too long; size of key: 256")
}

func TestPlaceholderForEmptyName(t *testing.T) {
	err := NewBinder(map[string]string{"#a": "", "#b": "", "#c": "c"}, nil).CheckPlaceholders()
	require.EqualError(t, err, "ExpressionAttributeNames contains invalid value: Empty attribute name for key #a")
}

func TestUnusedAmongMany(t *testing.T) {
	names := map[string]string{"#x": "x", "#y": "y"}
	var paths []string
	for i := range 100 {
		alias := fmt.Sprintf("#a%d", i)
		names[alias] = alias
		paths = append(paths, alias)
	}
	b := NewBinder(names, nil)
	_, err := b.Projection(strings.Join(paths, ", "))
	require.NoError(t, err)
	require.EqualError(t, b.Unused(), "Value provided in ExpressionAttributeNames unused in expressions: keys: {#x, #y}")
}

// TestCacheIsBounded fills the cache of trees beyond its limit.
func TestCacheIsBounded(t *testing.T) {
	g := newGrammar(checkProjection)
	filler := strings.Repeat("a", 4000)
	for i := range 2 * cacheWeight / treeWeight(filler) {
		_, err := g.parse(KindProjection, fmt.Sprintf("%s%d", filler, i))
		require.Nil(t, err)
	}
	g.trees.CleanUp()
	require.LessOrEqual(t, g.trees.WeightedSize(), uint64(cacheWeight))
	require.Positive(t, g.trees.EstimatedSize())
}

func TestKindString(t *testing.T) {
	require.Equal(t, "ConditionExpression FilterExpression KeyConditionExpression ProjectionExpression UpdateExpression",
		fmt.Sprintf("%v %v %v %v %v", KindCondition, KindFilter, KindKeyCondition, KindProjection, KindUpdate))
}
