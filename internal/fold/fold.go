// Package fold writes text so that two texts are equal exactly when they are
// equal under Unicode simple case folding, as strings.EqualFold has it.
package fold

import (
	"unicode"
	"unicode/utf8"
)

// Append appends the folded form of s to dst: each character is replaced by
// the least of those that fold together, in lower case where that is ASCII.
func Append(dst []byte, s string) []byte {
	for i := 0; i < len(s); {
		if c := s[i]; c < utf8.RuneSelf {
			if 'A' <= c && c <= 'Z' {
				c += 'a' - 'A'
			}
			dst = append(dst, c)
			i++
			continue
		}
		r, size := utf8.DecodeRuneInString(s[i:])
		dst = utf8.AppendRune(dst, least(r))
		i += size
	}
	return dst
}

// String returns the folded form of s.
func String(s string) string { return string(Append(nil, s)) }

// least walks the orbit of characters that fold together.
func least(r rune) rune {
	least := r
	for f := unicode.SimpleFold(r); f != r; f = unicode.SimpleFold(f) {
		least = min(least, f)
	}
	if 'A' <= least && least <= 'Z' {
		least += 'a' - 'A'
	}
	return least
}
