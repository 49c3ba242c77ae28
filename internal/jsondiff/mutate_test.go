package jsondiff

import (
	"bytes"
	"slices"
	"strings"
)

// seeds are documents at the edges of the grammar, of Unicode and of the
// bounds. They are what the fuzz target begins with, and are mutated too.
var seeds = []string{
	``, ` `, `{}`, `[]`, `""`, `0`, `-0`, `-0.0e-0`, `null`, `true`, `{"":{"":[]}}`,
	`{"path":"/tmp/a","PATH":"/etc/passwd"}`, `{"a":1,"\u0061":2}`, `{"kind":1,"\u212aind":2}`, `{"pass":1,"paſs":2}`, `{"ς":1,"Σ":2}`,
	`{"a":{"b":[{"c":1,"C":2}]}}`, `{"a":1,"b":2,"c":3,"d":4,"e":5,"f":6,"g":7,"h":8,"k":9,"\u212a":10}`,
	`{"a":1,"b":2,"c":3,"d":4,"e":5,"f":6,"g":7,"h":8,"i":9,"a":10}`, `{"ı":1,"i":2,"İ":3}`, `{"ß":1,"ss":2,"ẞ":3}`,
	`{"a":1}{"b":2}`, `{"a":1} x`, `{},`, `[1]]`, `{"a":1`, `[1,]`, `{"a":1,}`, `{"a" 1}`, `{'a':1}`, `{a:1}`, `/**/1`, `[1 2]`,
	"\xef\xbb\xbf{}", "{}\x00", "\x00", "\xff", "{\"\xff\":1}", "\"\xc0\xaf\"", "\"\xed\xa0\x80\"", "\"\xf4\x90\x80\x80\"", "\"\xe2\x82\"", "\"a\x00b\"", "\"\x7f\u0085\u2028\ufeff\uffff\"",
	`"\ud800"`, `"\udc00"`, `"\ud83d\ude00"`, `"\ud83d\ude00\ud83d"`, `"\ud800\u0041"`, `"\ude00\ud83d"`, `"\udc00\udc00"`, `"\ud800\ud800\udc00"`, `"\udbff\udfff"`, `"\ud7ff\ue000"`, `"\ud800\ue000"`, `"\uD83D\uDE0"`, `"\u0000\u001f\ufffd\uffff"`, `"\x41"`, `"\`, `"\u12`, `{"\ud800":1}`,
	`01`, `-`, `+1`, `.5`, `5.`, `1e`, `1e+`, `0x1`, `1_0`, `NaN`, `-Infinity`, `1e400`, `-1.8e308`, `1.7976931348623157e308`, `1e-9999`, `1e-10000`, `9007199254740993`, `100000000000000000000`, `123456789012345678`, `-999999999999999999`, `[1.50,1e2,1E+2,0.10]`,
	strings.Repeat("9", 400), "0." + strings.Repeat("1", 400), "1e" + strings.Repeat("0", 400), strings.Repeat("[", 33) + strings.Repeat("]", 33), strings.Repeat(`{"a":`, 32) + `1` + strings.Repeat("}", 32),
	`{"a":` + strings.Repeat(" ", 1000) + `1}`, `["12345678é12345678\""]`, "[\"1234567\x1f\"]",
}

// pieces are what insertions insert.
var pieces = []string{
	`"`, `\`, `{`, `}`, `[`, `]`, `,`, `:`, `-`, `+`, `.`, `e`, `E`, `0`, `1`, `00`, ` `, "\n", "\t", "\v", "\f", "\u00a0", "\x00", "\x1f", "\x7f", "\ufeff",
	`\ud800`, `\udc00`, `\ud83d\ude00`, `\uDBFF`, `\udfff\uDC00`, `\ud800\ud800`, `\uDC00\uD800`, `\ud800\u0020`, `\u0000`, `\u`, `\n`, `\/`, `\'`, `\x`, `\U0041`, "\xff", "\xc0\x80", "\xed\xa0\x80", "\xed\xb0\x80", "\xf4\x90\x80\x80", "\xe2\x82", "\x80", "é", "\u212A", "😀",
	`null`, `true`, `nul`, `NaN`, `Infinity`, `undefined`, `{}`, `[]`, `""`, `"a":1,`, `,"a":1`, `,"A":1`, `//`, `/**/`, `#`, `'`, `e400`, `1e999`, `-1`, `e`,
}

func (g *generator) mutations() int {
	switch k := g.IntN(10); {
	case k < 3:
		return 0
	case k < 8:
		return 1
	default:
		return 1 + g.IntN(4)
	}
}

// mutate changes the document in one place.
func (g *generator) mutate(doc []byte) []byte {
	at := g.IntN(len(doc) + 1)
	to := min(len(doc), at+1+g.IntN(4))
	switch g.IntN(14) {
	case 0: // flip a bit
		if at < len(doc) {
			doc = slices.Clone(doc)
			doc[at] ^= 1 << g.IntN(8)
		}
	case 1: // any byte
		if at < len(doc) {
			doc = slices.Clone(doc)
			doc[at] = byte(g.IntN(256))
		}
	case 2, 3, 4:
		return slices.Concat(doc[:at], []byte(pieces[g.IntN(len(pieces))]), doc[at:])
	case 5: // put something in the place of something
		return slices.Concat(doc[:at], []byte(pieces[g.IntN(len(pieces))]), doc[to:])
	case 6: // leave something out
		return slices.Concat(doc[:at], doc[to:])
	case 7: // say something twice
		return slices.Concat(doc[:to], doc[at:])
	case 8: // cut short
		return doc[:at]
	case 9: // something behind, often a second document
		return slices.Concat(doc, []byte(g.pick(" ", "\n", ",", "]", "}", "{}", "\x00", "null", "\ufeff", string(doc))))
	case 10: // something before
		return slices.Concat([]byte(g.pick(" ", "\ufeff", "\x00", "\v", "[", "{", ",", "\xff\xfe")), doc)
	case 11: // put it deep
		return g.nest(doc)
	case 12:
		return g.repeatMember(doc)
	case 13: // another number
		if i := bytes.IndexAny(doc, "0123456789"); i >= 0 {
			n := &generator{Rand: g.Rand}
			n.number()
			return slices.Concat(doc[:i], []byte(n.out.String()), doc[i+1:])
		}
	}
	return doc
}

// nest wraps the document in containers, mostly about as many as are allowed.
func (g *generator) nest(doc []byte) []byte {
	n := 24 + g.IntN(12)
	if g.one(50) {
		n = g.IntN(15_000)
	}
	array := g.one(2)
	if array {
		return slices.Concat(bytes.Repeat([]byte("["), n), doc, bytes.Repeat([]byte("]"), n))
	}
	return slices.Concat(bytes.Repeat([]byte(`{"k":`), n), doc, bytes.Repeat([]byte("}"), n))
}

// repeatMember writes what may be a member a second time, its key perhaps in
// other case: from a quote to before a comma.
func (g *generator) repeatMember(doc []byte) []byte {
	from := bytes.IndexByte(doc, '"')
	if from < 0 {
		return doc
	}
	for range g.IntN(3) {
		if next := bytes.IndexByte(doc[from+1:], '"'); next >= 0 {
			from += 1 + next
		}
	}
	size := bytes.IndexByte(doc[from:], ',')
	if size < 0 {
		return doc
	}
	member := doc[from : from+size]
	if g.one(2) {
		member = []byte(g.otherCase(string(member)))
	}
	return slices.Concat(doc[:from], member, []byte(","), doc[from:])
}
