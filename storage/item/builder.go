package item

// Builder makes an item out of attributes. Names that arrive in byte order cost
// nothing extra; others are sorted at the end. A Builder may be used again
// after Item or Reset and then reuses its memory. It is not safe for concurrent
// use.
type Builder struct{ fields arranger }

// NewBuilder returns a builder without attributes.
func NewBuilder() *Builder { return new(Builder) }

// Reset removes all attributes.
func (b *Builder) Reset() { b.fields.reset() }

// Set gives the attribute name the value v, replacing an earlier one; a nil v
// removes the attribute. It copies v.
func (b *Builder) Set(name string, v Value) {
	s := openField(&b.fields, name)
	b.fields.buf = append(b.fields.buf, v...)
	b.fields.closeField(s, v.Size())
}

// Item returns the item that has been built, which shares no memory with b, and
// resets b.
func (b *Builder) Item() Item {
	count, size := b.fields.arrangeFields(0, 0)
	it := assembleItem(size, count, b.fields.buf)
	b.Reset()
	return it
}
