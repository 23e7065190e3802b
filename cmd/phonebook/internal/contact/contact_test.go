package contact

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func TestFold(t *testing.T) {
	for text, want := range map[string]string{
		"Šimon  O'Neill-Groß": "simon oneill gross",
		"ØRSTED":              "orsted",
		"Łukasz Ægir":         "lukasz aegir",
		"İSTANBUL":            "istanbul",
		"Ｆｕｌｌ　ｗｉｄｔｈ":          "full width",
		"Жанна":               "жанна",
		"?!":                  "?!",
		"🎉 Party":             "🎉 party",
		"":                    "",
	} {
		require.Equal(t, want, Fold(text), "%q", text)
	}
}

func TestFoldIsBoundedAndStable(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.String().Draw(t, "text")
		folded := Fold(text)
		require.LessOrEqual(t, len(folded), maxFolded)
		require.NotContains(t, folded, "  ")
	})
	// One character that decomposes into 18.
	require.LessOrEqual(t, len(Fold(strings.Repeat("ﷺ", MaxText))), maxFolded)
}

func TestSearchNames(t *testing.T) {
	c := Contact{Name: "Ada King Lovelace", Company: "Analytical Engines"}
	require.Equal(t, []string{
		"ada king lovelace", "king lovelace ada", "lovelace ada king", "analytical engines ada king lovelace",
	}, c.SearchNames())
	require.Equal(t, []string{"acme"}, Contact{Name: "Acme", Company: "ACME"}.SearchNames())
	require.Len(t, Contact{Name: "a b c d e f g h"}.SearchNames(), maxTurns)
}

func TestDigits(t *testing.T) {
	for number, want := range map[string]string{
		"+49 (0)30 1234":  "49301234",
		"0049 30 1234":    "49301234",
		"030 / 12-34":     "301234",
		"112":             "112",
		"000":             "000",
		"0001":            "0001",
		"call me":         "",
		"＋４９ ３０":          "4930",
		"<b>555-1234</b>": "5551234",
	} {
		require.Equal(t, want, Digits(number), "%q", number)
	}
}

func TestSameNumber(t *testing.T) {
	require.True(t, SameNumber(Digits("+49 30 901820"), Digits("030 901820")))
	require.True(t, SameNumber(Digits("901820"), Digits("+49 30 901820")))
	require.False(t, SameNumber(Digits("+49 30 901820"), Digits("+43 1 901820")))
	require.False(t, SameNumber("112", "30112"))
	require.True(t, SameNumber("112", "112"))
}

func TestClean(t *testing.T) {
	c, err := Contact{
		ID: "contact-1", Name: " Ada\t Lovelace\u202e\x00 ", Note: "one\r\ntwo\x07", Email: " a@b ",
		Numbers: []Number{{"home", " 030  1"}, {"home", "tel:030:::1"}, {"", " "}},
		Tags:    []string{"Friends", "friends", "a,b", "c;d:::e", ""},
	}.Clean()
	require.NoError(t, err)
	require.Equal(t, Contact{
		ID: "contact-1", Name: "Ada Lovelace", Note: "one\ntwo", Email: "a@b",
		Numbers: []Number{{"home", "030 1"}}, Tags: []string{"Friends", "a b", "c d e"},
	}, c)

	c, err = Contact{ID: "contact-1", Company: "Acme"}.Clean()
	require.NoError(t, err)
	require.Equal(t, "Acme", c.Name)
}

func TestCleanRefuses(t *testing.T) {
	tests := []struct {
		name  string
		spoil func(*Contact)
		want  string
	}{
		{"id", func(c *Contact) { c.ID = "../etc" }, "id: an id is 8 to 64 letters a-z, digits and hyphens"},
		{"no name", func(c *Contact) { c.Name = " \u200e" }, "name: a contact needs a name"},
		{"long name", func(c *Contact) { c.Name = strings.Repeat("ä", 121) }, "name: at most 120 characters"},
		{"long note", func(c *Contact) { c.Note = strings.Repeat("n", 4001) }, "note: at most 4000 characters"},
		{"number", func(c *Contact) { c.Numbers = []Number{{"", "none"}} }, `numbers: "none" has no digits`},
		{"long tag", func(c *Contact) { c.Tags = []string{strings.Repeat("t", 41)} }, "tags: at most 40 characters"},
		{"many numbers", func(c *Contact) {
			for i := range 11 {
				c.Numbers = append(c.Numbers, Number{Number: strings.Repeat("1", i+1)})
			}
		}, "numbers: a contact has at most 10 numbers"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c := Contact{ID: "contact-1", Name: "Ada"}
			tt.spoil(&c)
			_, err := c.Clean()
			require.EqualError(t, err, tt.want)
			require.ErrorIs(t, err, ErrInvalid)
		})
	}
}

func TestDerivedID(t *testing.T) {
	a, b := Contact{Name: "Ada"}, Contact{Name: "Ada", Version: 7, Import: "x"}
	require.Equal(t, DerivedID("", a), DerivedID("", b))
	require.NotEqual(t, DerivedID("", a), DerivedID("", Contact{Name: "Bob"}))
	require.Equal(t, DerivedID("uid", a), DerivedID("uid", Contact{Name: "Bob"}))
	require.True(t, ValidID(DerivedID("uid", a)))
	require.True(t, ValidID(NewID()))
}
