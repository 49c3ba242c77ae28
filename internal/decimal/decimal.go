// Package decimal compares and normalises numbers as they are written in
// JSON, exactly and without allocating.
//
// A number is never converted: not to a float, which cannot tell 2^53+1 from
// 2^53, and not to a big integer, for which 1e9999 would cost kilobytes. Its
// text is cut into a sign, the digits between the first and the last that is
// not zero, and a power of ten, so that the value is
//
//	± 0.d₁d₂…dₙ × 10^exp    with d₁ ≠ 0 and dₙ ≠ 0
//
// which is the same for all texts of one value. Two numbers of the same sign
// then compare by exp, and on a tie by their digits from left to right. Every
// function is linear in the length of its texts.
package decimal

import (
	"strconv"
	"strings"
)

const (
	// MaxDigits is the most digits that a text may have, those of its
	// exponent counted.
	MaxDigits = 400
	// MaxExponent is the largest exponent that may be written, either way.
	MaxExponent = 9999
)

// Scan returns the length of the JSON number (RFC 8259, section 6) that s
// begins with, 0 if there is none, and whether it keeps the bounds: at most
// [MaxDigits] digits, an exponent within ±[MaxExponent], and a magnitude that
// rounds to a finite float64 (that is, less than 2^1024-2^970, just short of
// 1.8e308). What follows the number is not looked at.
func Scan(s string) (n int, bounded bool) {
	i := 0
	if i < len(s) && s[i] == '-' {
		i++
	}
	first := i
	i = skipDigits(s, i)
	digits := i - first
	switch {
	case digits == 0:
		return 0, false
	case s[first] == '0' && digits > 1: // the number ends after its zero
		return first + 1, true
	}
	most := digits // the value is less than 10^most
	if i < len(s) && s[i] == '.' {
		end := skipDigits(s, i+1)
		if end == i+1 {
			return 0, false
		}
		digits += end - i - 1
		i = end
	}
	if i < len(s) && s[i]|0x20 == 'e' {
		start := i + 1
		if start < len(s) && (s[start] == '+' || s[start] == '-') {
			start++
		}
		end := skipDigits(s, start)
		if end == start {
			return 0, false
		}
		digits += end - start
		e := exponent(s[i:end])
		if e < -MaxExponent || e > MaxExponent {
			return end, false
		}
		most += e
		i = end
	}
	return i, digits <= MaxDigits && (most < 309 || isFinite(s[:i]))
}

// Valid reports whether s is one JSON number that keeps the bounds of [Scan].
func Valid(s string) bool {
	n, bounded := Scan(s)
	return bounded && n == len(s)
}

// Compare returns -1, 0 or +1 as a is less than, equal to or greater than b.
// Both must be [Valid]; of other texts the order is unspecified.
func Compare(a, b string) int {
	x, y := parse(a), parse(b)
	switch sx, sy := x.sign(), y.sign(); {
	case sx < sy:
		return -1
	case sx > sy:
		return +1
	case sx == 0:
		return 0
	case sx < 0:
		x, y = y, x
	}
	switch {
	case x.exp < y.exp:
		return -1
	case x.exp > y.exp:
		return +1
	default:
		return compareDigits(&x, &y)
	}
}

// IsInteger reports whether the number s has no fraction; 1.50e1 has none.
func IsInteger(s string) bool {
	x := parse(s)
	return x.exp >= x.len() // for zero both are 0
}

// Floor returns the greatest integer that is not above the number s, and
// whether it is s. Where that does not fit, side is the side of the int64s on
// which s lies, -1 or +1; otherwise it is 0.
func Floor(s string) (floor int64, exact bool, side int) {
	x := parse(s)
	if x.exp > 19 {
		return 0, false, x.sign()
	}
	var u uint64 // at most 19 digits
	for i := range x.exp {
		u *= 10
		if i < x.len() {
			u += uint64(x.digit(i) - '0')
		}
	}
	exact = x.exp >= x.len()
	if !x.neg {
		if u > 1<<63-1 {
			return 0, false, +1
		}
		return int64(u), exact, 0
	}
	if !exact {
		u++
	}
	if u > 1<<63 {
		return 0, false, -1
	}
	return -int64(u), exact, 0 // of 1<<63 too: it is its own negative
}

