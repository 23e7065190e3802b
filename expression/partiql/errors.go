package partiql

import (
	"fmt"
	"unicode/utf8"

	"github.com/alecthomas/participle/v2/lexer"
)

// Error says why a statement is not acceptable. Its text is the whole sentence
// that DynamoDB puts into a ValidationException.
type Error struct{ Text string }

func (e *Error) Error() string { return e.Text }

func errorf(format string, args ...any) *Error { return &Error{Text: fmt.Sprintf(format, args...)} }

// malformed is the error of a statement that does not parse; detail may be empty.
func malformed(detail string) *Error {
	return &Error{Text: "Statement wasn't well formed, can't be processed: " + detail}
}

// at prints where a token stands: line, column and length in characters.
func at(pos lexer.Position, token string) string {
	return fmt.Sprintf(" at %d:%d:%d", pos.Line, pos.Column, utf8.RuneCountInString(token))
}
