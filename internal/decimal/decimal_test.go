package decimal_test

import (
	"math/big"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/useveto/veto-go/internal/decimal"
)

func TestCompare_Table(t *testing.T) {
	// Each line is ascending; texts joined by = are equal.
	for _, line := range []string{
		"-1e308 -9007199254740993 -9007199254740992 -1.5 -1 -0.1 -1e-9999 0=-0=0.000=0e9=-0.0e-5 1e-9999 1e-400 0.1=1e-1=0.10",
		"9.99 10=1e1=10.0=0.1e2=100e-1 10.000000000000000000001 11",
		"9007199254740992 9007199254740993 9007199254740994",
		"9223372036854775807 9223372036854775808=9.223372036854775808e18 18446744073709551615 18446744073709551616",
		"99=99.0=990e-1 100=1e2=100.0=1E+2=1e0002 100.5 101",
		"12 120 1200=12e2 12000",
		"0.000012=12e-6=1.2E-5 0.00012",
	} {
		var all []string
		rank := map[string]int{}
		for i, group := range strings.Fields(line) {
			for text := range strings.SplitSeq(group, "=") {
				all = append(all, text)
				rank[text] = i
			}
		}
		for _, a := range all {
			require.True(t, decimal.Valid(a), a)
			for _, b := range all {
				want := min(1, max(-1, rank[a]-rank[b]))
				require.Equal(t, want, decimal.Compare(a, b), "%s %s", a, b)
			}
		}
	}
}

func TestValid(t *testing.T) {
	digits := strings.Repeat("1", 300)
	for _, s := range []string{
		"0", "-0", "1", "-1", "10", "0.5", "1.50", "1e2", "1E2", "1e+2", "1e-2", "1e02", "0e9999", "1e-9999",
		"1.7e308", "-1.7e308", "1.7976931348623157e308",
		"1.79769313486231580793e308", // the last before it rounds to infinity
		digits, "0." + strings.Repeat("1", 399), digits + "." + strings.Repeat("1", 100),
		digits + "." + strings.Repeat("1", 98) + "e-1", // the exponent counts
		digits + "." + strings.Repeat("1", 98) + "e01",
	} {
		require.True(t, decimal.Valid(s), s)
	}
	for _, s := range []string{
		"", "-", "+1", ".5", "1.", "01", "-01", "00", "1e", "1e+", "e5", "1.e5", "0x10", "1_000", "NaN", "Infinity",
		"-Infinity", " 1", "1 ", "1,0", "--1", "1-", "1.5.5", "1e5.5", "1e5e5", "٣",
		"1.8e308", "-1.8e308", "1.79769313486231580794e308", "1e309", "1e9999", "1e10000", "0e10000", "1e-10000",
		"1e99999999999999999999", "1e-99999999999999999999",
		strings.Repeat("1", 310), "18" + strings.Repeat("0", 307),
		"0." + strings.Repeat("1", 400), digits + "." + strings.Repeat("1", 101),
		"1e" + strings.Repeat("0", 400), digits + "." + strings.Repeat("1", 98) + "e001",
	} {
		require.False(t, decimal.Valid(s), s)
	}
}

func TestScan_Prefix(t *testing.T) {
	n, bounded := decimal.Scan("12.5e3,")
	require.Equal(t, 6, n)
	require.True(t, bounded)
	n, _ = decimal.Scan("012")
	require.Equal(t, 1, n, "a number ends after a leading zero")
	n, bounded = decimal.Scan("1e999]")
	require.Equal(t, 5, n)
	require.False(t, bounded)
}

func TestIsInteger(t *testing.T) {
	for s, want := range map[string]bool{
		"0": true, "-0.0": true, "1": true, "1.0": true, "1e2": true, "1.5e1": true, "1.50e1": true, "100e-2": true,
		"1.5": false, "1e-1": false, "15e-1": false, "1.25e1": false, "9007199254740993.5": false, "1e300": true,
	} {
		require.Equal(t, want, decimal.IsInteger(s), s)
	}
}

