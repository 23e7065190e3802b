package expression

import (
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/alecthomas/participle/v2"
	"github.com/alecthomas/participle/v2/lexer"
)

// newLexer makes the lexer of a grammar. The grammars agree on all tokens but
// keywords: SET is an ordinary (though reserved) name in a condition.
func newLexer(keywords ...string) *lexer.StatefulDefinition {
	rules := []lexer.SimpleRule{{Name: "Space", Pattern: `[ \t\r\n]+`}}
	if len(keywords) > 0 {
		rules = append(rules, lexer.SimpleRule{Name: "Keyword", Pattern: `(?i:` + strings.Join(keywords, "|") + `)\b`})
	}
	return lexer.MustSimple(append(rules,
		lexer.SimpleRule{Name: "Name", Pattern: `[A-Za-z_][A-Za-z0-9_]*`},
		lexer.SimpleRule{Name: "Alias", Pattern: `#[A-Za-z0-9_]+`},
		lexer.SimpleRule{Name: "Value", Pattern: `:[A-Za-z0-9_]+`},
		lexer.SimpleRule{Name: "Index", Pattern: `[0-9]+`},
		lexer.SimpleRule{Name: "Comparator", Pattern: `<>|<=|>=|[=<>]`},
		lexer.SimpleRule{Name: "Arithmetic", Pattern: `[-+]`},
		lexer.SimpleRule{Name: "Punctuation", Pattern: `[().,\[\]]`},
	))
}

// tokens splits text, which must be free of unknown characters, into its
// tokens without white space, the end of the text being the last one.
func tokens(def *lexer.StatefulDefinition, text string) []lexer.Token {
	lx, err := def.LexString("", text)
	if err != nil {
		return nil
	}
	all, err := lexer.ConsumeAll(lx)
	if err != nil {
		return nil
	}
	space := def.Symbols()["Space"]
	kept := all[:0]
	for _, t := range all {
		if t.Type != space {
			kept = append(kept, t)
		}
	}
	return kept
}

// syntaxFault describes an error of the lexer or the parser in DynamoDB's
// words.
func syntaxFault(def *lexer.StatefulDefinition, text string, err error) string {
	var lexical *lexer.Error
	if errors.As(err, &lexical) {
		return unknownCharacter(text, lexical.Pos.Offset)
	}
	offset := len(text)
	var located participle.Error
	if errors.As(err, &located) {
		offset = located.Position().Offset
	}
	return unexpectedToken(tokens(def, text), text, offset)
}

// unknownCharacter describes a character that starts no token: the character
// itself, near it the one that follows unless that is blank.
func unknownCharacter(text string, offset int) string {
	_, width := utf8.DecodeRuneInString(text[offset:])
	end := offset + width
	if r, width := utf8.DecodeRuneInString(text[end:]); width > 0 && !strings.ContainsRune(" \t\r\n", r) {
		end += width
	}
	return syntaxError(text[offset:offset+width], text[offset:end])
}

// unexpectedToken describes a token in the wrong place. Near it is the source
// text from the token before to the token after; at the end of the text, the
// last token.
func unexpectedToken(toks []lexer.Token, text string, offset int) string {
	at := 0
	for at < len(toks)-1 && toks[at].Pos.Offset < offset {
		at++
	}
	if at >= len(toks)-1 {
		last := ""
		if at > 0 {
			last = toks[at-1].Value
		}
		return syntaxError("<EOF>", last)
	}
	from, to := toks[max(at-1, 0)], toks[at]
	if at+1 < len(toks)-1 {
		to = toks[at+1]
	}
	return syntaxError(toks[at].Value, text[from.Pos.Offset:to.Pos.Offset+len(to.Value)])
}

func syntaxError(token, near string) string {
	return fmt.Sprintf(`Syntax error; token: "%s", near: "%s"`,
		strings.ToValidUTF8(token, "\uFFFD"), strings.ToValidUTF8(near, "\uFFFD"))
}
