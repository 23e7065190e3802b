// Package partiql implements the statements of PartiQL for DynamoDB (Developer
// Guide, "PartiQL - a SQL-compatible query language for Amazon DynamoDB"). It
// turns a statement and its parameters into the conditions, updates, projections
// and key terms of package expression; whoever executes it makes the same reads
// and writes as for the other operations of the API.
//
// # From text to command
//
//  1. tokenize cuts the text into tokens. It finds everything that the service
//     does not call by name: open quotes, unknown characters, numbers out of any
//     range. Keywords and parameters are told apart here, so that the grammar
//     only compares values.
//  2. A participle grammar makes the syntax tree ([Parse]). The tree depends on
//     the text alone and is kept in a bounded cache by that text, since
//     applications send few statements with many parameters. When the parser
//     stops, diagnose tells from the token it stopped at what the service would
//     say; the service's parser is that of partiql-lang-kotlin, whose messages
//     these are.
//  3. [Statement.Bind] fills in the parameters, which are numbered in the order
//     they are written, converts literals, and translates: WHERE to a [Where],
//     SET and REMOVE to an [expression.Update], the select list to columns.
//
// # Keys
//
// A WHERE clause is a condition, and also says which keys can fulfil it. For a
// write, or a read of one item, [Where.ItemKey] finds the equalities on the key at
// the top level of AND, and what is left as the condition. For a SELECT,
// [Where.Branches] takes the clause apart into reads: alternatives (OR, IN) become
// several, each with one partition key. The clause is still tested on all that is
// read, so a read may cover more than the clause, never less.
//
// # Bounds
//
// Text comes from outside. It is limited to 8,192 characters, to 128 levels of
// brackets, NOT and signs, since the parser recurses, and to 1,024 brackets, since
// they cost it most. The worst statement takes a few ten milliseconds to parse.
//
// # Where it differs from the service
//
// Texts that nobody has recorded are guesses in the style of those that are:
// errors for LIKE, arithmetic in WHERE, DISTINCT, GROUP BY, HAVING and bare
// attributes as conditions.
package partiql
