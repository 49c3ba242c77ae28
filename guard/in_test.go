package guard_test

import (
	"encoding/json"
	"math"
	"math/big"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/useveto/veto-go"
	"github.com/useveto/veto-go/audit"
	"github.com/useveto/veto-go/guard"
	"github.com/useveto/veto-go/rules"
)

// passes checks that arguments reach the tool as they are, decided on as want.
func passes[In any](t *testing.T, in In, want string) {
	t.Helper()
	records := audit.NewMemory(nil)
	tool := wrap(t, load(t, everything, &veto.Options{Sink: records}), "t", echo[In], bot[In]())
	out, err := tool(t.Context(), in)
	require.NoError(t, err)
	require.Equal(t, in, out)
	require.JSONEq(t, want, last(t, records).Parameters.String())
}

type flat struct {
	Path   string `json:"path"`
	N      int    `json:"n,omitempty"`
	Ok     bool
	When   time.Time `json:"when,omitzero"`
	Corner [2]float64
	//lint:ignore SA5008 this is how a field is named "-"
	Dash string `json:"-,"`
	_    struct{}
}

type leaf struct {
	Name string `json:"name"`
}

type deep struct {
	leaf
	*Extra
	To    []leaf          `json:"to"`
	By    map[string]leaf `json:"by"`
	P     *leaf           `json:"p"`
	Any   any             `json:"any"`
	Raw   json.RawMessage `json:"raw"`
	Bytes []byte          `json:"bytes"`
	N     json.Number     `json:"n"`
	Big   *big.Int        `json:"big"`
	Until *time.Time      `json:"until"`
	Next  *deep           `json:"next,omitempty"`
}

type Extra struct{ Note string }

// money has methods of its own, and reads what it writes.
type money struct{ cents int64 }

func (m money) MarshalJSON() ([]byte, error) {
	return json.Marshal(map[string]int64{"cents": m.cents})
}

func (m *money) UnmarshalJSON(data []byte) error {
	var v map[string]int64
	err := json.Unmarshal(data, &v)
	m.cents = v["cents"]
	return err
}

// tally has methods that only a pointer to it has.
type tally struct{ n int }

func (c *tally) MarshalJSON() ([]byte, error) { return json.Marshal(map[string]int{"n": c.n}) }

func (c *tally) UnmarshalJSON(data []byte) error {
	var v map[string]int
	err := json.Unmarshal(data, &v)
	c.n = v["n"]
	return err
}

var fffd = "\ufffd"

type (
	named  map[string]any
	strMap map[string]string
	color  string
)

