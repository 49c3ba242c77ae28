package value

import (
	"encoding/json"
	"math"
	"math/big"
	"math/rand/v2"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"
)

func integer(v int64) Node { return Node{Kind: Number, Form: IntForm, Bits: uint64(v)} }
func natural(v uint64) Node {
	return Node{Kind: Number, Form: UintForm, Bits: v}
}
func float(v float64) Node { return Node{Kind: Number, Form: Float64Form, Bits: math.Float64bits(v)} }
func float32n(v float32) Node {
	return Node{Kind: Number, Form: Float32Form, Bits: math.Float64bits(float64(v))}
}
func text(s string) Node { return Node{Kind: Number, Text: s} }

func bound(t *testing.T, s string) *Bound {
	t.Helper()
	b, err := NewBound(s)
	require.NoError(t, err, s)
	require.Equal(t, s, b.String())
	return &b
}

func TestNewBound_Refuses(t *testing.T) {
	for _, s := range []string{"", "x", "01", "+1", "NaN", "1.8e308", "1e400", "0x1", "1e10000"} {
		_, err := NewBound(s)
		require.Error(t, err, s)
	}
}

func TestCompare(t *testing.T) {
	for _, c := range []struct {
		n     Node
		bound string
		want  int
	}{
		{integer(100), "100", 0}, {integer(100), "1e2", 0}, {integer(100), "100.0", 0}, {integer(0), "-0", 0},
		{integer(99), "99.5", -1}, {integer(100), "99.5", +1}, {integer(-1), "-0.5", -1}, {integer(0), "-0.5", +1},
		{integer(1<<53 + 1), "9007199254740992", +1}, {integer(1<<53 + 1), "9007199254740993", 0},
		{integer(math.MaxInt64), "9223372036854775807", 0}, {integer(math.MaxInt64), "9223372036854775807.5", -1},
		{integer(math.MaxInt64), "9223372036854775808", -1}, {integer(math.MinInt64), "-9223372036854775808", 0},
		{integer(math.MinInt64), "-9223372036854775809", +1}, {integer(1), "1e300", -1}, {integer(-1), "-1e300", +1},

		{natural(1 << 63), "9223372036854775808", 0}, {natural(1 << 63), "9223372036854775807", +1},
		{natural(math.MaxUint64), "18446744073709551616", -1}, {natural(math.MaxUint64), "18446744073709551615.0", 0},
		{natural(1 << 63), "-1e300", +1}, {natural(1 << 63), "5", +1},

		{float(0.1), "0.1", 0}, {float(0.1), "0.10000000000000000001", -1}, {float(0.1), "0.09999999999999999999", +1},
		{float(0.1), "0.1000000000000000055511151231257827", -1}, // its binary value: it stands for 0.1
		{float(1 << 53), "9007199254740993", -1}, {float(1 << 53), "9007199254740992", 0},
		{float(math.Copysign(0, -1)), "0", 0}, {float(0), "-0", 0}, {float(0), "1e-400", -1}, {float(0), "-1e-400", +1},
		{float(math.Copysign(0, -1)), "1e-400", -1}, {float(5e-324), "1e-400", +1}, {float(5e-324), "5e-324", 0},
		{float(math.MaxFloat64), "1.7976931348623157e308", 0}, {float(math.MaxFloat64), "1.7976931348623158e308", -1},
		{float(1e300), "1e300", 0}, {float(-1.5), "-1.50", 0}, {float(1e22), "10000000000000000000000", 0},

		{float32n(0.1), "0.1", 0}, {float32n(0.1), "0.100000001", -1}, {float32n(0.1), "0.0999999999", +1},
		{float32n(math.MaxFloat32), "3.4028235e38", 0}, {float32n(math.MaxFloat32), "1e39", -1},
		{float32n(-math.MaxFloat32), "-1e39", +1}, {float32n(math.MaxFloat32), "1e300", -1}, {float32n(16777216), "16777217", -1},

		{text("100.0"), "1e2", 0}, {text("-0"), "0", 0}, {text("9007199254740993"), "9007199254740992", +1},
		{text("1e-400"), "0", +1}, {text("99.999999999999999999999"), "100", -1},
	} {
		n := c.n
		require.Equal(t, c.want, n.Compare(bound(t, c.bound)), "%s %s", n.AppendNumber(nil), c.bound)
	}
}

