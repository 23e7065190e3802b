package partiql

import (
	"strings"
	"testing"
)

// dense are the statements that cost the parser most: as many nodes as the
// length allows.
var dense = map[string]string{
	"OR":      "SELECT * FROM T WHERE a=1" + strings.Repeat(" OR a=1", 1150),
	"IN":      "SELECT * FROM T WHERE a IN (" + strings.Repeat("1,", 4050) + "1)",
	"list":    "UPDATE T SET a=[" + strings.Repeat("1,", 4050) + "1] WHERE a=1",
	"sum":     "UPDATE T SET a=1" + strings.Repeat("+1", 4050) + " WHERE a=1",
	"path":    "SELECT a" + strings.Repeat("[0]", 1020) + " FROM T",
	"nested":  "UPDATE T SET a=[" + strings.Repeat("[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]],", 63) + strings.Repeat("1,", 3000) + "1] WHERE a=1",
	"columns": "SELECT a" + strings.Repeat(",a", 4070) + " FROM T",
	"chain":   "SELECT * FROM T WHERE a" + strings.Repeat("=1", 4070),
	"paths":   "SELECT * FROM T WHERE a" + strings.Repeat("=a", 4070),
	"not":     "SELECT * FROM T WHERE a=1" + strings.Repeat(" OR NOT a=1", 740),
	"struct":  "UPDATE T SET a={'a':1" + strings.Repeat(",'a':1", 1350) + "} WHERE a=1",
	"calls":   "SELECT * FROM T WHERE a=1" + strings.Repeat(" OR f(a,1)", 810),
	"set":     "UPDATE T SET a=1" + strings.Repeat(",a=1", 2000),
}

func BenchmarkParseDense(b *testing.B) {
	for name, text := range dense {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				_, _ = parse(text)
			}
		})
	}
}