func TestEveryKindOfArgumentsReachesTheTool(t *testing.T) {
	until := time.Date(2026, 3, 2, 9, 30, 0, 0, time.UTC)
	passes(t, flat{Path: "/a", Ok: true, Corner: [2]float64{1, 2.5}, Dash: "-"},
		`{"path":"/a","Ok":true,"Corner":[1,2.5],"-":"-"}`)
	passes(t, flat{When: until, N: 3}, `{"path":"","n":3,"Ok":false,"when":"2026-03-02T09:30:00Z","Corner":[0,0],"-":""}`)
	tree := deep{
		leaf: leaf{"ann"}, Extra: &Extra{"x"}, To: []leaf{{"a"}, {"b"}}, By: map[string]leaf{"k": {"c"}}, P: &leaf{"p"},
		Any: map[string]any{"l": []any{"s", 1.5, nil, true}}, Raw: json.RawMessage(`{"r":[1]}`), Bytes: []byte("hi"),
		N: "12345678901234567890123", Big: big.NewInt(7), Until: &until, Next: &deep{N: "1", Raw: json.RawMessage("null")},
	}
	text, err := json.Marshal(tree)
	require.NoError(t, err)
	passes(t, tree, string(text))
	passes(t, &tree, string(text))
	passes(t, &leaf{"x"}, `{"name":"x"}`)
	passes(t, (*leaf)(nil), `{}`)
	passes(t, struct{}{}, `{}`)
	passes(t, money{250}, `{"cents":250}`)
	passes(t, &money{250}, `{"cents":250}`)

	// Methods of pointers are methods of what the arguments hold.
	passes(t, tally{7}, `{"n":7}`)
	passes(t, struct{ T tally }{tally{7}}, `{"T":{"n":7}}`)
	passes(t, struct{ Big big.Int }{*big.NewInt(7)}, `{"Big":7}`)
	passes(t, &struct{ In [1]tally }{[1]tally{{7}}}, `{"In":[{"n":7}]}`)

	// U+FFFD is a character as others are.
	passes(t, flat{Path: "a\ufffd"}, `{"path":"a\ufffd","Ok":false,"Corner":[0,0],"-":""}`)
	passes(t, map[string]any{"a\ufffd": "\ufffd"}, `{"a\ufffd":"\ufffd"}`)
	passes(t, struct{ Any any }{map[string]any{"a": []any{"\ufffd"}}}, `{"Any":{"a":["\ufffd"]}}`)
	passes(t, struct {
		Any  any
		Text [1]map[string]*string
	}{Text: [1]map[string]*string{{"\ufffd": &fffd}}}, `{"Any":null,"Text":[{"\ufffd":"\ufffd"}]}`)

	passes(t, map[string]any{"s": "x", "n": json.Number("9007199254740993"), "i": 1 << 60, "u": uint8(3), "f": 0.1, "l": []any{nil, map[string]any{}}, "t": []string{"a"}, "e": []string{}},
		`{"s":"x","n":9007199254740993,"i":1152921504606846976,"u":3,"f":0.1,"l":[null,{}],"t":["a"],"e":[]}`)
	passes(t, named{"n": int64(9007199254740993), "l": []string(nil)}, `{"n":9007199254740993,"l":null}`)
	passes(t, map[string]any(nil), `{}`)
	passes(t, named(nil), `{}`)
	passes(t, map[string]string{"a": "b"}, `{"a":"b"}`)
	passes(t, strMap{"a": "b"}, `{"a":"b"}`)
	passes(t, map[color][]int{"red": {1, 2}}, `{"red":[1,2]}`)
	passes(t, map[string]leaf(nil), `{}`)

	const raw = ` {"b": 1.0, "a": "é"} `
	passes(t, raw, `{"a":"é","b":1.0}`)
	passes(t, []byte(raw), `{"a":"é","b":1.0}`)
	passes(t, json.RawMessage(raw), `{"a":"é","b":1.0}`)
	passes(t, "", `{}`)
	passes(t, "null", `{}`)
	passes(t, []byte(nil), `{}`)
	passes(t, json.RawMessage(nil), `{}`)
}

// What a map holds that encoding/json does not decode into is copied by way of
// its JSON.
func TestOtherValuesOfMapsBecomeJSON(t *testing.T) {
	tool := wrap(t, load(t, everything, nil), "t", echo[map[string]any], bot[map[string]any]())
	out, err := tool(t.Context(), map[string]any{"p": &leaf{"x"}, "n": []int{1 << 60}, "c": color("red")})
	require.NoError(t, err)
	require.Equal(t, map[string]any{"p": map[string]any{"name": "x"}, "n": []any{json.Number("1152921504606846976")}, "c": "red"}, out)
}

// sly reads itself otherwise than it writes itself.
type sly struct {
	Path string `json:"path"`
}

func (s *sly) UnmarshalJSON([]byte) error { s.Path = "/etc/passwd"; return nil }

