package value

import (
	"errors"
	"math"
	"strconv"

	"github.com/useveto/veto-go/internal/decimal"
)

// Bound is a number of a policy, prepared so that comparing a node with it is
// exact and allocates nothing. The zero Bound is not a number: make one with
// [NewBound]. It is immutable.
type Bound struct {
	text string

	floor int64 // the greatest integer that is not above it
	exact bool  // it is that integer
	side  int8  // ±1 where floor fits no int64

	f64, f32 float64 // the nearest float64 and float32
	tie64    int8    // the text of f64 compared with text
	tie32    int8
}

var errBound = errors.New("not a JSON number of at most 400 digits within ±1.8e308")

// NewBound returns the number that text, a JSON number, stands for. It fails
// on anything else and on a number outside the bounds of decimal.Scan.
func NewBound(text string) (Bound, error) {
	if !decimal.Valid(text) {
		return Bound{}, errBound
	}
	b := Bound{text: text}
	var side int
	b.floor, b.exact, side = decimal.Floor(text)
	b.side = int8(side)
	var buf [32]byte
	b.f64, _ = strconv.ParseFloat(text, 64)
	b.tie64 = int8(decimal.Compare(string(appendFloat(buf[:0], b.f64, 64)), text))
	// An infinite f32 is right: no float32 is as far out as the bound.
	b.f32, _ = strconv.ParseFloat(text, 32)
	if !math.IsInf(b.f32, 0) {
		b.tie32 = int8(decimal.Compare(string(appendFloat(buf[:0], b.f32, 32)), text))
	}
	return b, nil
}

// String returns the text that the bound was made from.
func (b *Bound) String() string { return b.text }

// Compare returns -1, 0 or +1 as the number n is less than, equal to or
// greater than b. It is exact: n counts as the decimal that its text, or the
// text that encoding/json would write for it, stands for. n must be a Number.
//
// For floats that needs no text. Let S(f) be the shortest text that reads back
// as f, and g the float nearest to b. Reading is monotone, and reads S(f) as f
// and b as g; so where f and g differ, S(f) and b differ in the same sense.
// Where they are equal, S(g) against b was settled by NewBound.
func (n *Node) Compare(b *Bound) int {
	switch n.Form {
	case IntForm:
		return b.compareInt(int64(n.Bits))
	case UintForm:
		if b.side <= 0 {
			return +1
		}
		var buf [20]byte
		return decimal.Compare(string(strconv.AppendUint(buf[:0], n.Bits, 10)), b.text)
	case Float64Form:
		return compareFloat(math.Float64frombits(n.Bits), b.f64, b.tie64)
	case Float32Form:
		return compareFloat(math.Float64frombits(n.Bits), b.f32, b.tie32)
	default:
		return decimal.Compare(n.Text, b.text)
	}
}

func (b *Bound) compareInt(v int64) int {
	switch {
	case b.side != 0:
		return -int(b.side)
	case v < b.floor:
		return -1
	case v > b.floor:
		return +1
	case b.exact:
		return 0
	default:
		return -1
	}
}

func compareFloat(f, g float64, tie int8) int {
	switch {
	case f < g:
		return -1
	case f > g:
		return +1
	default:
		return int(tie)
	}
}

// IsInteger reports whether the number n has no fraction.
func (n *Node) IsInteger() bool {
	switch n.Form {
	case IntForm, UintForm:
		return true
	case Float64Form, Float32Form:
		f := math.Float64frombits(n.Bits)
		return f == math.Trunc(f)
	default:
		return decimal.IsInteger(n.Text)
	}
}

// AppendNumber appends the text of the number n: its own, or the one that
// encoding/json would write.
func (n *Node) AppendNumber(dst []byte) []byte {
	switch n.Form {
	case IntForm:
		return strconv.AppendInt(dst, int64(n.Bits), 10)
	case UintForm:
		return strconv.AppendUint(dst, n.Bits, 10)
	case Float64Form:
		return appendFloat(dst, math.Float64frombits(n.Bits), 64)
	case Float32Form:
		return appendFloat(dst, math.Float64frombits(n.Bits), 32)
	default:
		return append(dst, n.Text...)
	}
}

// appendCanonicalNumber appends the one text that stands for the value of n.
func (n *Node) appendCanonicalNumber(dst []byte) []byte {
	switch n.Form {
	case IntForm, UintForm: // at most 20 digits: canonical as they are
		return n.AppendNumber(dst)
	case TextForm:
		return decimal.Canonical(dst, n.Text)
	default:
		var buf [32]byte
		return decimal.Canonical(dst, string(n.AppendNumber(buf[:0])))
	}
}

// appendFloat writes f as ECMAScript does (ECMA-262, Number::toString), which
// encoding/json follows: in shortest form, with an exponent below 1e-6 and
// from 1e21 on, and no leading zero in the exponent.
func appendFloat(dst []byte, f float64, bits int) []byte {
	format := byte('f')
	if a := math.Abs(f); a != 0 {
		if bits == 64 && (a < 1e-6 || a >= 1e21) ||
			bits == 32 && (float32(a) < 1e-6 || float32(a) >= 1e21) {
			format = 'e'
		}
	}
	dst = strconv.AppendFloat(dst, f, format, -1, bits)
	if n := len(dst); format == 'e' && n >= 4 && dst[n-4] == 'e' && dst[n-2] == '0' {
		dst[n-2] = dst[n-1] // e-09 to e-9
		dst = dst[:n-1]
	}
	return dst
}
