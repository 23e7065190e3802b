package server

import (
	"slices"
	"strings"
	"unicode/utf16"
)

// Some messages of the service list attribute names in the iteration order of a
// Java HashSet. javaSet gives names that order, so that the messages match; names
// are distinct. size is the number of buckets, a power of two.
func javaSet(names []string, size int) []string {
	ordered := slices.Clone(names)
	slices.SortStableFunc(ordered, func(a, b string) int { return javaBucket(a, size) - javaBucket(b, size) })
	return ordered
}

// javaBucket is the bucket of a string in a java.util.HashMap.
func javaBucket(s string, size int) int {
	var hash uint32
	for _, unit := range utf16.Encode([]rune(s)) {
		hash = 31*hash + uint32(unit)
	}
	return int((hash ^ hash>>16) & uint32(size-1))
}

// javaDefaultSize is the number of buckets of a set of unknown size.
const javaDefaultSize = 16

// javaSizeFor is the number of buckets of a set made for n names: as many as are
// at most three quarters full.
func javaSizeFor(n int) int {
	want := n + 1
	if n >= 3 {
		want = n*4/3 + 1
	}
	size := 1
	for size < want {
		size *= 2
	}
	return size
}

// bracketed prints names as Java prints collections.
func bracketed(names []string) string {
	return "[" + strings.Join(names, ", ") + "]"
}
