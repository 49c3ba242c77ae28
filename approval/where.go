package approval

// Dirs returns the absolute names of the directory in which the tickets are,
// which no tool of an agent may reach: those of [Dir.Paths], or of a method
// Paths of another Store. It returns none for a store without such a method,
// and for a nil Book.
func (b *Book) Dirs() []string {
	if b == nil {
		return nil
	}
	if s, ok := b.store.(interface{ Paths() []string }); ok {
		return s.Paths()
	}
	return nil
}
