package partiql

import (
	"errors"
	"io"
	"math"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/alecthomas/participle/v2/lexer"
)

// The token types. Values are source text, but keywords are in capitals and a
// parameter carries its number: ?0, ?1 and so on.
const (
	tokenKeyword    lexer.TokenType = -(iota + 2)
	tokenFunction                   // a keyword that may be called
	tokenName                       // also one in double quotes
	tokenLiteral                    // 'string', number, TRUE FALSE NULL MISSING, parameter
	tokenComparator                 // = <> != < <= > >=
	tokenSign                       // + -
	tokenOperator                   // || / %
	tokenClosing                    // , ) ] } >>
	tokenPunctuation
)

// symbols are the names of the token types in the grammar.
var symbols = map[string]lexer.TokenType{
	"EOF": lexer.EOF, "Keyword": tokenKeyword, "Function": tokenFunction, "Name": tokenName, "Literal": tokenLiteral,
	"Comparator": tokenComparator, "Sign": tokenSign, "Operator": tokenOperator, "Closing": tokenClosing, "Punctuation": tokenPunctuation,
}

// definition is the lexer of the grammar. The parser is given tokens that were
// made beforehand, so it only has to know the symbols.
type definition struct{}

func (definition) Symbols() map[string]lexer.TokenType { return symbols }

var errLexed = errors.New("statements are tokenized before they are parsed")

func (definition) Lex(string, io.Reader) (lexer.Lexer, error) { return nil, errLexed }

// tokenList hands tokens to the parser.
type tokenList struct{ rest []lexer.Token }

func (l *tokenList) Next() (lexer.Token, error) {
	t := l.rest[0]
	if !t.EOF() {
		l.rest = l.rest[1:]
	}
	return t, nil
}

// scanner cuts text into tokens.
type scanner struct {
	text       string
	pos        lexer.Position // of the next character
	tokens     []lexer.Token
	parameters int
}

// tokenize returns the tokens of text, the last of which is the end of it, and
// how many of them are parameters. Text that has no tokens (an open quote or
// comment, a character outside the language, a number that no decimal of the
// service can hold) is an error without a detail.
func tokenize(text string) (tokens []lexer.Token, parameters int, err *Error) {
	s := scanner{text: text, pos: lexer.Position{Line: 1, Column: 1}, tokens: make([]lexer.Token, 0, len(text)/4+2)}
	for {
		if !s.skipBlanks() {
			return nil, 0, malformed("")
		}
		if s.pos.Offset == len(text) {
			s.tokens = append(s.tokens, lexer.EOFToken(s.pos))
			return s.tokens, s.parameters, nil
		}
		kind, width := s.next()
		if width == 0 {
			return nil, 0, malformed("")
		}
		s.emit(kind, width)
	}
}

// peek is the byte i places ahead, 0 beyond the end.
func (s *scanner) peek(i int) byte {
	if i += s.pos.Offset; i < len(s.text) {
		return s.text[i]
	}
	return 0
}

// advance moves over width bytes.
func (s *scanner) advance(width int) {
	for _, c := range s.text[s.pos.Offset : s.pos.Offset+width] {
		if c == '\n' {
			s.pos.Line++
			s.pos.Column = 1
		} else {
			s.pos.Column++
		}
	}
	s.pos.Offset += width
}

// skipBlanks moves over white space and comments. It reports false for a
// comment that is not closed.
func (s *scanner) skipBlanks() bool {
	for {
		rest := s.text[s.pos.Offset:]
		switch {
		case rest == "":
			return true
		case strings.IndexByte(" \t\r\n\v\f", rest[0]) >= 0:
			s.advance(1)
		case strings.HasPrefix(rest, "--"):
			end := strings.IndexAny(rest, "\r\n")
			if end < 0 {
				end = len(rest)
			}
			s.advance(end)
		case strings.HasPrefix(rest, "/*"):
			end := strings.Index(rest[2:], "*/")
			if end < 0 {
				return false
			}
			s.advance(end + 4)
		default:
			return true
		}
	}
}

