// Package model is DynamoDB's data plane the way one would explain it on a
// blackboard: items are Go maps, indexes are computed by looking at every item,
// and an expression is a tree that is walked. Tests run it beside the server and
// compare the answers, so it shares no code with what it checks: numbers are
// decimals of package apd, and there is no parser, since expressions start as
// trees here and are only written out for the server ([Writer]).
//
// Values and trees are never changed once made, so all of them may be shared.
// Nothing is safe for concurrent use.
//
// Rules are those of the Developer Guide and the API Reference. Where the service
// leaves something open (the order of equal sort keys, of partition keys, and of
// set members) the model gives sets of answers, and callers compare without order.
package model
