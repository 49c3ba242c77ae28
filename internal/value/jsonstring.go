package value

import (
	"encoding/binary"
	"math"
	"math/bits"
	"unicode/utf8"
	"unsafe"
)

// string reads a string, from its opening to past its closing quote.
func (r *reader) string() (string, Problem) {
	start := r.pos + 1
	r.pos = plain(r.data, start)
	if r.pos < len(r.data) && r.data[r.pos] == '"' {
		s := r.src[start:r.pos]
		r.pos++
		return s, OK
	}
	return r.escaped(start)
}

// escaped reads the rest of a string that began at start and that is plain up
// to the reader's position. Text is only ever appended: the strings that were
// read before keep the arrays that append leaves behind.
func (r *reader) escaped(start int) (string, Problem) {
	if r.text == nil { // one allocation for the escapes of a usual call
		r.text = make([]byte, 0, min(len(r.data)-start, 512))
	}
	begin := len(r.text)
	for {
		r.text = append(r.text, r.src[start:r.pos]...)
		if r.pos == len(r.data) {
			return "", NotJSON
		}
		switch c := r.data[r.pos]; {
		case c == '"':
			r.pos++
			text := r.text[begin:]
			return unsafe.String(unsafe.SliceData(text), len(text)), OK
		case c >= utf8.RuneSelf:
			return "", BadUTF8
		case c != '\\':
			return "", NotJSON // a raw control character
		}
		if p := r.escape(); p != OK {
			return "", p
		}
		start = r.pos
		r.pos = plain(r.data, start)
	}
}

// escape reads one escape sequence, or the two of a surrogate pair.
func (r *reader) escape() Problem {
	if r.pos+1 == len(r.data) {
		return NotJSON
	}
	var c byte
	switch c = r.data[r.pos+1]; c {
	case '"', '\\', '/':
	case 'b':
		c = '\b'
	case 'f':
		c = '\f'
	case 'n':
		c = '\n'
	case 'r':
		c = '\r'
	case 't':
		c = '\t'
	case 'u':
		return r.unicode()
	default:
		return NotJSON
	}
	r.text = append(r.text, c)
	r.pos += 2
	return OK
}

// unicode reads \uXXXX. A surrogate must come in a pair, high before low.
func (r *reader) unicode() Problem {
	c, ok := hex4(r.src[r.pos:])
	if !ok {
		return NotJSON
	}
	size := 6
	if 0xD800 <= c && c < 0xE000 {
		low, ok := hex4(r.src[r.pos+6:])
		if !ok || c >= 0xDC00 || low < 0xDC00 || low >= 0xE000 {
			return BadUTF8
		}
		c = 0x10000 + (c-0xD800)<<10 + (low - 0xDC00)
		size = 12
	}
	r.text = utf8.AppendRune(r.text, c)
	r.pos += size
	return OK
}

// hex4 reads the escape \uXXXX that s begins with.
func hex4(s string) (rune, bool) {
	if len(s) < 6 || s[0] != '\\' || s[1] != 'u' {
		return 0, false
	}
	var v rune
	for _, c := range []byte(s[2:6]) {
		switch {
		case '0' <= c && c <= '9':
			c -= '0'
		case 'a' <= c|0x20 && c|0x20 <= 'f':
			c = c | 0x20 - 'a' + 10
		default:
			return 0, false
		}
		v = v<<4 | rune(c)
	}
	return v, true
}

// plain returns the offset of the first byte from i on that ends a run of
// plain characters: a quote, a backslash, a control character, or one that is
// not valid UTF-8.
//
// ASCII goes by eight bytes at a time. For a byte x < 0x80, x-0x20 and, with
// x XOR the byte sought, that minus 1, have their top bit set just when x is
// below 0x20, or is it. A borrow can only reach bytes above one that was found,
// so the lowest top bit is right. (The "determine if a word has a zero byte"
// trick of S. E. Anderson's Bit Twiddling Hacks.)
func plain(data []byte, i int) int {
	for {
		for ; i+8 <= len(data); i += 8 {
			if found := special(binary.LittleEndian.Uint64(data[i:])); found != 0 {
				i += bits.TrailingZeros64(found) / 8
				break
			}
		}
		for ; ; i++ {
			if i == len(data) {
				return i
			}
			c := data[i]
			if c >= utf8.RuneSelf {
				break
			}
			if c < ' ' || c == '"' || c == '\\' {
				return i
			}
		}
		for i < len(data) && data[i] >= utf8.RuneSelf {
			_, size := utf8.DecodeRune(data[i:])
			if size == 1 {
				return i
			}
			i += size
		}
	}
}

const (
	ones      = 0x0101010101010101
	tops      = 0x80 * ones
	spaces    = ' ' * ones
	quotes    = '"' * ones
	backslash = '\\' * ones
)

// special marks, by their top bits, the bytes of x that are not plain ASCII;
// above the lowest of them it may mark others.
func special(x uint64) uint64 {
	return (x | (x - spaces) | (x ^ quotes - ones) | (x ^ backslash - ones)) & tops
}

// word returns the first eight bytes of s, with spaces in place of what it
// lacks. The bytes need not be in order, and some may come twice.
func word(s string) uint64 {
	b := unsafe.Slice(unsafe.StringData(s), len(s))
	switch n := len(b); {
	case n >= 8:
		return binary.LittleEndian.Uint64(b)
	case n >= 4:
		return uint64(binary.LittleEndian.Uint32(b)) | uint64(binary.LittleEndian.Uint32(b[n-4:]))<<32
	case n >= 2:
		return uint64(binary.LittleEndian.Uint16(b)) | uint64(binary.LittleEndian.Uint16(b[n-2:]))<<16 | spaces&^math.MaxUint32
	case n == 1:
		return uint64(b[0]) | spaces&^0xff
	default:
		return spaces
	}
}
