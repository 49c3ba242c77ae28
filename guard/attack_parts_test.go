package guard_test

import (
	"encoding/json"
	"math/big"
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/useveto/veto-go/guard"
)

// readsPlain is how a type reads itself as what it is, or into what it holds.
func readsPlain[T any](data []byte, into *T) error { return json.Unmarshal(data, into) }

// option is a value or none. It reads itself into a field that JSON does not
// show.
type option[T any] struct {
	v   T
	set bool
}

func (o *option[T]) UnmarshalJSON(data []byte) error { o.set = true; return readsPlain(data, &o.v) }
func (o option[T]) MarshalJSON() ([]byte, error)     { return json.Marshal(o.v) }

// nullable has fields that JSON could show.
type nullable[T any] struct {
	Value T
	Valid bool
}

func (n *nullable[T]) UnmarshalJSON(data []byte) error {
	n.Valid = true
	return readsPlain(data, &n.Value)
}

// embedding has them in what it embeds.
type embedding[T any] struct{ holds[T] }

type holds[T any] struct {
	V *T `json:"-"`
}

func (e *embedding[T]) UnmarshalJSON(data []byte) error { return readsPlain(data, &e.V) }

// either is a map, as one of the common forms of an option is.
type either[T any] map[bool]T

func (e *either[T]) UnmarshalJSON(data []byte) error {
	var v T
	err := readsPlain(data, &v)
	*e = either[T]{true: v}
	return err
}

func (e either[T]) MarshalJSON() ([]byte, error) { return json.Marshal(e[true]) }

// some is a list, or one of what it lists.
type some[T any] []T

func (s *some[T]) UnmarshalJSON(data []byte) error {
	if len(data) == 0 || data[0] == '[' {
		return readsPlain(data, (*[]T)(s))
	}
	*s = make(some[T], 1)
	return readsPlain(data, &(*s)[0])
}

// These are what they are, by another name.
type (
	ownSum   float64
	ownPair  [2]string
	ownBytes []byte
	ownWhole struct {
		File  file `json:"file"`
		Extra map[string]any
	}
)

func (s *ownSum) UnmarshalJSON(data []byte) error   { return readsPlain(data, (*float64)(s)) }
func (p *ownPair) UnmarshalJSON(data []byte) error  { return readsPlain(data, (*[2]string)(p)) }
func (b *ownBytes) UnmarshalJSON(data []byte) error { return readsPlain(data, (*[]byte)(b)) }
func (w *ownWhole) UnmarshalJSON(data []byte) error {
	type plain ownWhole
	if err := readsPlain(data, (*plain)(w)); err != nil {
		return err
	}
	return readsPlain(data, &w.Extra)
}

