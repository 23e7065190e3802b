package partiql

import (
	"errors"
	"strings"

	"github.com/alecthomas/participle/v2"
	"github.com/alecthomas/participle/v2/lexer"
	"github.com/maypok86/otter/v2"
)

const (
	// maxText is the longest statement in characters (API Reference,
	// PartiQLStatement). It is checked again here because it bounds the parser.
	maxText = 8192

	// maxNesting bounds brackets, NOT and signs inside each other, since the
	// parser recurses. No value can have more than 32 levels.
	maxNesting = 128

	// maxBrackets bounds how many brackets a statement opens. They cost the
	// parser most; text with more is nothing but brackets.
	maxBrackets = 1024

	// cacheWeight bounds the memory in bytes, by the estimate of weight, that
	// parsed statements take.
	cacheWeight = 16 << 20
)

var parser = participle.MustBuild[statementSyntax](participle.Lexer(definition{}), participle.UseLookahead(0))

// statements holds parsed statements by their text: applications send the same
// few statements with parameters again and again.
var statements = otter.Must(&otter.Options[string, *Statement]{
	MaximumWeight: cacheWeight,
	Weigher:       func(text string, _ *Statement) uint32 { return uint32(1024 + 64*len(text)) },
	// The cache's upkeep is short; doing it in place keeps the package free of
	// goroutines.
	Executor: func(upkeep func()) { upkeep() },
})

// Statement is a parsed statement. It is immutable and shared.
type Statement struct {
	syntax     *statementSyntax
	parameters int
}

// Parse parses a statement. The error is an [*Error].
func Parse(text string) (*Statement, error) {
	if s, ok := statements.GetIfPresent(text); ok {
		return s, nil
	}
	text = strings.Clone(text) // the tree refers to it, and the caller's may be part of a whole request
	s, err := parse(text)
	if err != nil {
		return nil, err
	}
	statements.Set(text, s)
	return s, nil
}

func parse(text string) (*Statement, *Error) {
	if len(text) > 4*maxText {
		return nil, malformed("")
	}
	tokens, parameters, fault := tokenize(text)
	if fault != nil {
		return nil, fault
	}
	if tooDeep(tokens) {
		return nil, errorf("%s", nestingFault)
	}
	lx, err := lexer.Upgrade(&tokenList{rest: tokens})
	if err != nil {
		return nil, malformed("")
	}
	syntax, err := parser.ParseFromLexer(lx)
	stop := len(tokens)
	if err != nil {
		stop = stoppedAt(tokens, err)
	}
	if i := misnamedType(tokens); i <= stop && i < len(tokens) {
		return nil, malformed("Expected type name")
	}
	if err != nil {
		return nil, diagnose(tokens, stop)
	}
	s := &Statement{syntax: syntax, parameters: parameters}
	if fault := syntax.check(); fault != nil {
		return nil, fault
	}
	return s, nil
}

// stoppedAt finds the token that an error of the parser is about.
func stoppedAt(tokens []lexer.Token, err error) int {
	offset := -1
	if located := participle.Error(nil); errors.As(err, &located) {
		offset = located.Position().Offset
	}
	for i, t := range tokens {
		if t.Pos.Offset >= offset {
			return i
		}
	}
	return len(tokens) - 1
}

// misnamedType finds the first IS that no type follows, as the position of what
// follows; the number of tokens if there is none.
func misnamedType(tokens []lexer.Token) int {
	for i := range tokens[:len(tokens)-1] {
		if tokens[i].Type != tokenKeyword || tokens[i].Value != "IS" || i == 0 || startsTerm(tokens[i-1]) {
			continue
		}
		next := i + 1
		if tokens[next].Value == "NOT" {
			next++
		}
		if t := tokens[next]; t.Type == tokenName || !typeWords[t.Value] {
			return next
		}
	}
	return len(tokens)
}

// tooDeep reports whether brackets, NOT and signs are nested too deeply for the
// parser, or too many, in time linear in the number of tokens.
func tooDeep(tokens []lexer.Token) bool {
	depth, prefixes, brackets := 0, 0, 0
	for _, t := range tokens {
		switch t.Value {
		case "(", "[", "{", "<<":
			depth++
			brackets++
		case ")", "]", "}", ">>":
			depth--
		}
		if t.Value == "NOT" || t.Type == tokenSign {
			prefixes++
		} else if t.Type != tokenPunctuation { // an opening bracket keeps them
			prefixes = 0
		}
		if depth+prefixes > maxNesting || brackets > maxBrackets {
			return true
		}
	}
	return false
}
