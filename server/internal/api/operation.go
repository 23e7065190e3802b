package api

import (
	"cmp"
	"maps"
	"slices"
)

// Service is the target prefix of one of the two APIs.
type Service string

// The services that share one endpoint.
const (
	DynamoDB Service = "DynamoDB_20120810"
	Streams  Service = "DynamoDBStreams_20120810"
)

// Operation is one operation of the service models.
type Operation struct {
	Service Service
	Name    string
}

// LookupOperation returns the operation that an X-Amz-Target header names, such
// as DynamoDB_20120810.PutItem. Every operation of the models is known, whether
// or not the server implements it.
func LookupOperation(target string) (Operation, bool) {
	op, ok := operations[target]
	return op, ok
}

// Operations returns all operations, by service and name.
func Operations() []Operation {
	return slices.SortedFunc(maps.Values(operations), func(a, b Operation) int {
		return cmp.Or(cmp.Compare(a.Service, b.Service), cmp.Compare(a.Name, b.Name))
	})
}
