package contact

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/cases"
	"golang.org/x/text/unicode/norm"
)

// maxFolded bounds a folded text in bytes, because a sort key has at most 1,024.
const maxFolded = 256

// letters are those that Unicode does not take apart but people type without.
var letters = strings.NewReplacer("ø", "o", "ł", "l", "đ", "d", "ħ", "h", "ı", "i", "æ", "ae", "œ", "oe", "þ", "th", "ð", "d")

// Fold returns text in the form in which names are compared: compatibility
// decomposition, no accents, no case, no apostrophes, everything that is neither
// letter, digit nor symbol a single space. "Šimon  O'Neill-Groß" folds to
// "simon oneill gross". What is left empty by that, such as "?!", stays as it is, in
// lower case. The result is at most 256 bytes.
func Fold(text string) string {
	folded := strings.Map(func(r rune) rune {
		switch {
		case unicode.Is(unicode.Mn, r), r == '\'', r == '’', r == 'ʼ', r == '‘':
			return -1
		case unicode.IsLetter(r), unicode.IsNumber(r), unicode.IsSymbol(r), unicode.IsMark(r):
			return r
		}
		return ' '
	}, norm.NFKD.String(cases.Fold().String(norm.NFKD.String(text))))
	folded = strings.Join(strings.Fields(letters.Replace(folded)), " ")
	if folded == "" {
		folded = strings.ToLower(strings.Join(strings.Fields(text), " "))
	}
	return truncate(folded)
}

func truncate(text string) string {
	if len(text) <= maxFolded {
		return text
	}
	end := maxFolded
	for !utf8.RuneStart(text[end]) {
		end--
	}
	return strings.TrimRight(text[:end], " ")
}

// maxTurns is how many words of a name it can be found by.
const maxTurns = 6

// SearchNames returns the folded texts that a search finds c by if they begin with
// what was typed: the name beginning with each of its first words in turn ("ada king
// lovelace", "king lovelace ada", "lovelace ada king"), then the company. The first one
// is the contact's place in the alphabet. There is always one.
func (c Contact) SearchNames() []string {
	words := strings.Fields(Fold(c.Name))
	names := make([]string, 0, len(words)+1)
	for i := range min(len(words), maxTurns) {
		turned := append(append(make([]string, 0, len(words)), words[i:]...), words[:i]...)
		names = append(names, strings.Join(turned, " "))
	}
	if len(names) == 0 { // a name of nothing but white space does not pass Clean
		names = append(names, "?")
	}
	if company := Fold(c.Company); company != "" && company != names[0] {
		names = append(names, truncate(company+" "+names[0]))
	}
	return names
}
