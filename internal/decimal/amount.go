package decimal

import "math/bits"

// Amount is a decimal number from 0 up to, and without, 10^18, of at most 18
// digits after the point: a count of 10^-18ths in two words. Sums of amounts
// are exact. That is enough for every currency, the smallest unit of ether
// included.
type Amount struct{ hi, lo uint64 }

// AmountDigits is the most digits of an amount on either side of the point.
const AmountDigits = 18

// Fit says how a number fits an Amount.
type Fit uint8

const (
	Fits     Fit = iota
	Negative     // it is below zero
	TooFine      // it has more than 18 digits after the point
	TooLarge     // it is 10^18 or more
)

// ParseAmount returns the number s, which must be [Valid], as an Amount, where
// it fits.
func ParseAmount(s string) (Amount, Fit) {
	x := parse(s)
	switch {
	case x.sign() < 0:
		return Amount{}, Negative
	case x.exp > AmountDigits:
		return Amount{}, TooLarge
	case x.len()-x.exp > AmountDigits:
		return Amount{}, TooFine
	}
	var a Amount
	for i := range x.exp + AmountDigits {
		d := uint64(0)
		// Digit number i of the whole text; those before the first digit
		// that is not zero are not in x.
		if i < x.len() {
			d = uint64(x.digit(i) - '0')
		}
		a = a.times10(d)
	}
	return a, Fits
}

func (a Amount) times10(plus uint64) Amount {
	over, lo := bits.Mul64(a.lo, 10)
	lo, carry := bits.Add64(lo, plus, 0)
	return Amount{a.hi*10 + over + carry, lo}
}

// Plus returns a+b. The sum of two amounts fits, and so do those of millions.
func (a Amount) Plus(b Amount) Amount {
	lo, carry := bits.Add64(a.lo, b.lo, 0)
	hi, over := bits.Add64(a.hi, b.hi, carry)
	if over != 0 { // not reached by sums that a bound stops
		return Amount{^uint64(0), ^uint64(0)}
	}
	return Amount{hi, lo}
}

// Full reports whether a is the largest Amount, which stands for all sums that
// are larger.
func (a Amount) Full() bool { return a == Amount{^uint64(0), ^uint64(0)} }

// Minus returns a-b, or zero where b is more than a.
func (a Amount) Minus(b Amount) Amount {
	lo, borrow := bits.Sub64(a.lo, b.lo, 0)
	hi, under := bits.Sub64(a.hi, b.hi, borrow)
	if under != 0 {
		return Amount{}
	}
	return Amount{hi, lo}
}

// Compare returns -1, 0 or +1 as a is less than, equal to or greater than b.
func (a Amount) Compare(b Amount) int {
	switch {
	case a == b:
		return 0
	case a.hi < b.hi, a.hi == b.hi && a.lo < b.lo:
		return -1
	default:
		return +1
	}
}

// IsZero reports whether a is 0.
func (a Amount) IsZero() bool { return a == Amount{} }

// Digits returns the 10^-18ths of a as a text of 39 digits, with leading
// zeros: the order of these texts is that of the amounts.
func (a Amount) Digits() string {
	var text [39]byte
	hi, lo := a.hi, a.lo
	for i := len(text) - 1; i >= 0; i-- {
		var r uint64
		hi, r = hi/10, hi%10
		lo, r = bits.Div64(r, lo, 10)
		text[i] = byte('0' + r)
	}
	return string(text[:])
}

// AmountOfDigits returns the amount whose Digits are text, and whether they
// are that of one.
func AmountOfDigits(text string) (Amount, bool) {
	if len(text) != 39 {
		return Amount{}, false
	}
	var a Amount
	for i := range len(text) {
		if text[i]-'0' > 9 {
			return Amount{}, false
		}
		a = a.times10(uint64(text[i] - '0'))
	}
	return a, a.Digits() == text
}

// String returns the canonical text of a.
func (a Amount) String() string {
	text := a.Digits()
	point := len(text) - AmountDigits
	return string(Canonical(nil, text[:point]+"."+text[point:]))
}
