package guard_test

import (
	"bytes"
	"encoding/json"
	"math/rand/v2"
	"reflect"
	"testing"
	"time"
	"unsafe"

	"github.com/stretchr/testify/require"

	"github.com/useveto/veto-go"
	"github.com/useveto/veto-go/audit"
)

type (
	word   string
	words  []word
	amount int64
	grades map[word]float32

	box[T any] struct {
		Value T   `json:"value"`
		More  []T `json:"more,omitempty"`
	}
	pair[A, B any] struct {
		box[A]
		Other *B `json:"other"`
	}

	chain struct {
		Name string            `json:"name,omitempty"`
		Next *chain            `json:"next"`
		Side map[string]*chain `json:"side,omitempty"`
		Kids []chain           `json:"kids"`
	}

	// These hold themselves by value, so that what is in them is not known yet
	// when they are met again.
	filter struct {
		And    []clause `json:"and,omitempty"`
		Values []string `json:"values,omitempty"`
	}
	clause struct {
		Not    bool   `json:"not"`
		Filter filter `json:"filter"`
	}
	tiles struct {
		Kids [][1]tiles `json:"kids"`
		Name string     `json:"name"`
	}
	grove map[string]struct {
		In   grove
		Name string
	}

	low  struct{ Low, Only string }
	mid  struct{ low }
	high struct {
		mid
		High []int
	}

	// tag writes itself as text, and only by its address.
	tag struct{ Text string }

	// level says itself what is zero: it is written of another that it is, too.
	level struct{ N int }
)

func (t *tag) MarshalText() ([]byte, error) { return []byte("t:" + t.Text), nil }
func (t *tag) UnmarshalText(text []byte) error {
	t.Text = string(bytes.TrimPrefix(text, []byte("t:")))
	return nil
}
func (l level) IsZero() bool { return l.N%2 == 0 }

// Whatever the type, and whatever the value: what the tool gets is what was
// decided on, and what was decided on is what was given; nothing is in it that
// is not in its JSON, and none of it is shared with the caller.
func TestTheToolGetsWhatWasDecidedOn(t *testing.T) {
	differs[struct{}](t)
	differs[struct {
		S string
		B bool
		I amount
		U uint64
		F float64
		G float32 `json:"g"`
	}](t)
	differs[struct {
		S string         `json:"s,omitempty"`
		F float64        `json:"f,omitempty"`
		L []string       `json:"l,omitempty"`
		M map[string]int `json:"m,omitempty"`
		P *string        `json:"p,omitempty"`
		A [0]int         `json:"a,omitempty"`
		N json.Number    `json:"n,omitempty"`
		D time.Duration  `json:",omitempty"`
	}](t)
	differs[struct {
		S string         `json:"s,omitzero"`
		F float64        `json:"f,omitzero"`
		L []string       `json:"l,omitzero"`
		T time.Time      `json:"t,omitzero"`
		P *time.Time     `json:"p"`
		W leaf           `json:"w,omitzero"`
		M map[string]int `json:"m,omitempty,omitzero"`
	}](t)
	differs[struct {
		T []time.Time
		M map[string]time.Time
	}](t)
	differs[struct {
		P *time.Time `json:"p,omitzero"`
		L level      `json:"l"`
	}](t)
	differs[struct{ L words }](t)
	differs[struct {
		L [][]string
		B []byte
		X [][]byte
		R [3]byte
		I []int16
	}](t)
	differs[struct {
		P **int
		Q *[]*leaf
		A [2][]leaf
	}](t)
	differs[struct {
		M map[string]string
		N map[word][]leaf
		D map[string]map[string]*int
		E map[string]struct{}
	}](t)
	differs[map[string]string](t)
	differs[map[word]leaf](t)
	differs[map[string]*chain](t)
	differs[grades](t)
	differs[*leaf](t)
	differs[**box[string]](t)
	differs[chain](t)
	differs[*chain](t)
	differs[filter](t)
	differs[clause](t)
	differs[tiles](t)
	differs[grove](t)
	differs[map[string]clause](t)
	differs[box[int]](t)
	differs[pair[string, box[[]float64]]](t)
	differs[high](t)
	differs[struct {
		N int
		high
		Extra
		leaf
	}](t)
	differs[struct {
		leaf
		*Extra
		To []leaf
	}](t)
	differs[struct {
		leaf `json:"inner"`
		File
	}](t)
	differs[struct {
		File
		Word word `json:"w<&>"`
		É    int
	}](t)
	differs[struct {
		I int      `json:",string"`
		S []string `json:"s"`
		B *bool    `json:"b,string"`
	}](t)
	differs[struct {
		A any
		L []any
		M map[string]any `json:"m,omitempty"`
	}](t)
	differs[struct {
		R json.RawMessage
		N []json.Number
	}](t)
	differs[struct {
		M *money
		T *tag
		L []tag
		K map[string]money
	}](t)
	differs[money](t)
	differs[map[int]string](t, "no JSON object")
	differs[struct{ M map[int]string }](t)
	differs[struct{ U uintptr }](t)
}

type File string

// differs runs a tool of many arguments of one type. With words it is one that
// cannot be guarded, for a reason of these words.
func differs[In any](t *testing.T, words ...string) {
	t.Helper()
	if len(words) > 0 {
		cannot[In](t, words[0])
		return
	}
	records := audit.NewMemory(nil)
	tool := wrap(t, load(t, everything, &veto.Options{Sink: records}), "t", echo[In], bot[In]())
	rnd := rand.New(rand.NewPCG(1, 2))
	for range 200 {
		var in In
		fill(rnd, reflect.ValueOf(&in).Elem(), 0)
		given := marshalled(t, in)
		out, err := tool(t.Context(), in)
		require.NoError(t, err, "%T %s", in, given)
		got := marshalled(t, out)
		require.Equal(t, given, got, "%T", in)
		decided := last(t, records).Parameters.String()
		if got != "null" {
			require.Equal(t, numbers(t, got), numbers(t, decided), "%T", in)
		}
		var again In
		require.NoError(t, json.Unmarshal([]byte(got), &again))
		require.Equal(t, again, out, "%T %s", in, got)
		theirs := make(map[unsafe.Pointer]bool)
		reach(reflect.ValueOf(in), func(p unsafe.Pointer) { theirs[p] = true })
		reach(reflect.ValueOf(out), func(p unsafe.Pointer) { require.False(t, theirs[p], "%T %s: shared", in, got) })
	}
}

func marshalled(t *testing.T, v any) string {
	t.Helper()
	text, err := json.Marshal(v)
	require.NoError(t, err)
	return string(text)
}

func numbers(t *testing.T, text string) (v any) {
	t.Helper()
	d := json.NewDecoder(bytes.NewReader([]byte(text)))
	d.UseNumber()
	require.NoError(t, d.Decode(&v), text)
	return v
}
