package value

import (
	"encoding/json"
	"math"
	"math/big"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

type named string

type point struct {
	X int     `json:"x"`
	Y float32 `json:"y"`
}

type panics struct{}

func (panics) MarshalJSON() ([]byte, error) { panic("no") }

// A Go value stands for the JSON that encoding/json writes for it.
func TestSetGoEqualsEncodingJSON(t *testing.T) {
	for name, v := range map[string]any{
		"plain":     map[string]any{"a": "b", "n": 1.5, "i": 3, "t": true, "z": nil, "l": []any{1, "x", map[string]any{}}},
		"typed":     map[string]string{"a": "b"},
		"ints":      map[string]any{"a": int8(-1), "b": uint64(math.MaxUint64), "c": uint16(7), "d": int64(math.MinInt64)},
		"floats":    map[string]any{"a": float32(0.1), "b": 0.1, "c": 1e300, "d": 1e21, "e": math.Copysign(0, -1), "f": 123456789012345678.0},
		"number":    map[string]any{"a": json.Number("1e2"), "b": json.Number("0.10")},
		"raw":       map[string]any{"a": json.RawMessage(`{"x":[1,2]}`), "b": json.RawMessage(nil)},
		"big":       map[string]any{"a": big.NewInt(0).Exp(big.NewInt(10), big.NewInt(30), nil)},
		"struct":    map[string]any{"p": point{1, 2.5}, "q": &point{3, 4}},
		"slices":    map[string]any{"s": []string{"a"}, "i": []int{1, 2}, "b": []byte("hi"), "m": []map[string]any{{"k": 1}}, "a": [2]bool{true, false}},
		"named":     map[string]any{"n": named("x")},
		"time":      map[string]any{"t": time.Unix(0, 0).UTC()},
		"nils":      map[string]any{"m": map[string]any(nil), "s": []any(nil), "t": []string(nil), "p": (*point)(nil)},
		"top":       point{5, 6},
		"escapes":   map[string]any{"a\"b": "\x00\n<&>\u2028é"},
		"named map": map[named]any{"k": 1},
	} {
		t.Run(name, func(t *testing.T) {
			var tree Tree
			require.Equal(t, OK, tree.SetGo(v, DefaultLimits))
			want, err := json.Marshal(v)
			require.NoError(t, err)
			require.JSONEq(t, string(want), string(tree.AppendJSON(nil, Root)))
		})
	}
}

func TestSetGoNone(t *testing.T) {
	var tree Tree
	for _, v := range []any{nil, map[string]any(nil), json.RawMessage(nil), []byte{}, "", "null", json.RawMessage(" null "), (*point)(nil)} {
		require.Equal(t, OK, tree.SetGo(v, DefaultLimits), "%#v", v)
		require.True(t, tree.Empty(), "%#v", v)
	}
}

func TestSetGoRefuses(t *testing.T) {
	deep := any("x")
	for range 40 {
		deep = []any{deep}
	}
	cyclic := map[string]any{}
	cyclic["a"], cyclic["b"] = cyclic, cyclic
	wide := any("x")
	for range 31 {
		wide = []any{wide, wide} // two to the 31st when written out
	}
	for _, c := range []struct {
		name string
		v    any
		want Problem
	}{
		{"NaN", map[string]any{"a": math.NaN()}, NotFinite},
		{"Inf", map[string]any{"a": math.Inf(-1)}, NotFinite},
		{"float32 Inf", map[string]any{"a": float32(math.Inf(1))}, NotFinite},
		{"bad number", map[string]any{"a": json.Number("0x10")}, NumberRange},
		{"huge number", map[string]any{"a": json.Number("1e999")}, NumberRange},
		{"bad UTF-8", map[string]any{"a": "\xff"}, BadUTF8},
		{"bad UTF-8 key", map[string]any{"\xff": 1}, BadUTF8},
		{"surrogate bytes", map[string]any{"a": "\xed\xa0\x80"}, BadUTF8},
		{"bad UTF-8 in a struct", map[string]any{"a": struct{ S string }{"\xff"}}, BadUTF8},
		{"deep", map[string]any{"a": deep}, TooDeep},
		{"wide", map[string]any{"a": wide}, TooDeep},
		{"cyclic", cyclic, TooDeep},
		{"string", "hello", NotJSON},
		{"array", []any{1}, NotObject},
		{"raw array", json.RawMessage(`[1]`), NotObject},
		{"number", 5, NotObject},
		{"channel", map[string]any{"a": make(chan int)}, Unencodable},
		{"func", map[string]any{"a": func() {}}, Unencodable},
		{"panic", map[string]any{"a": panics{}}, Unencodable},
		{"int keys", map[int]any{1: 2}, OK},
		{"folded", map[string]any{"path": 1, "PATH": 2}, FoldedKey},
		{"kelvin", map[string]any{"kind": 1, "\u212Aind": 2}, FoldedKey},
		{"long s", map[string]any{"a": map[string]any{"pass": 1, "pa\u017Fs": 2}}, FoldedKey},
		{"folded in raw", map[string]any{"a": json.RawMessage(`{"k":1,"K":2}`)}, FoldedKey},
		{"duplicate in raw", map[string]any{"a": json.RawMessage(`{"k":1,"k":2}`)}, DuplicateKey},
		{"large", map[string]any{"a": strings.Repeat("x", 64<<10)}, TooLarge},
	} {
		t.Run(c.name, func(t *testing.T) {
			var tree Tree
			got := tree.SetGo(c.v, DefaultLimits)
			if c.name == "cyclic" || c.name == "wide" {
				require.Contains(t, []Problem{TooDeep, TooLarge}, got)
				return
			}
			require.Equal(t, c.want.String(), got.String())
		})
	}
}

// The bound is met exactly, in bytes of compact JSON.
func TestSetGoSize(t *testing.T) {
	for _, v := range []any{
		map[string]any{"a": "x\n\x01\"é"},
		map[string]any{"a": []any{1, -20, 1.5, 0.1, true, nil}, "b": map[string]any{}},
		map[string]any{"f": []float64{0.1, 1e-7, 123.456}},
	} {
		var tree Tree
		require.Equal(t, OK, tree.SetGo(v, DefaultLimits))
		size := len(tree.AppendJSON(nil, Root))
		require.Equal(t, OK, tree.SetGo(v, Limits{Bytes: size, Depth: 32}))
		require.Equal(t, TooLarge, tree.SetGo(v, Limits{Bytes: size - 1, Depth: 32}))
	}
}

// Many keys are told apart in linear time, and found again.
func TestSetGoLargeObject(t *testing.T) {
	m := map[string]any{}
	for i := range 3000 {
		m[strings.Repeat("k", i%7)+string(rune('a'+i%26))+time.Duration(i).String()] = i
	}
	var tree Tree
	require.Equal(t, OK, tree.SetGo(m, DefaultLimits))
	for k, v := range m {
		i := tree.Member(Root, k)
		require.NotEqual(t, None, i)
		require.Equal(t, uint64(v.(int)), tree.Nodes[i].Bits)
	}
	require.Equal(t, None, tree.Member(Root, "absent"))
	m["ABSENT"], m["absent"] = 1, 2
	require.Equal(t, FoldedKey, tree.SetGo(m, DefaultLimits))
}

func TestSetGoAllocatesNothing(t *testing.T) {
	params := map[string]any{"to": "ann@example.com", "amount": 42.5, "tags": []any{"a", "b"}, "opts": map[string]any{"x": true}}
	var tree Tree
	tree.SetGo(params, DefaultLimits)
	require.Zero(t, testing.AllocsPerRun(100, func() { tree.SetGo(params, DefaultLimits) }))
}

func BenchmarkSetGo(b *testing.B) {
	params := map[string]any{"to": "ann@example.com", "subject": "hello", "amount": 42.5, "id": 7}
	var tree Tree
	for b.Loop() {
		tree.SetGo(params, DefaultLimits)
	}
}

type byPointer string

func (p *byPointer) MarshalJSON() ([]byte, error) { return json.Marshal("/etc/" + string(*p)) }

// encoding/json asks the elements of a slice by their address: what a policy
// sees is what is written, also there.
func TestSetGoAsksByPointer(t *testing.T) {
	for _, v := range []any{
		map[string]any{"p": []byPointer{"passwd"}},
		map[string]any{"p": [][]byPointer{{"passwd"}}},
		map[string]any{"p": []struct{ F byPointer }{{"passwd"}}},
		map[string]any{"p": []*byPointer{new(byPointer)}},
		map[string]any{"p": map[string]byPointer{"k": "passwd"}},
		map[string]any{"p": [1]byPointer{"passwd"}},
		map[string]any{"n": []big.Int{*big.NewInt(1_000_000)}},
		map[string][]byPointer{"p": {"passwd"}},
	} {
		var tree Tree
		require.Equal(t, OK, tree.SetGo(v, DefaultLimits))
		want, err := json.Marshal(v)
		require.NoError(t, err)
		require.JSONEq(t, string(want), string(tree.AppendJSON(nil, Root)))
	}
}