// What would not be the same to the tool as to the policies is refused, never
// passed on as nearly the same.
func TestArgumentsThatCannotBeTheSameAreRefused(t *testing.T) {
	refuses(t, struct{ Any any }{int64(9007199254740993)})
	refuses(t, struct{ Any any }{json.Number("0.10000000000000000000001")})
	refuses(t, map[string]any{"a": map[string]any{"b": make(chan int)}})
	refuses(t, map[string]any{"a": func() {}})
	refuses(t, struct{ F float64 }{inf()})
	refuses(t, sly{"/tmp/a"})
	refuses(t, &struct{ S sly }{sly{"/tmp/a"}})
	refuses(t, &deep{N: "no number"})

	// Text that is not valid UTF-8, which encoding/json would mend.
	refuses(t, flat{Path: "a\xffb"})
	refuses(t, flat{Path: `\` + "\xff"})
	refuses(t, &deep{leaf: leaf{"a\xff"}, N: "1"})
	refuses(t, map[string]string{"a\xff": "b"})
	refuses(t, map[string]any{"a": "\xff"})
	refuses(t, map[string]any{"a": []leaf{{"\xff"}}})
	refuses(t, "{\"a\":\"\xff\"}")
	refuses(t, &deep{Any: map[string]any{"\ufffd": []any{"\xff"}}, N: "1"})
	refuses(t, &deep{By: map[string]leaf{"\xff": {}}, N: "1"})

	around := map[string]any{}
	around["a"] = around
	refuses(t, around)
	node := &deep{N: "1"}
	node.Next = node
	refuses(t, node)
	refuses(t, map[string]any{"path": "/a", "PATH": "/b"})
	refuses(t, `{"a":1} {}`)
	refuses(t, `[]`)
	refuses(t, `{"a":"`+strings.Repeat("x", 64<<10)+`"}`)
}

// nought says that it is zero where it is not, and is not where it is.
type nought struct{ N int }

func (n nought) IsZero() bool { return n.N == 7 }

// What a type says is zero is not in the JSON: it does not reach the tool, or
// the call is refused. So with what is empty and not nil, and with -0.
func TestWhatIsLeftOutDoesNotReachTheTool(t *testing.T) {
	type evens struct {
		L level `json:"l,omitzero"`
		N int   `json:"n"`
	}
	a := load(t, everything, nil)
	tool := wrap(t, a, "t", echo[evens], bot[evens]())
	out, err := tool(t.Context(), evens{level{3}, 1})
	require.NoError(t, err)
	require.Equal(t, evens{level{3}, 1}, out)
	out, err = tool(t.Context(), evens{level{2}, 1})
	require.NoError(t, err)
	require.Equal(t, evens{N: 1}, out, "it was decided on as absent")
	refuses(t, struct {
		N nought `json:"n,omitzero"`
	}{nought{7}})

	when := time.Time{}.In(time.FixedZone("", 3600))
	type gone struct {
		T time.Time      `json:"t,omitzero"`
		L []int          `json:"l,omitempty"`
		M map[string]int `json:"m,omitempty"`
		F float64        `json:"f,omitempty"`
	}
	all, err := wrap(t, a, "t", echo[gone], bot[gone]())(t.Context(), gone{when, make([]int, 0, 5), map[string]int{}, math.Copysign(0, -1)})
	require.NoError(t, err)
	require.Nil(t, all.L)
	require.Nil(t, all.M)
	require.False(t, math.Signbit(all.F))
	require.Equal(t, time.Time{}, all.T)
	// JSON cannot say a zone to the second: to the tool it would be another
	// moment.
	refuses(t, struct{ At *time.Time }{&[]time.Time{time.Date(2026, 3, 2, 9, 30, 0, 0, time.FixedZone("", 3599))}[0]})
	// Nor does a reading of the clock.
	now := time.Now()
	at, err := wrap(t, a, "t", echo[struct{ At time.Time }], bot[struct{ At time.Time }]())(t.Context(), struct{ At time.Time }{now})
	require.NoError(t, err)
	require.True(t, now.Equal(at.At))
	require.NotContains(t, at.At.String(), "m=")
}

// refuses checks that a call is denied as invalid, and recorded.
func refuses[In any](t *testing.T, in In) {
	t.Helper()
	records := audit.NewMemory(nil)
	tool := wrap(t, load(t, everything, &veto.Options{Sink: records}), "t", echo[In], bot[In]())
	out, err := tool(t.Context(), in)
	var none In
	require.Equal(t, none, out)
	require.ErrorIs(t, err, veto.ErrDenied)
	require.Equal(t, rules.CodeInvalidRequest, code(t, err), "%v", blocked(t, err).Err)
	require.Equal(t, rules.CodeInvalidRequest, last(t, records).Code)
	require.Equal(t, "bot", last(t, records).AgentID)
	require.Equal(t, "This call is not valid as it stands.", err.Error())
}

func inf() float64 {
	f := 1e308
	return f * 10
}

// The wrapped function is of the type of the tool.
func TestAWrappedToolFitsWhereTheToolDid(t *testing.T) {
	tool := echo[flat]
	var err error
	tool, err = guard.Wrap(load(t, everything, nil), "t", tool, bot[flat]())
	require.NoError(t, err)
	out, err := tool(t.Context(), flat{Path: "/a"})
	require.NoError(t, err)
	require.Equal(t, flat{Path: "/a"}, out)
}