// next finds the type and the width in bytes of the next token; width 0 means
// there is none.
func (s *scanner) next() (kind lexer.TokenType, width int) {
	switch c := s.peek(0); {
	case isNameStart(c):
		width = 1
		for isNameStart(s.peek(width)) || isDigit(s.peek(width)) {
			width++
		}
		return s.word(s.text[s.pos.Offset : s.pos.Offset+width]), width
	case isDigit(c), c == '.' && isDigit(s.peek(1)):
		return tokenLiteral, s.number()
	case c == '\'':
		return tokenLiteral, s.quoted('\'')
	case c == '"':
		return tokenName, s.quoted('"')
	case c == '?':
		return tokenLiteral, 1
	case c == '<':
		switch s.peek(1) {
		case '<':
			return tokenPunctuation, 2
		case '=', '>':
			return tokenComparator, 2
		}
		return tokenComparator, 1
	case c == '>':
		switch s.peek(1) {
		case '>':
			return tokenClosing, 2
		case '=':
			return tokenComparator, 2
		}
		return tokenComparator, 1
	case c == '!' && s.peek(1) == '=':
		return tokenComparator, 2
	case c == '=':
		return tokenComparator, 1
	case c == '+', c == '-':
		return tokenSign, 1
	case c == '|' && s.peek(1) == '|':
		return tokenOperator, 2
	case c == '/', c == '%':
		return tokenOperator, 1
	case strings.IndexByte(",)]}", c) >= 0:
		return tokenClosing, 1
	case strings.IndexByte("([{.:;*", c) >= 0:
		return tokenPunctuation, 1
	}
	return 0, 0
}

func isDigit(c byte) bool { return '0' <= c && c <= '9' }

func isNameStart(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || c == '_' || c == '$'
}

// word tells keywords from names. What follows RETURNING are words that are
// names everywhere else.
func (s *scanner) word(text string) lexer.TokenType {
	upper := strings.ToUpper(text)
	switch {
	case literalWords[upper]:
		return tokenLiteral
	case functionWords[upper]:
		return tokenFunction
	case keywords[upper]:
		return tokenKeyword
	case upper == "MODIFIED" && s.before(1) == "RETURNING",
		(upper == "OLD" || upper == "NEW") && s.before(2) == "RETURNING":
		return tokenKeyword
	}
	return tokenName
}

// before is the keyword i tokens back, "" if there is none.
func (s *scanner) before(i int) string {
	if i = len(s.tokens) - i; i >= 0 && s.tokens[i].Type == tokenKeyword {
		return s.tokens[i].Value
	}
	return ""
}

// quoted is the width of a text in quotes, in which the quote itself is
// doubled; 0 if it is not closed or is no UTF-8.
func (s *scanner) quoted(quote byte) int {
	rest := s.text[s.pos.Offset:]
	for i := 1; i < len(rest); i++ {
		if rest[i] != quote {
			continue
		}
		if i+1 < len(rest) && rest[i+1] == quote {
			i++
			continue
		}
		if !utf8.ValidString(rest[:i]) {
			return 0
		}
		return i + 1
	}
	return 0
}

// number is the width of a number: digits with at most one point and perhaps
// an exponent. It is 0 if something else follows directly, or if exponent or
// scale do not fit 32 bits.
func (s *scanner) number() int {
	width, fraction := 0, 0
	for isDigit(s.peek(width)) {
		width++
	}
	if s.peek(width) == '.' {
		width++
		for isDigit(s.peek(width)) {
			width++
			fraction++
		}
	}
	if c := s.peek(width); c == 'e' || c == 'E' {
		begin := width + 1
		width = begin
		if c := s.peek(width); c == '+' || c == '-' {
			width++
		}
		for isDigit(s.peek(width)) {
			width++
		}
		text := s.text[s.pos.Offset+begin : s.pos.Offset+width]
		exponent, err := strconv.ParseInt(text, 10, 32)
		if scale := int64(fraction) - exponent; err != nil || scale > math.MaxInt32 || scale < math.MinInt32 {
			return 0
		}
	}
	if isNameStart(s.peek(width)) {
		return 0
	}
	return width
}

// emit adds a token of the given width. Two keywords that name one type become
// one token.
func (s *scanner) emit(kind lexer.TokenType, width int) {
	t := lexer.Token{Type: kind, Value: s.text[s.pos.Offset : s.pos.Offset+width], Pos: s.pos}
	switch {
	case kind == tokenKeyword, kind == tokenFunction, kind == tokenLiteral && isNameStart(t.Value[0]):
		t.Value = strings.ToUpper(t.Value)
	case t.Value == "?":
		t.Value = "?" + strconv.Itoa(s.parameters)
		s.parameters++
	}
	s.advance(width)
	if last := s.before(1); t.Value == "VARYING" && last == "CHARACTER" || t.Value == "PRECISION" && last == "DOUBLE" {
		s.tokens[len(s.tokens)-1].Value += " " + t.Value
		return
	}
	s.tokens = append(s.tokens, t)
}
