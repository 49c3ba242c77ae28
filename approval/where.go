package approval

// Dir returns the directory in which the tickets are, as it was opened; ""
// where they are not in a [Dir], and for a nil Book.
func (b *Book) Dir() string {
	if b == nil {
		return ""
	}
	if d, ok := b.store.(*Dir); ok {
		return d.root.Name()
	}
	return ""
}
