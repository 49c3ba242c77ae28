package value

import (
	"hash/maphash"
	"strings"
	"unicode/utf8"

	"github.com/useveto/veto-go/internal/fold"
)

// seed keys the hash of member tables, so that nobody who writes arguments can
// choose keys that collide.
var seed = maphash.MakeSeed()

// seal is called when the children of object i are complete. It refuses two
// members with the same key, or with keys that are equal under Unicode simple
// folding (a decoder into a Go struct would take them for one), and makes the
// member table of a large object. Its time is linear in the size of the keys.
func (t *Tree) seal(i int32) Problem {
	n := &t.Nodes[i]
	if n.Len < 2 {
		return OK
	}
	if n.Len > smallObject {
		return t.sealLarge(i)
	}
	// Two ASCII keys that fold together have the same length, and the same
	// first and last byte when case is ignored; most keys differ in that.
	var seen [smallObject]uint32
	k := 0
	for c := i + 1; c < n.End; c = t.Nodes[c].End {
		key := t.Nodes[c].Key
		if !isASCII(key) {
			return t.sealPairs(i)
		}
		look := uint32(len(key)) << 16
		if len(key) > 0 {
			look |= uint32(key[0]|0x20)<<8 | uint32(key[len(key)-1]|0x20)
		}
		for _, other := range seen[:k] {
			if other == look {
				return t.sealPairs(i)
			}
		}
		seen[k] = look
		k++
	}
	return OK
}

// sealPairs compares every pair of keys of a small object.
func (t *Tree) sealPairs(i int32) Problem {
	end := t.Nodes[i].End
	for a := i + 1; a < end; a = t.Nodes[a].End {
		for b := t.Nodes[a].End; b < end; b = t.Nodes[b].End {
			if p := sameKey(t.Nodes[a].Key, t.Nodes[b].Key); p != OK {
				return p
			}
		}
	}
	return OK
}

func sameKey(a, b string) Problem {
	switch {
	case a == b:
		return DuplicateKey
	case strings.EqualFold(a, b):
		return FoldedKey
	default:
		return OK
	}
}

// sealLarge enters the members of object i into an open-addressing table,
// keyed by the folded key, that lookup reads later. Node.Bits of the object
// is where its table begins.
func (t *Tree) sealLarge(i int32) Problem {
	n := &t.Nodes[i]
	size := tableSize(n.Len)
	start := len(t.table)
	if cap(t.table)-start >= size {
		t.table = t.table[:start+size]
		clear(t.table[start:])
	} else {
		t.table = append(t.table, make([]int32, size)...)
	}
	n.Bits = uint64(start)
	table, mask := t.table[start:], uint64(size-1)
	for c := i + 1; c < n.End; c = t.Nodes[c].End {
		key := t.Nodes[c].Key
		slot := foldHash(key) & mask
		for ; table[slot] != 0; slot = (slot + 1) & mask {
			if p := sameKey(key, t.Nodes[table[slot]].Key); p != OK {
				return p
			}
		}
		table[slot] = c // never 0: node 0 is the root, which is nobody's member
	}
	return OK
}

// lookup finds a member of a large object.
func (t *Tree) lookup(i int32, key string) int32 {
	n := &t.Nodes[i]
	size := tableSize(n.Len)
	table, mask := t.table[n.Bits:][:size], uint64(size-1)
	for slot := foldHash(key) & mask; table[slot] != 0; slot = (slot + 1) & mask {
		if c := table[slot]; t.Nodes[c].Key == key {
			return c
		}
	}
	return None
}

// tableSize is the power of two that keeps a table at most half full.
func tableSize(members int32) int {
	size := 32
	for size < 2*int(members) {
		size *= 2
	}
	return size
}

// foldHash hashes key so that keys that are equal under simple folding hash
// alike.
func foldHash(key string) uint64 {
	var stack [128]byte
	return maphash.Bytes(seed, fold.Append(stack[:0], key))
}

// isASCII reports whether s is ASCII only.
func isASCII(s string) bool {
	return word(s)&tops == 0 && (len(s) <= 8 || isLongASCII(s))
}

func isLongASCII(s string) bool {
	for i := 8; i < len(s); i++ {
		if s[i] >= utf8.RuneSelf {
			return false
		}
	}
	return true
}