// B1, B3: a type that reads itself into something that it holds would be read
// with less care than that by itself.
func TestAttack_B1_TypesThatReadThemselvesIntoTheirParts(t *testing.T) {
	const good, other = `{"f":{"path":"/tmp/a"}}`, `{"f":{"PATH":"/etc/passwd"}}`
	reads := func(name string, lets func(*testing.T, string) bool) {
		require.True(t, lets(t, good), name)
		require.True(t, lets(t, `{"f":{"path":"/tmp/a","x":1}}`), name)
		require.False(t, lets(t, other), name)
	}
	reads("option", lets[struct {
		F option[file] `json:"f"`
	}])
	reads("option of option", lets[struct {
		F *option[*nullable[file]] `json:"f"`
	}])
	reads("nullable", lets[struct {
		F nullable[file] `json:"f"`
	}])
	reads("embedding", lets[struct {
		F embedding[file] `json:"f"`
	}])
	reads("either", lets[struct {
		F either[file] `json:"f"`
	}])
	reads("some", lets[struct {
		F some[file] `json:"f"`
	}])
	reads("whole", lets[struct {
		F option[struct {
			file
			Kids []option[file]
		}] `json:"f"`
	}])
	require.False(t, lets[option[file]](t, `{"PATH":"/etc/passwd"}`))
	require.False(t, lets[struct{ F some[file] }](t, `{"F":[{"PATH":"/etc/passwd"}]}`))
	require.False(t, lets[struct{ F option[map[string][]file] }](t, `{"F":{"k":[{"PATH":"/etc/passwd"}]}}`))
	require.False(t, lets[option[struct{ Kids []option[file] }]](t, `{"Kids":[{"PATH":"/etc/passwd"}]}`))
	require.False(t, lets[option[struct {
		N string `json:",string"`
	}]](t, `{"N":"\"/etc/passwd\""}`))

	for raw, want := range map[string]bool{
		`{"sum":0.1,"pair":["a","b"],"bytes":"YWI="}`: true,
		`{"sum":null,"pair":null,"bytes":null}`:       true,
		`{"sum":99.99999999999999999999}`:             false,
		`{"pair":["a","b","c"]}`:                      false,
		`{"pair":["a"]}`:                              false,
		`{"bytes":"YWJ="}`:                            false,
		`{"bytes":"YW\nI="}`:                          false,
		`{"bytes":[97]}`:                              false,

		`{"sums":[0.1],"pairs":["a","b"],"data":"YWI="}`: true,
		`{"sums":[99.99999999999999999999]}`:             false,
		`{"pairs":["a"]}`:                                false,
		`{"data":"YWJ="}`:                                false,
		`{"data":[97,null]}`:                             false,
	} {
		require.Equal(t, want, lets[struct {
			Sum   ownSum              `json:"sum"`
			Pair  *ownPair            `json:"pair"`
			Bytes ownBytes            `json:"bytes"`
			Sums  []option[float64]   `json:"sums"`
			Pairs nullable[[2]string] `json:"pairs"`
			Data  *option[[]byte]     `json:"data"`
		}](t, raw), raw)
	}
}

// id and quantity keep what they read from text, or from a number, in forms of
// their own.
type (
	id       struct{ raw []byte }
	quantity struct {
		units *big.Int
		scale [1]int32
	}
	lazy  struct{ raw []byte }
	graph struct { // has an index that is never read
		Root  json.Number `json:"root"`
		Nodes []string    `json:"nodes"`
		index map[int]any
		rest  map[string]any
	}
)

func (i *id) UnmarshalText(text []byte) error   { i.raw = text; return nil }
func (l *lazy) UnmarshalJSON(data []byte) error { l.raw = data; return nil }
func (g *graph) UnmarshalJSON(data []byte) error {
	g.index, g.rest = nil, map[string]any{}
	type plain graph
	return readsPlain(data, (*plain)(g))
}
func (q *quantity) UnmarshalJSON(data []byte) error {
	q.units, q.scale[0] = new(big.Int), 1
	return nil
}

// What types of this kind are usually given, they are given.
func TestTypesThatReadThemselvesFromTextAndNumbers(t *testing.T) {
	type in struct {
		ID     id                      `json:"id"`
		IDs    option[[]*id]           `json:"ids"`
		Amount quantity                `json:"amount"`
		Maybe  option[quantity]        `json:"maybe"`
		At     option[time.Time]       `json:"at"`
		Big    nullable[big.Int]       `json:"big"`
		Addr   option[netip.Addr]      `json:"addr"`
		Lazy   lazy                    `json:"lazy"`
		Raw    option[json.RawMessage] `json:"raw"`
		Whole  ownWhole                `json:"whole"`
		Graph  graph                   `json:"graph"`
		IP     net.IP                  `json:"ip"`
	}
	for _, raw := range []string{
		`{"id":"018f-aa=","ids":["x","deadbeef"]}`,
		`{"amount":99.99999999999999999999,"maybe":99.99999999999999999999}`,
		`{"amount":"99.99999999999999999999","maybe":"1"}`,
		`{"at":"2026-03-02T09:30:00Z","big":123456789012345678901234567890,"addr":"10.0.0.1"}`,
		`{"lazy":{"PATH":[1,9007199254740993]},"raw":{"PATH":[9007199254740993]}}`,
		`{"lazy":["a","b"],"raw":[1,2]}`,
		`{"lazy":"a\nb","raw":"YWJ="}`,
		`{"whole":{"file":{"path":"/tmp/a"},"other":1}}`,
		`{"graph":{"root":9007199254740993,"nodes":["1"]},"ip":"10.0.0.1"}`,
	} {
		require.True(t, lets[in](t, raw), raw)
	}
	require.False(t, lets[in](t, `{"whole":{"file":{"PATH":"/etc/passwd"}}}`))
	require.False(t, lets[in](t, `{"whole":{"other":9007199254740993}}`))
	require.False(t, lets[in](t, `{"graph":{"other":9007199254740993}}`))
}

