// Package expression implements DynamoDB's expression language: conditions and
// filters, key conditions, projections and updates (Developer Guide, "Using
// expressions in DynamoDB"), and the older request parameters that mean the
// same (Expected, AttributeUpdates, AttributesToGet, KeyConditions and the
// legacy filters).
//
// # From text to answer
//
// An expression passes three stages.
//
//  1. Parsing. A participle grammar with a stateful lexer turns the text into a
//     syntax tree. Everything that depends on the text alone is checked here:
//     syntax, length, number of operators, redundant parentheses, function
//     names, reserved words. Trees that pass are kept in a bounded cache keyed
//     by the text, because applications send the same few expressions again and
//     again and parsing costs a hundred times as much as a look-up.
//  2. Binding. A [Binder] holds one request's ExpressionAttributeNames and
//     ExpressionAttributeValues. Its methods resolve the placeholders in a tree,
//     check operands and document paths, and return a [Condition], [Update],
//     [Projection] or [KeyCondition]. The Binder remembers which placeholders
//     were used; [Binder.Unused] complains about the others.
//  3. Evaluation. Bound expressions are immutable and safe for concurrent use.
//     They work on the stored form of items ([item.Item]): a condition follows
//     the bytes to the attributes it names and compares in place, without
//     decoding the rest and, for all but a few functions, without allocating.
//
// # Errors
//
// Stages 1 and 2 report an [*Error] whose text is the complete sentence the
// service would send, and of several faults the one the service would name.
// The order is syntax, length, then the checks of the text, then those that
// need the placeholders, in written order. Conditions never fail during
// evaluation; updates can, with one of the Err… sentinels of this package or an
// arithmetic error of package item.
//
// # Bounds
//
// Text comes from outside. It is limited to 4,096 bytes (longer text is parsed
// only to find out whether to blame its syntax or its length, and beyond twice
// the limit not at all), nesting that no valid expression can have is
// refused before the recursive parser runs, and the cache is limited by the
// estimated size of what it holds.
//
// # Invariants
//
//   - A bound expression never refers to the request's placeholder maps, but it
//     does keep the attribute values it was given.
//   - No two paths of an [Update] or [Projection] overlap, and no two treat one
//     node as a map and as a list; both are therefore trees of paths.
//   - An [Update] reads only the item as it was, also for list positions.
package expression
