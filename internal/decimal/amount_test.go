package decimal_test

import (
	"math/big"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/useveto/veto-go/internal/decimal"
)

func TestParseAmount(t *testing.T) {
	for text, want := range map[string]string{
		"0": "0", "-0": "0", "0.00e5": "0", "1": "1", "0.1": "0.1", "1e-1": "0.1", "0.10": "0.1",
		"1e-18": "1e-18", "0.000000000000000001": "1e-18", "123.456": "123.456", "1e17": "100000000000000000",
		"999999999999999999.999999999999999999": "999999999999999999.999999999999999999",
	} {
		a, fit := decimal.ParseAmount(text)
		require.Equal(t, decimal.Fits, fit, text)
		require.Equal(t, want, a.String(), text)
		back, ok := decimal.AmountOfDigits(a.Digits())
		require.True(t, ok)
		require.Equal(t, a, back)
	}
	for text, want := range map[string]decimal.Fit{
		"-1": decimal.Negative, "-1e-400": decimal.Negative, "1e18": decimal.TooLarge, "1e308": decimal.TooLarge,
		"1e-19": decimal.TooFine, "0.1234567890123456789": decimal.TooFine, "1e-9999": decimal.TooFine,
		"1" + strings.Repeat("0", 18): decimal.TooLarge,
	} {
		_, fit := decimal.ParseAmount(text)
		require.Equal(t, want, fit, text)
	}
	for _, bad := range []string{"", "1", strings.Repeat("9", 39), strings.Repeat("x", 39)} {
		_, ok := decimal.AmountOfDigits(bad)
		require.False(t, ok, bad)
	}
}

// Sums are those of the rational numbers.
func TestAmountSums(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	var sum decimal.Amount
	want := new(big.Rat)
	for range 10_000 {
		text := big.NewRat(r.Int64N(1e15), 1).FloatString(0) + "." + big.NewInt(r.Int64N(1e18)).String()
		x, ok := new(big.Rat).SetString(text)
		require.True(t, ok)
		a, fit := decimal.ParseAmount(text)
		require.Equal(t, decimal.Fits, fit, text)
		if r.IntN(3) == 0 && sum.Compare(a) >= 0 {
			sum, want = sum.Minus(a), want.Sub(want, x)
		} else {
			sum, want = sum.Plus(a), want.Add(want, x)
		}
		got, _ := new(big.Rat).SetString(sum.String())
		require.Zero(t, want.Cmp(got), "%s: %s, want %s", text, sum, want)
	}
	require.True(t, decimal.Amount{}.Minus(sum).IsZero())
}

func TestAmountAllocs(t *testing.T) {
	require.Zero(t, testing.AllocsPerRun(100, func() {
		a, _ := decimal.ParseAmount("123.45")
		if a.Plus(a).Minus(a).Compare(a) != 0 {
			t.Fail()
		}
	}))
}