func TestFloor(t *testing.T) {
	for _, c := range []struct {
		text  string
		floor int64
		exact bool
		side  int
	}{
		{"0", 0, true, 0}, {"-0.0", 0, true, 0}, {"1e2", 100, true, 0}, {"-1e2", -100, true, 0},
		{"2.5", 2, false, 0}, {"-2.5", -3, false, 0}, {"0.1", 0, false, 0}, {"-0.1", -1, false, 0},
		{"1e-9999", 0, false, 0}, {"-1e-9999", -1, false, 0},
		{"9223372036854775807", 1<<63 - 1, true, 0}, {"9223372036854775807.5", 1<<63 - 1, false, 0},
		{"9223372036854775808", 0, false, +1}, {"9999999999999999999", 0, false, +1},
		{"-9223372036854775808", -1 << 63, true, 0}, {"-9223372036854775807.5", -1 << 63, false, 0},
		{"-9223372036854775808.5", 0, false, -1}, {"-9999999999999999999.5", 0, false, -1},
		{"1e19", 0, false, +1}, {"1e300", 0, false, +1}, {"-1e300", 0, false, -1},
	} {
		floor, exact, side := decimal.Floor(c.text)
		require.Equal(t, c.side, side, c.text)
		if side == 0 {
			require.Equal(t, c.floor, floor, c.text)
			require.Equal(t, c.exact, exact, c.text)
		}
	}
}

func TestCanonical(t *testing.T) {
	for s, want := range map[string]string{
		"0": "0", "-0": "0", "0e5": "0", "0.00": "0", "-0.0e-9": "0",
		"100": "100", "1e2": "100", "100.0": "100", "-1e2": "-100", "1.50": "1.5", "15e-1": "1.5",
		"0.1": "0.1", "1e-1": "0.1", "0.000001": "0.000001", "1e-6": "0.000001", "1e-7": "1e-7", "0.00000015": "1.5e-7",
		"1e20": "100000000000000000000", "1e21": "1e21", "1e300": "1e300", "123e19": "1.23e21", "1E+300": "1e300",
		"123456789012345678901": "123456789012345678901", "1234567890123456789012": "1.234567890123456789012e21",
		"12.5e1": "125", "12.5e0": "12.5", "-12.50": "-12.5", "-1e-9999": "-1e-9999",
	} {
		require.Equal(t, want, string(decimal.Canonical(nil, s)), s)
	}
}

func TestZeroAllocations(t *testing.T) {
	buf := make([]byte, 0, 64)
	require.Zero(t, testing.AllocsPerRun(100, func() {
		decimal.Compare("1234567890.12345", "1.23456789012344e9")
		decimal.Valid("1.5e308")
		decimal.IsInteger("1.50e1")
		decimal.Canonical(buf, "-12.50e-3")
	}))
}

// rat is the number as math/big reads it, where that is cheap.
func rat(s string) *big.Rat {
	if i := strings.IndexAny(s, "eE"); i >= 0 {
		if e, err := strconv.Atoi(s[i+1:]); err != nil || e < -500 || e > 500 {
			return nil
		}
	}
	r, ok := new(big.Rat).SetString(s)
	if !ok {
		return nil
	}
	return r
}

var seeds = []string{
	"0", "-0", "1", "-1", "100", "1e2", "100.0", "0.1", "1e-1", "9007199254740993", "9007199254740992", "-1.5e-7",
	"1e300", "1.7e308", "0.00012", "12000", "9223372036854775808", "1.50e1", "-99.990", "1e-400",
}

func FuzzDecimalCompare(f *testing.F) {
	for i, a := range seeds {
		f.Add(a, a)
		f.Add(a, seeds[(i+1)%len(seeds)])
	}
	f.Fuzz(func(t *testing.T, a, b string) {
		got := decimal.Compare(a, b) // of anything: no panic
		require.Equal(t, -got, decimal.Compare(b, a))
		if !decimal.Valid(a) || !decimal.Valid(b) {
			return
		}
		ca, cb := string(decimal.Canonical(nil, a)), string(decimal.Canonical(nil, b))
		require.Equal(t, got == 0, ca == cb, "one canonical text per value")
		require.Zero(t, decimal.Compare(a, ca))
		x, y := rat(a), rat(b)
		if x == nil || y == nil {
			return
		}
		require.Equal(t, x.Cmp(y), got)
		require.Equal(t, x.IsInt(), decimal.IsInteger(a))

		floor := new(big.Int).Div(x.Num(), x.Denom()) // Euclidean: rounds down
		n, exact, side := decimal.Floor(a)
		require.Equal(t, floor.IsInt64(), side == 0)
		if side == 0 {
			require.Equal(t, floor.Int64(), n)
			require.Equal(t, x.IsInt(), exact)
		} else {
			require.Equal(t, x.Sign(), side)
		}
	})
}