// tangle may read itself into itself in many ways, and twin has two fields of
// one name.
type (
	tangle struct {
		A, B, C map[string]*tangle
		D       []*tangle
		e       map[string]map[string]*tangle
	}
	twin struct {
		*left
		right
	}
	left  struct{ Kid *twin }
	right struct{ Kid *twin }
)

func (t *tangle) UnmarshalJSON([]byte) error { t.e = nil; return nil }

// However many ways there are to read arguments, each is looked at once.
func TestAttack_B3_ManyWaysToReadDeepArguments(t *testing.T) {
	deep := func(key string, n int) string {
		return strings.Repeat(`{"`+key+`":`, n) + `{}` + strings.Repeat("}", n)
	}
	require.True(t, lets[tangle](t, deep("A", 31)))
	require.False(t, lets[tangle](t, strings.ReplaceAll(deep("A", 30), "{}", `{"a":1}`)))
	require.True(t, lets[twin](t, deep("Kid", 31)))
}

// aimed keeps what it was given, and reads the same into a part of its own.
type aimed struct {
	Target json.RawMessage `json:"target"`
	Amount json.RawMessage `json:"amount"`
	spec   struct {
		Target struct {
			Path string `json:"path"`
		} `json:"target"`
		Amount float64
	}
}

func (a *aimed) UnmarshalJSON(data []byte) error {
	type plain aimed
	if err := json.Unmarshal(data, (*plain)(a)); err != nil {
		return err
	}
	return json.Unmarshal(data, &a.spec)
}

// numbered reads itself into a map of integers.
type numbered struct{ m map[int]string }

func (n *numbered) UnmarshalJSON(data []byte) error { return json.Unmarshal(data, &n.m) }

// A member that a tag names may be read by a part as well; and integers are
// read from several keys.
func TestAttack_B1_PartsOfNamedMembers(t *testing.T) {
	a := load(t, everything, nil)
	named, err := guard.WrapJSON(a, "send", echo[aimed], bot[aimed]())
	require.NoError(t, err)
	keys, err := guard.WrapJSON(a, "send", echo[struct {
		M numbered `json:"m"`
	}], bot[struct {
		M numbered `json:"m"`
	}]())
	require.NoError(t, err)
	run := func(raw string) error {
		var err error
		if strings.HasPrefix(raw, `{"m"`) {
			_, err = keys(t.Context(), json.RawMessage(raw))
		} else {
			_, err = named(t.Context(), json.RawMessage(raw))
		}
		return err
	}
	for _, good := range []string{`{"target":{"path":"/tmp"},"amount":5}`, `{"target":{"more":1}}`, `{"m":{"1":"/tmp","-5":"x"}}`} {
		require.NoError(t, run(good), good)
	}
	for _, bad := range []string{
		`{"target":{"PATH":"/etc/passwd"}}`,
		`{"amount":9.99999999999999999}`,
		`{"amount":9007199254740993}`,
		`{"m":{"1":"/tmp","01":"/etc"}}`,
		`{"m":{"+1":"/etc"}}`,
		`{"m":{"-0":"/etc"}}`,
	} {
		require.Error(t, run(bad), bad)
	}
}
