package partiql

import "github.com/alecthomas/participle/v2/lexer"

// statementSyntax is a whole statement. An expression parses too, though it is
// no statement of the service.
type statementSyntax struct {
	Select     *selectSyntax     `parser:"( @@"`
	Insert     *insertSyntax     `parser:"| @@"`
	Update     *updateSyntax     `parser:"| @@"`
	Delete     *deleteSyntax     `parser:"| @@"`
	FromUpdate *fromUpdateSyntax `parser:"| @@"`
	Exists     *existsSyntax     `parser:"| @@"`
	Expression *orSyntax         `parser:"| @@ ) ';'?"`
}

type selectSyntax struct {
	Quantifier string              `parser:"'SELECT' @( 'DISTINCT' | 'ALL' )?"`
	Items      []*selectItemSyntax `parser:"@@ ( ',' @@ )* 'FROM'"`
	From       *sourceSyntax       `parser:"@@"`
	More       []*sourceSyntax     `parser:"( ',' @@ )*"`
	Where      *orSyntax           `parser:"( 'WHERE' @@ )?"`
	Group      *clauseSyntax       `parser:"( 'GROUP' 'BY' @@ )?"`
	Having     *clauseSyntax       `parser:"( 'HAVING' @@ )?"`
	Order      []*orderSyntax      `parser:"( 'ORDER' 'BY' @@ ( ',' @@ )* )?"`
	Limit      *clauseSyntax       `parser:"( 'LIMIT' @@ )?"`
}

// clauseSyntax is the content of a clause that the service does not have.
type clauseSyntax struct {
	Pos   lexer.Position
	Terms []*orSyntax `parser:"@@ ( ',' @@ )*"`
}

type selectItemSyntax struct {
	Pos        lexer.Position
	Star       bool      `parser:"  @'*'"`
	Expression *orSyntax `parser:"| @@"`
	Alias      string    `parser:"  ( 'AS'? @Name )?"`
}

// sourceSyntax is a table, or an index of one. An alias parses; the service
// has none.
type sourceSyntax struct {
	Path  []*partSyntax `parser:"@@ ( '.' @@ )*"`
	Alias string        `parser:"( 'AS'? @Name )?"`
}

type partSyntax struct {
	Pos  lexer.Position
	Name string `parser:"@Name"`
}

type orderSyntax struct {
	Path      *simplePathSyntax `parser:"@@"`
	Direction string            `parser:"@( 'ASC' | 'DESC' )?"`
}

type insertSyntax struct {
	Into   *targetSyntax `parser:"'INSERT' 'INTO' @@"`
	Value  *orSyntax     `parser:"( 'VALUE' @@"`
	Values *orSyntax     `parser:"| @@ )"`
}

// targetSyntax is what an INSERT inserts into.
type targetSyntax struct {
	Path []*partSyntax `parser:"@@ ( '.' @@ )*"`
}

type updateSyntax struct {
	Table     *sourceSyntax    `parser:"'UPDATE' @@"`
	Changes   []*changeSyntax  `parser:"@@+"`
	Where     *orSyntax        `parser:"( 'WHERE' @@ )?"`
	Returning *returningSyntax `parser:"@@?"`
}

// fromUpdateSyntax is the other form of UPDATE, with the condition first.
type fromUpdateSyntax struct {
	Table     *sourceSyntax    `parser:"'FROM' @@"`
	Where     *orSyntax        `parser:"( 'WHERE' @@ )?"`
	Changes   []*changeSyntax  `parser:"@@+"`
	Returning *returningSyntax `parser:"@@?"`
}

type changeSyntax struct {
	Set    []*assignmentSyntax `parser:"  'SET' @@ ( ',' @@ )*"`
	Remove []*simplePathSyntax `parser:"| 'REMOVE' @@ ( ',' @@ )*"`
}

type assignmentSyntax struct {
	Path  *simplePathSyntax `parser:"@@ '='"`
	Value *orSyntax         `parser:"@@"`
}

// simplePathSyntax is a path that begins with a name.
type simplePathSyntax struct {
	Name  string        `parser:"@Name"`
	Steps []*stepSyntax `parser:"@@*"`
}

type deleteSyntax struct {
	Table     *sourceSyntax    `parser:"'DELETE' 'FROM' @@"`
	Where     *orSyntax        `parser:"( 'WHERE' @@ )?"`
	Returning *returningSyntax `parser:"@@?"`
}

type returningSyntax struct {
	Scope string `parser:"'RETURNING' @( 'ALL' | 'MODIFIED' )"`
	Image string `parser:"@( 'OLD' | 'NEW' ) '*'"`
}

type existsSyntax struct {
	Select *selectSyntax `parser:"(?= 'EXISTS' '(' 'SELECT' ) 'EXISTS' '(' @@ ')'"`
}
