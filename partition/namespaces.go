package partition

import (
	"cmp"
	"slices"
)

// NamespaceTables says how many tables a namespace has, those being created and
// deleted included.
type NamespaceTables struct {
	Namespace Namespace
	Tables    int
}

// Namespaces lists the namespaces that have tables, by account and then region.
func (db *DB) Namespaces() []NamespaceTables {
	counts := make(map[Namespace]int)
	db.catalog.RLock()
	for n := range db.catalog.names {
		counts[n.ns]++
	}
	db.catalog.RUnlock()
	list := make([]NamespaceTables, 0, len(counts))
	for ns, tables := range counts {
		list = append(list, NamespaceTables{ns, tables})
	}
	slices.SortFunc(list, func(a, b NamespaceTables) int {
		return cmp.Or(cmp.Compare(a.Namespace.Account, b.Namespace.Account), cmp.Compare(a.Namespace.Region, b.Namespace.Region))
	})
	return list
}
