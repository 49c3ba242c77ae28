package policydoc

import (
	"hash/maphash"
	"strings"
)

// texts makes copies of texts, and gives equal texts one copy where it
// remembers it: the names of tools and parameters are repeated thousands of
// times in a large document. It remembers the last text of each of a fixed
// number of slots, so its size does not grow with the document.
type texts struct {
	seed  maphash.Seed
	slots [1 << 12]string
}

func newTexts() *texts { return &texts{seed: maphash.MakeSeed()} }

func (t *texts) share(s string) string {
	const longest = 128 // longer ones are rarely repeated
	if s == "" || len(s) > longest {
		return strings.Clone(s)
	}
	slot := &t.slots[maphash.String(t.seed, s)%uint64(len(t.slots))]
	if *slot != s {
		*slot = strings.Clone(s)
	}
	return *slot
}
