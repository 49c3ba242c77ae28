package value

import (
	"encoding/json"
	"math"
	"reflect"
	"strings"
	"testing"
	"unsafe"

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

// structOf describes a struct by its tags.
func structOf(p any) *Struct {
	v := reflect.ValueOf(p).Elem()
	s := &Struct{At: unsafe.Pointer(v.Addr().Pointer())}
	for i := range v.NumField() {
		f := v.Type().Field(i)
		name, options, _ := strings.Cut(f.Tag.Get("json"), ",")
		if name == "" {
			name = f.Name
		}
		size, _ := NameSize(name)
		s.Fields = append(s.Fields, Field{name, size, f.Offset, f.Type.Kind(), options != ""})
	}
	return s
}

// A struct fills a tree as its JSON would, and counts as many bytes.
func TestStructIsItsJSON(t *testing.T) {
	for _, p := range []any{
		&whole{}, &sparse{}, &struct{}{},
		&whole{"é\n\"", true, -1, -8, -16, -32, math.MinInt64, 1, 8, 16, 32, math.MaxUint64, 0.1, 1e300},
		&whole{I64: math.MaxInt64, U: math.MaxUint, U64: math.MaxInt64 + 1, F32: math.MaxFloat32, F64: math.SmallestNonzeroFloat64},
		&whole{F32: 16777216, F64: math.Copysign(0, -1)},
		&sparse{"s", true, -1, 1, math.MaxUint64, 0.1, -0.5}, &sparse{F64: math.Copysign(0, -1)},
	} {
		data, err := json.Marshal(p)
		require.NoError(t, err)
		var want, got Tree
		problem, _ := want.SetJSON(data, DefaultLimits)
		require.Equal(t, OK, problem)
		require.Equal(t, OK, got.SetGo(structOf(p), DefaultLimits))
		require.Equal(t, string(want.AppendCanonical(nil, Root)), string(got.AppendCanonical(nil, Root)))
		require.Equal(t, string(want.AppendJSON(nil, Root)), string(got.AppendJSON(nil, Root)))
		require.Equal(t, len(data), got.Size(), "%s", data)
		require.Equal(t, OK, got.SetGo(structOf(p), Limits{len(data), 1}))
		require.Equal(t, TooLarge, got.SetGo(structOf(p), Limits{len(data) - 1, 1}), "%s", data)
		require.True(t, got.Empty())
		require.Equal(t, TooDeep, got.SetGo(structOf(p), Limits{len(data), 0}))
	}
	var got Tree
	require.Equal(t, BadUTF8, got.SetGo(structOf(&sparse{S: "a\xff"}), DefaultLimits))
	require.Equal(t, NotFinite, got.SetGo(structOf(&sparse{F64: math.Inf(1)}), DefaultLimits))
	require.Equal(t, NotFinite, got.SetGo(structOf(&whole{F32: float32(math.NaN())}), DefaultLimits))
	require.Equal(t, Unencodable, got.SetGo(&Struct{Fields: []Field{{"c", 3, 0, reflect.Chan, false}}, At: unsafe.Pointer(&got)}, DefaultLimits))
	s := structOf(&whole{S: "text"})
	require.Zero(t, testing.AllocsPerRun(100, func() { got.SetGo(s, DefaultLimits) }))
}