// TestCompare_AgainstRat compares what every form stands for, as exact
// fractions, with bounds close by.
func TestCompare_AgainstRat(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	for range 2000 {
		f := math.Float64frombits(rng.Uint64())
		if a := math.Abs(f); math.IsNaN(f) || a > 1e300 || a < 1e-300 {
			f = rng.NormFloat64() * 1000
		}
		nodes := []Node{
			float(f), float32n(float32(math.Mod(f, 1e30))), integer(int64(rng.Uint64()) >> rng.IntN(64)), natural(rng.Uint64() | 1<<63),
			text(strconv.FormatFloat(f, 'e', 20, 64)),
		}
		n := nodes[rng.IntN(len(nodes))]
		x, ok := new(big.Rat).SetString(string(n.AppendNumber(nil)))
		require.True(t, ok)
		g, _ := x.Float64()
		for _, s := range []string{
			strconv.FormatFloat(g, 'g', -1, 64), strconv.FormatFloat(g, 'e', 1+rng.IntN(25), 64),
			strconv.FormatFloat(math.Nextafter(g, -1), 'e', 20, 64), new(big.Float).SetFloat64(g).Text('e', 30),
			strconv.FormatInt(int64(rng.Uint64())>>rng.IntN(64), 10),
		} {
			y, ok := new(big.Rat).SetString(s)
			require.True(t, ok)
			require.Equal(t, x.Cmp(y), n.Compare(bound(t, s)), "%s %s", n.AppendNumber(nil), s)
		}
		require.Equal(t, x.IsInt(), n.IsInteger(), "%s", n.AppendNumber(nil))
	}
}

func TestCompare_AllocatesNothing(t *testing.T) {
	b := bound(t, "18446744073709551615.5")
	nodes := []Node{integer(5), natural(math.MaxUint64), float(0.1), float32n(0.1), text("1844674407370955161.55e1")}
	require.Zero(t, testing.AllocsPerRun(100, func() {
		for i := range nodes {
			nodes[i].Compare(b)
			nodes[i].IsInteger()
		}
	}))
}

func TestAppendNumber_AsEncodingJSON(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 6))
	floats := []float64{0, math.Copysign(0, -1), 1, 0.1, 1e20, 1e21, 1e22, 1e-6, 9.99e-7, 1e-7, 1e-10, 1e100, 123456789e-20, math.MaxFloat64, 5e-324}
	for range 1000 {
		if f := math.Float64frombits(rng.Uint64()); !math.IsNaN(f) && !math.IsInf(f, 0) {
			floats = append(floats, f)
		}
		floats = append(floats, rng.NormFloat64()*math.Pow(10, float64(rng.IntN(60)-30)))
	}
	for _, f := range floats {
		want, err := json.Marshal(f)
		require.NoError(t, err)
		n := float(f)
		require.Equal(t, string(want), string(n.AppendNumber(nil)))
		if g := float32(f); !math.IsInf(float64(g), 0) {
			want, err := json.Marshal(g)
			require.NoError(t, err)
			n := float32n(g)
			require.Equal(t, string(want), string(n.AppendNumber(nil)))
		}
	}
	for _, n := range []Node{integer(math.MinInt64), integer(-1), natural(math.MaxUint64), text("1.50e+03")} {
		want := map[Form]string{UintForm: "18446744073709551615", TextForm: "1.50e+03"}[n.Form]
		if n.Form == IntForm {
			want = strconv.FormatInt(int64(n.Bits), 10)
		}
		require.Equal(t, want, string(n.AppendNumber(nil)))
	}
}
