// Package visible has text shown as it is, to a human who decides by what can
// be seen of it.
package visible

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf16"
)

// blank is a pattern of Braille without a dot, a symbol that shows none.
const blank = '\u2800'

// Unseen reports whether nothing is seen of r itself: spaces, controls, what
// joins or turns around its neighbours, and what has no form at all.
func Unseen(r rune) bool {
	return unicode.IsSpace(r) || !unicode.IsGraphic(r) || r == blank ||
		unicode.In(r, unicode.Other_Default_Ignorable_Code_Point, unicode.Variation_Selector)
}

// Escape returns JSON that says the same and shows all that it says: a model
// wrote the strings in it, and a human approves what can be seen of them. In
// compact JSON, whatever is escaped here is in a string.
func Escape(text []byte) []byte {
	must := func(r rune) bool { return r != ' ' && Unseen(r) }
	if !strings.ContainsFunc(string(text), must) {
		return text
	}
	var b strings.Builder
	for _, r := range string(text) {
		switch hi, lo := utf16.EncodeRune(r); {
		case !must(r):
			b.WriteRune(r)
		case r < 0x10000:
			fmt.Fprintf(&b, `\u%04x`, r)
		default:
			fmt.Fprintf(&b, `\u%04x\u%04x`, hi, lo)
		}
	}
	return []byte(b.String())
}
