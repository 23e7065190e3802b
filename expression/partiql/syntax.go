package partiql

import "github.com/alecthomas/participle/v2/lexer"

// The syntax of expressions. Field tags are participle's grammar; what is
// captured is the values of tokens.
//
// But for one look ahead every choice is made on the next token and never taken back. So the parser
// takes linear time, and it is stopped by exactly the token that does not fit,
// from which diagnose tells what the service would say. Levels are few because
// each costs time: the operators of arithmetic have no precedence, since the
// service knows no others than + and -.

// orSyntax is an expression. Most elements of lists are a single literal or name;
// seeing that at once saves going through all the levels.
type orSyntax struct {
	Pos   lexer.Position
	Alone string       `parser:"(?= ( Literal | Name ) Closing ) @( Literal | Name )"`
	Terms []*andSyntax `parser:"| @@ ( 'OR' @@ )*"`
}

type andSyntax struct {
	Terms []*relationSyntax `parser:"@@ ( 'AND' @@ )*"`
}

// relationSyntax is an operand and what it is compared with, from left to right,
// with any number of NOT before all of it.
type relationSyntax struct {
	Not  []string         `parser:"@'NOT'*"`
	Left *sumSyntax       `parser:"@@"`
	More []*compareSyntax `parser:"@@*"`
}

type compareSyntax struct {
	Comparator string       `parser:"  @Comparator"`
	Right      *sumSyntax   `parser:"  @@"`
	Is         *isSyntax    `parser:"| 'IS' @@"`
	NotRange   *rangeSyntax `parser:"| 'NOT' @@"`
	Range      *rangeSyntax `parser:"| @@"`
}

type isSyntax struct {
	Not  bool   `parser:"@'NOT'?"`
	Type string `parser:"@( Keyword | Function | Literal )"`
}

type rangeSyntax struct {
	Low  *sumSyntax `parser:"  'BETWEEN' @@"`
	High *sumSyntax `parser:"  'AND' @@"`
	In   *sumSyntax `parser:"| 'IN' @@"`
	Like *sumSyntax `parser:"| 'LIKE' @@"`
}

type sumSyntax struct {
	Left *operandSyntax  `parser:"@@"`
	More []*addendSyntax `parser:"@@*"`
}

type addendSyntax struct {
	Operator string         `parser:"@( Sign | Operator | '*' )"`
	Right    *operandSyntax `parser:"@@"`
}

// operandSyntax is a value, a path, a function or an expression in parentheses.
type operandSyntax struct {
	Pos      lexer.Position
	Signs    []string      `parser:"@Sign*"`
	Literal  string        `parser:"( @Literal"`
	Name     string        `parser:"| @Name"`
	Call     *callSyntax   `parser:"  @@?"`
	Function string        `parser:"| @Function"`
	Args     *callSyntax   `parser:"  @@"`
	Group    []*orSyntax   `parser:"| '(' @@ ( ',' @@ )* ')'"`
	List     *listSyntax   `parser:"| @@"`
	Bag      *bagSyntax    `parser:"| @@"`
	Struct   *structSyntax `parser:"| @@ )"`
	Steps    []*stepSyntax `parser:"@@*"`
}

type callSyntax struct {
	Open string      `parser:"@'('"`
	Star bool        `parser:"( @'*'"`
	Args []*orSyntax `parser:"| @@ ( ',' @@ )* )? ')'"`
}

type listSyntax struct {
	Open     string      `parser:"@'['"`
	Elements []*orSyntax `parser:"( @@ ( ',' @@ )* )? ']'"`
}

type bagSyntax struct {
	Open    string      `parser:"@'<<'"`
	Members []*orSyntax `parser:"( @@ ( ',' @@ )* )? '>>'"`
}

type structSyntax struct {
	Open   string         `parser:"@'{'"`
	Fields []*fieldSyntax `parser:"( @@ ( ',' @@ )* )? '}'"`
}

type fieldSyntax struct {
	Name  string    `parser:"@Literal ':'"`
	Value *orSyntax `parser:"@@"`
}

type stepSyntax struct {
	Pos   lexer.Position
	Name  string    `parser:"  '.' ( @Name"`
	Star  bool      `parser:"      | @'*' )"`
	Each  bool      `parser:"| '[' ( @'*'"`
	Index *orSyntax `parser:"      | @@ ) ']'"`
}
