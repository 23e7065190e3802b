package expression

import (
	"fmt"
	"strings"

	"github.com/alecthomas/participle/v2"
	"github.com/alecthomas/participle/v2/lexer"
	"github.com/maypok86/otter/v2"
)

// Limits of the text of one expression (Developer Guide, "Constraints in
// Amazon DynamoDB", expression parameters).
const (
	maxTextLength = 4096
	maxOperators  = 300
	maxInOperands = 100
	maxPathDepth  = 32
	maxListIndex  = 4_294_967_294
)

const (
	// maxParsedLength bounds the text that is parsed although it is too long:
	// DynamoDB finds fault with the syntax first, then with the length.
	maxParsedLength = 2 * maxTextLength

	// maxNesting is the nesting of parentheses beyond which the parser, which
	// recurses, is not tried. Each level must enclose an operator or belong to a
	// function, or it is redundant, so a valid expression has fewer levels than
	// maxOperators.
	maxNesting = maxOperators + 1

	// cacheWeight bounds the memory, in bytes by the estimate of treeWeight,
	// that one grammar's cache of syntax trees takes.
	cacheWeight = 16 << 20
)

// grammar parses the expressions of one syntax into trees of type T and caches
// the trees.
type grammar[T any] struct {
	lexer  *lexer.StatefulDefinition
	parser *participle.Parser[T]
	check  func(tree *T) (fault string, misplaced *lexer.Position)
	trees  *otter.Cache[string, *T]
}

// newGrammar builds a grammar. Function check examines a tree for faults that
// do not depend on placeholders; the position it may return is that of a token
// which the participle grammar lets pass although the syntax does not.
func newGrammar[T any](check func(*T) (string, *lexer.Position), keywords ...string) *grammar[T] {
	def := newLexer(keywords...)
	options := []participle.Option{participle.Lexer(def), participle.Elide("Space"), participle.UseLookahead(0)}
	if len(keywords) > 0 {
		options = append(options, participle.CaseInsensitive("Keyword"))
	}
	return &grammar[T]{
		lexer:  def,
		parser: participle.MustBuild[T](options...),
		check:  check,
		trees: otter.Must(&otter.Options[string, *T]{
			MaximumWeight: cacheWeight,
			Weigher:       func(text string, _ *T) uint32 { return treeWeight(text) },
			// The cache's upkeep is short; doing it in place keeps the package
			// free of goroutines.
			Executor: func(upkeep func()) { upkeep() },
		}),
	}
}

// treeWeight estimates the bytes that text and its tree take. A node of about
// a hundred bytes stands for every two or three bytes of dense text.
func treeWeight(text string) uint32 { return uint32(512 + 48*len(text)) }

// parse returns the tree of text. If there is a fault, it is returned as the
// text that follows "Invalid ...Expression: ". Trees are shared and must not be
// changed.
func (g *grammar[T]) parse(kind Kind, text string) (*T, *Error) {
	if tree, ok := g.trees.GetIfPresent(text); ok {
		return tree, nil
	}
	if strings.Trim(text, " \t\r\n") == "" {
		return nil, invalid(kind, "The expression can not be empty;")
	}
	if len(text) > maxParsedLength {
		return nil, invalid(kind, lengthFault(kind, len(text)))
	}
	if fault := g.nestingFault(text); fault != "" {
		return nil, invalid(kind, fault)
	}
	text = strings.Clone(text) // the tree refers to it, and the caller's may be part of a whole request
	tree, err := g.parser.ParseString("", text)
	if err != nil {
		return nil, invalid(kind, syntaxFault(g.lexer, text, err))
	}
	fault, misplaced := g.check(tree)
	if misplaced != nil {
		return nil, invalid(kind, unexpectedToken(tokens(g.lexer, text), text, misplaced.Offset))
	}
	if len(text) > maxTextLength {
		fault = lengthFault(kind, len(text))
	}
	if fault != "" {
		return nil, invalid(kind, fault)
	}
	g.trees.Set(text, tree)
	return tree, nil
}

func lengthFault(kind Kind, length int) string {
	const fault = "Expression size has exceeded the maximum allowed size;"
	if kind == KindCondition || kind == KindFilter {
		return fmt.Sprintf("%s expression size: %d", fault, length)
	}
	return fault
}

// nestingFault finds text that is nested too deeply to be valid, in time
// linear in its length.
func (g *grammar[T]) nestingFault(text string) string {
	depth, deepest := 0, 0
	for i := 0; i < len(text); i++ {
		switch text[i] {
		case '(':
			depth++
			deepest = max(deepest, depth)
		case ')':
			depth--
		}
	}
	if deepest <= maxNesting {
		return ""
	}
	if depth > 0 {
		return unexpectedToken(tokens(g.lexer, text), text, len(text))
	}
	return redundantParenthesesFault
}
