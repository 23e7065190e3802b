package partiql

import "github.com/alecthomas/participle/v2/lexer"

// diagnose names what is wrong with tokens, of which the one at stop was the
// first that did not fit, in the words of the service. What was expected there
// follows from the token before it and from the open brackets.
func diagnose(tokens []lexer.Token, stop int) *Error {
	t := tokens[stop]
	if stop == 0 {
		return malformed(unexpectedTerm(t))
	}
	before := tokens[stop-1]
	start := tokens[0].Value
	switch before.Value {
	case ".":
		return malformed("Invalid path dot component")
	case "INSERT":
		return malformed("Unexpected keyword") // INSERT INTO is one word to the service
	case "DELETE":
		return malformed("Expected FROM after DELETE")
	case "UPDATE", "INTO", "SET", "REMOVE":
		return malformed("Expected identifier for simple path")
	case "FROM":
		if start == "DELETE" {
			return malformed("Expected identifier for simple path")
		}
		return malformed(unexpectedTerm(t))
	case "RETURNING", "MODIFIED", "OLD", "NEW":
		return malformed("Expected returning clause")
	case "ORDER", "GROUP":
		return malformed("Expected BY")
	}
	infix := isInfix(before) && stop >= 2 && endsTerm(tokens[stop-2])
	if infix && t.EOF() {
		return malformed("Missing right-hand side expression of infix operator")
	}
	if infix || startsTerm(before) {
		return malformed(unexpectedTerm(t))
	}
	if open := innermostOpen(tokens[:stop]); open != "" {
		return malformed("Expected " + closings[open])
	}
	return malformed(afterTerm(tokens, stop))
}

// unexpectedTerm is said of a token where a value should begin. FROM begins a
// value to the service, an update whose SET is then missing.
func unexpectedTerm(t lexer.Token) string {
	if t.Type == tokenKeyword && t.Value == "FROM" {
		return "Expected data manipulation"
	}
	switch t.Type {
	case tokenComparator, tokenSign, tokenOperator:
		return "Unexpected operator"
	case tokenKeyword, tokenFunction:
		if operatorWords[t.Value] {
			return "Unexpected operator"
		}
		return "Unexpected keyword"
	}
	return "Unexpected term"
}

// isInfix reports whether t stands between two values.
func isInfix(t lexer.Token) bool {
	switch t.Type {
	case tokenComparator, tokenSign, tokenOperator:
		return true
	case tokenKeyword:
		return operatorWords[t.Value] && t.Value != "NOT"
	}
	return t.Value == "*"
}

// startsTerm reports whether a value is expected after t.
func startsTerm(t lexer.Token) bool {
	switch t.Type {
	case tokenPunctuation, tokenClosing:
		switch t.Value {
		case "(", "[", "{", "<<", ",", ":":
			return true
		}
		return false
	case tokenKeyword:
		switch t.Value {
		case "SELECT", "DISTINCT", "WHERE", "HAVING", "BY", "LIMIT", "VALUE", "ALL", "NOT":
			return true
		}
	}
	return t.Value != "*" && isInfix(t)
}

// endsTerm reports whether a value may end with t, so that an operator can
// follow it.
func endsTerm(t lexer.Token) bool {
	switch t.Type {
	case tokenName, tokenLiteral:
		return true
	case tokenKeyword:
		return t.Value == "NOT" // of NOT IN and its like
	}
	return t.Value == ")" || t.Value == "]" || t.Value == "}" || t.Value == ">>"
}

var closings = map[string]string{
	"(": "RIGHT_PAREN", "[": "RIGHT_BRACKET", "{": "RIGHT_CURLY", "<<": "RIGHT_DOUBLE_ANGLE_BRACKET",
}

// innermostOpen is the bracket that is still open at the end of tokens, "" if
// there is none.
func innermostOpen(tokens []lexer.Token) string {
	var open []string
	for _, t := range tokens {
		switch t.Value {
		case "(", "[", "{", "<<":
			open = append(open, t.Value)
		case ")", "]", "}", ">>":
			if len(open) > 0 {
				open = open[:len(open)-1]
			}
		}
	}
	if len(open) == 0 {
		return ""
	}
	return open[len(open)-1]
}

// afterTerm is said of a token after something complete, outside brackets.
func afterTerm(tokens []lexer.Token, stop int) string {
	seen := func(word string) bool {
		for _, t := range tokens[:stop] {
			if t.Type == tokenKeyword && t.Value == word {
				return true
			}
		}
		return false
	}
	changes := seen("SET") || seen("REMOVE")
	switch start := tokens[0].Value; {
	case start == "SELECT" && !seen("FROM"):
		return "Expected FROM after SELECT list"
	case start == "UPDATE" && !changes, start == "FROM" && !changes:
		return "Expected data manipulation"
	case start == "UPDATE" && seen("SET") && !seen("WHERE") && expectsAssignment(tokens[:stop]):
		return "Expected '='"
	case start == "INSERT" && stop == pathEnd(tokens, 2):
		return unexpectedTerm(tokens[stop])
	}
	return "Unexpected token after expression"
}

// pathEnd is where the path ends that begins at token i.
func pathEnd(tokens []lexer.Token, i int) int {
	for i++; i+1 < len(tokens) && tokens[i].Value == "."; {
		i += 2
	}
	return i
}

// expectsAssignment reports whether tokens end in a path to assign to.
func expectsAssignment(tokens []lexer.Token) bool {
	for i := len(tokens) - 1; i >= 0; i-- {
		switch tokens[i].Value {
		case "=":
			return false
		case "SET", ",":
			return true
		}
	}
	return false
}
