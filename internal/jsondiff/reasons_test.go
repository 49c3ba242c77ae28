package jsondiff

import (
	"math"
	"math/big"
	"regexp"
	"strconv"
	"strings"
	"unicode"

	"github.com/useveto/veto-go/internal/value"
)

// reasons says, slowly, for which of the reasons on its list our reader must
// refuse a document that the other one accepts. There are no further reasons.
//
//   - FoldedKey: two keys of one object are equal under Unicode simple folding.
//   - TooDeep: more containers on the way down than the bound.
//   - TooLarge: more bytes, white space and all, than the bound.
//   - NumberRange: a number of more than 400 digits, with an exponent past
//     ±9999, or that is nearer to 2^1024 than to the largest float64.
//
// NotObject, the fifth, is of SetGo only: a value that is no object.
func reasons(n *node, size int, lim value.Limits) map[value.Problem]bool {
	found := make(map[value.Problem]bool)
	if size > lim.Bytes {
		found[value.TooLarge] = true
	}
	n.all(0, func(n *node, depth int) {
		if depth > lim.Depth {
			found[value.TooDeep] = true
		}
		if n.kind == '0' && outOfRange(n.text) {
			found[value.NumberRange] = true
		}
		for i, key := range n.keys {
			for _, other := range n.keys[:i] {
				if foldsTo(key, other) {
					found[value.FoldedKey] = true
				}
			}
		}
	})
	return found
}

// foldsTo compares character by character, each with all that fold to it.
func foldsTo(a, b string) bool {
	x, y := []rune(a), []rune(b)
	if len(x) != len(y) {
		return false
	}
	for i := range x {
		same := x[i] == y[i]
		for c := unicode.SimpleFold(x[i]); c != x[i]; c = unicode.SimpleFold(c) {
			same = same || c == y[i]
		}
		if !same {
			return false
		}
	}
	return true
}

var numberParts = regexp.MustCompile(`^(-?[0-9]+(?:\.[0-9]+)?)(?:[eE]([+-]?[0-9]+))?$`)

// tooGreat is half way between the largest float64 and 2^1024.
var tooGreat = func() *big.Rat {
	largest, _ := new(big.Float).SetFloat64(math.MaxFloat64).Int(nil)
	next := new(big.Int).Lsh(big.NewInt(1), 1024)
	return new(big.Rat).SetFrac(new(big.Int).Add(largest, next), big.NewInt(2))
}()

func outOfRange(text string) bool {
	parts := numberParts.FindStringSubmatch(text)
	digits := len(text) - strings.Count(text, "-") - strings.Count(text, "+") - strings.Count(text, ".")
	if parts[2] != "" {
		digits-- // the e
		if e, err := strconv.Atoi(parts[2]); err != nil || e < -9999 || e > 9999 {
			return true
		}
	}
	n := exact(text)
	return digits > 400 || n.Abs(n).Cmp(tooGreat) >= 0
}

// exact is the number that text stands for.
func exact(text string) *big.Rat {
	r, ok := new(big.Rat).SetString(text)
	if !ok {
		panic(text)
	}
	return r
}