// Canonical appends the one text that stands for the value of s, which must
// be [Valid]. From 1e-6 up to 1e21 it has no exponent, and elsewhere one digit
// before the point: "100" for 1e2 and 100.0, "0" for -0, "1.5e-7", "1e300".
func Canonical(dst []byte, s string) []byte {
	x := parse(s)
	n := x.len()
	if n == 0 {
		return append(dst, '0')
	}
	if x.neg {
		dst = append(dst, '-')
	}
	switch {
	case x.exp > 21 || x.exp < -5:
		dst = x.append(dst, 0, 1)
		if n > 1 {
			dst = append(dst, '.')
			dst = x.append(dst, 1, n)
		}
		dst = append(dst, 'e')
		return strconv.AppendInt(dst, int64(x.exp-1), 10)
	case x.exp <= 0:
		dst = append(dst, "0.00000"[:2-x.exp]...)
		return x.append(dst, 0, n)
	case x.exp < n:
		dst = x.append(dst, 0, x.exp)
		dst = append(dst, '.')
		return x.append(dst, x.exp, n)
	default:
		dst = x.append(dst, 0, n)
		for range x.exp - n {
			dst = append(dst, '0')
		}
		return dst
	}
}

// number is a text cut into its parts. Its digits are those of whole and then
// those of frac.
type number struct {
	whole, frac string
	exp         int
	neg         bool
}

// parse cuts s into its parts. It never fails: what is no number becomes some
// number.
func parse(s string) number {
	var x number
	if s != "" && s[0] == '-' {
		x.neg = true
		s = s[1:]
	}
	end := skipDigits(s, 0)
	x.whole, s = s[:end], s[end:]
	if s != "" && s[0] == '.' {
		end = skipDigits(s, 1)
		x.frac, s = s[1:end], s[end:]
	}
	x.whole = strings.TrimLeft(x.whole, "0")
	x.exp = len(x.whole)
	if x.whole == "" {
		all := len(x.frac)
		x.frac = strings.TrimLeft(x.frac, "0")
		x.exp = len(x.frac) - all
	}
	x.frac = strings.TrimRight(x.frac, "0")
	if x.frac == "" {
		x.whole = strings.TrimRight(x.whole, "0")
	}
	if x.len() == 0 {
		return number{}
	}
	x.exp += exponent(s)
	return x
}

// exponent reads "e±ddd". It saturates far outside the bounds.
func exponent(s string) int {
	if len(s) < 2 {
		return 0
	}
	s = s[1:]
	neg := s[0] == '-'
	if neg || s[0] == '+' {
		s = s[1:]
	}
	e := 0
	for i := 0; i < len(s) && e < 1<<24; i++ {
		e = e*10 + int(s[i]-'0')
	}
	if neg {
		return -e
	}
	return e
}

// isFinite reports whether the number s rounds to a finite float64.
func isFinite(s string) bool {
	switch exp := parse(s).exp; {
	case exp < 309:
		return true
	case exp > 309:
		return false
	default:
		_, err := strconv.ParseFloat(s, 64)
		return err == nil
	}
}

func (x *number) len() int { return len(x.whole) + len(x.frac) }

func (x *number) sign() int {
	switch {
	case x.len() == 0:
		return 0
	case x.neg:
		return -1
	default:
		return +1
	}
}

func (x *number) digit(i int) byte {
	if i < len(x.whole) {
		return x.whole[i]
	}
	return x.frac[i-len(x.whole)]
}

// append appends the digits from i up to j.
func (x *number) append(dst []byte, i, j int) []byte {
	for ; i < j; i++ {
		dst = append(dst, x.digit(i))
	}
	return dst
}

// compareDigits compares 0.d₁d₂… of x and y. The last digit of either is not
// zero, so of two of which one begins with the other the longer is greater.
func compareDigits(x, y *number) int {
	n, m := x.len(), y.len()
	for i := range min(n, m) {
		if a, b := x.digit(i), y.digit(i); a != b {
			if a < b {
				return -1
			}
			return +1
		}
	}
	switch {
	case n < m:
		return -1
	case n > m:
		return +1
	default:
		return 0
	}
}

// skipDigits returns the index of the first byte of s from i on that is no
// digit.
func skipDigits(s string, i int) int {
	for i < len(s) && s[i]-'0' <= 9 {
		i++
	}
	return i
}
