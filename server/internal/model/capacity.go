package model

// writeUnits is the cost of writing an item or entry, nil for none.
func writeUnits(it Item) int {
	return max(1, (it.Size()+1023)/1024)
}

// WriteUnits is what a write of one item costs on the table, and by name on every
// index that it changes, if it turns old into next.
func (t *Table) WriteUnits(old, next Item) (table int, indexes map[string]int) {
	indexes = map[string]int{}
	for _, ix := range t.Indexes {
		before, after := t.entry(ix, old), t.entry(ix, next)
		switch {
		case before.equal(after): // also if there is none
		case before == nil:
			indexes[ix.Name] = writeUnits(after)
		case after == nil:
			indexes[ix.Name] = writeUnits(before)
		case Map(before.pick(ix.Key.names())).Equal(Map(after.pick(ix.Key.names()))):
			indexes[ix.Name] = max(writeUnits(before), writeUnits(after))
		default:
			indexes[ix.Name] = writeUnits(before) + writeUnits(after)
		}
	}
	return max(writeUnits(old), writeUnits(next)), indexes
}

// ReadUnits is what it costs to read so many bytes at once.
func ReadUnits(size int, strong bool) float64 {
	units := float64(max(1, (size+4095)/4096))
	if !strong {
		units /= 2
	}
	return units
}
