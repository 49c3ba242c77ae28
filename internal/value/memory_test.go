package value

import (
	"encoding/json"
	"math"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

type whole struct {
	S   string `json:"s"`
	B   bool
	I   int
	I8  int8
	I16 int16
	I32 int32
	I64 int64
	U   uint
	U8  uint8
	U16 uint16
	U32 uint32
	U64 uint64
	F32 float32
	F64 float64
}

type sparse struct {
	S   string  `json:"s,omitempty"`
	B   bool    `json:"b,omitempty"`
	I   int     `json:"i,omitempty"`
	U   uint    `json:"u,omitempty"`
	U64 uint64  `json:"u64,omitempty"`
	F32 float32 `json:"f32,omitempty"`
	F64 float64 `json:"f64,omitempty"`
}

// nested has one of each kind that holds others.
type nested struct {
	P    *sparse            `json:"p"`
	O    *string            `json:"o,omitempty"`
	S    []sparse           `json:"s"`
	L    []string           `json:"l,omitempty"`
	A    [2]bool            `json:"a"`
	None [0]int             `json:"none,omitempty"`
	M    map[string][]int   `json:"m"`
	E    map[string]float64 `json:"e,omitempty"`
	B    []byte             `json:"b"`
	N    json.Number        `json:"n"`
	T    time.Time          `json:"t"`
	Z    time.Time          `json:"z,omitzero"`
	W    sparse             `json:"w,omitzero"`
	F    float64            `json:"f,omitzero"`
	Next *nested            `json:"next,omitempty"`
}

// layouts describe types by their tags. What is embedded is not looked at.
type layouts map[reflect.Type]*Layout

func (all layouts) of(t reflect.Type) *Layout {
	if l := all[t]; l != nil {
		return l
	}
	l := &Layout{Type: t, Kind: t.Kind()}
	all[t] = l
	switch {
	case t == reflect.TypeFor[time.Time]():
		l.As = AsTime
	case t == reflect.TypeFor[json.Number]():
		l.As = AsNumber
	case t == reflect.TypeFor[[]byte]():
		l.As = AsBytes
	case t.Kind() == reflect.Struct:
		for i := range t.NumField() {
			f := t.Field(i)
			name, options, _ := strings.Cut(f.Tag.Get("json"), ",")
			if name == "" {
				name = f.Name
			}
			size, _ := NameSize(name)
			l.Fields = append(l.Fields, Field{name, size, f.Offset, options == "omitempty", options == "omitzero", all.of(f.Type)})
		}
	case !Scalar(t.Kind()) && t.Kind() != reflect.Chan:
		l.Elem = all.of(t.Elem())
	}
	return l
}

// memoryOf is what p points to.
func memoryOf(p any) *Memory {
	v := reflect.ValueOf(p)
	return &Memory{layouts{}.of(v.Type().Elem()), v.UnsafePointer()}
}

// What lies in memory fills a tree as its JSON would, and counts as many bytes.
func TestMemoryIsItsJSON(t *testing.T) {
	text, at := "x", time.Date(2026, 3, 2, 9, 30, 0, 5, time.FixedZone("", 3600))
	for _, p := range []any{
		&whole{}, &sparse{}, &struct{}{},
		&whole{"é\n\"", true, -1, -8, -16, -32, math.MinInt64, 1, 8, 16, 32, math.MaxUint64, 0.1, 1e300},
		&whole{I64: math.MaxInt64, U: math.MaxUint, U64: math.MaxInt64 + 1, F32: math.MaxFloat32, F64: math.SmallestNonzeroFloat64},
		&whole{F32: 16777216, F64: math.Copysign(0, -1)}, &whole{F32: 16777218}, &whole{F32: 123456789}, &whole{F32: -1e15, F64: 1e15 - 1},
		&sparse{"s", true, -1, 1, math.MaxUint64, 0.1, -0.5}, &sparse{F64: math.Copysign(0, -1)},
		&nested{},
		&nested{S: []sparse{}, L: []string{}, M: map[string][]int{}, E: map[string]float64{}, B: []byte{}, F: math.Copysign(0, -1)},
		&nested{
			P: &sparse{S: "p"}, O: &text, S: []sparse{{}, {S: "s"}}, L: []string{"", "l"}, A: [2]bool{true}, M: map[string][]int{"a": nil, "\"": {}, "b": {1, -2}},
			E: map[string]float64{"e": 0.25}, B: []byte("bytes"), N: "12345678901234567890.5", T: at, Z: at, W: sparse{B: true}, F: 1.5,
			Next: &nested{N: "7", Next: &nested{N: "-0"}},
		},
		&[]map[string]whole{{"k": {}}}[0],
	} {
		data := compact(t, p)
		var want, got Tree
		problem, _ := want.SetJSON(data, DefaultLimits)
		require.Equal(t, OK, problem)
		m := memoryOf(p)
		require.Equal(t, OK, got.SetGo(m, DefaultLimits))
		require.Equal(t, string(want.AppendCanonical(nil, Root)), string(got.AppendCanonical(nil, Root)))
		require.JSONEq(t, string(data), string(got.AppendJSON(nil, Root)))
		require.Equal(t, len(data), got.Size(), "%s", data)
		require.Equal(t, OK, got.SetGo(m, Limits{len(data), 4}))
		require.Equal(t, TooLarge, got.SetGo(m, Limits{len(data) - 1, 4}), "%s", data)
		require.True(t, got.Empty())
		require.Equal(t, TooDeep, got.SetGo(m, Limits{len(data), 0}))
	}
}

func compact(t *testing.T, p any) []byte {
	data, err := json.Marshal(p)
	require.NoError(t, err)
	return data
}

// What JSON cannot be is refused, and what is no object is none.
func TestMemoryThatIsNoParameters(t *testing.T) {
	var got Tree
	for _, c := range []struct {
		p    any
		want Problem
	}{
		{&sparse{S: "a\xff"}, BadUTF8},
		{&nested{M: map[string][]int{"a\xff": nil}}, BadUTF8},
		{&nested{L: []string{"\xff"}}, BadUTF8},
		{&sparse{F64: math.Inf(1)}, NotFinite},
		{&whole{F32: float32(math.NaN())}, NotFinite},
		{&nested{N: "no number"}, NumberRange},
		{&nested{T: time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC)}, Unencodable},
		{&nested{T: time.Date(2026, 3, 2, 9, 30, 0, 0, time.FixedZone("", 3599))}, Unencodable}, // as it would be another moment
		{&nested{T: time.Date(2026, 3, 2, 9, 30, 0, 0, time.FixedZone("", -30))}, Unencodable},
		{&nested{B: make([]byte, 64<<10)}, TooLarge},
		{&map[string]int{"a": 1, "A": 2}, FoldedKey},
		{&struct{ C chan int }{}, Unencodable},
		{&[]string{"a"}, NotObject},
		{new(string), NotObject},
	} {
		require.Equal(t, c.want, got.SetGo(memoryOf(c.p), DefaultLimits), "%v", c.p)
		require.True(t, got.Empty())
	}
	var around nested
	around.Next = &around
	require.Equal(t, TooDeep, got.SetGo(memoryOf(&around), DefaultLimits))
	for _, p := range []any{new(*sparse), new(map[string]int), new([]string)} {
		require.Equal(t, OK, got.SetGo(memoryOf(p), DefaultLimits))
		require.True(t, got.Empty())
	}
}

func TestMemoryAllocates(t *testing.T) {
	var got Tree
	m := memoryOf(&nested{P: &sparse{S: "text"}, S: make([]sparse, 3), L: []string{"a"}, N: "1"})
	m.Layout.Fields = slices.DeleteFunc(m.Layout.Fields, func(f Field) bool { return f.Layout.As == AsTime })
	require.Zero(t, testing.AllocsPerRun(100, func() {
		if got.SetGo(m, DefaultLimits) != OK {
			t.Fatal("refused")
		}
	}))
}

// What somebody else has refused stays refused.
func TestRefused(t *testing.T) {
	var got Tree
	require.Equal(t, TooDeep, got.SetGo(&Refused{Problem: TooDeep}, DefaultLimits))
	require.Equal(t, Unencodable, got.SetGo(&Refused{}, DefaultLimits))
	require.Equal(t, Unencodable, got.SetGo((*Refused)(nil), DefaultLimits))
	require.Equal(t, "are nested too deep", (&Refused{Problem: TooDeep}).String())
	require.Equal(t, "are odd", (&Refused{Detail: "are odd"}).String())
	require.Equal(t, "have a value that JSON cannot hold", (*Refused)(nil).String())
}
