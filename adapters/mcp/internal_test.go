package vetomcp

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/google/jsonschema-go/jsonschema"
	"github.com/stretchr/testify/require"

	"github.com/useveto/veto-go/guard"
)

const nested = `{"type":"object","required":["need"],"properties":{
	"limit":{"type":"integer","default":10},
	"need":{"type":"string","default":"never"},
	"null":{"default":null},
	"any":true,
	"deep":{"type":"object","properties":{"on":{"type":"boolean","default":true},"off":{"type":"boolean"}}},
	"given":{"type":"object","default":{"a":1},"properties":{"b":{"default":2}}}}}`

// TestFillIsWhatTheSDKDoes: what a schema adds before the decision is what the
// SDK would add after it.
func TestFillIsWhatTheSDKDoes(t *testing.T) {
	var s schema
	require.NoError(t, json.Unmarshal([]byte(nested), &s))
	var theirs jsonschema.Schema
	require.NoError(t, json.Unmarshal([]byte(nested), &theirs))
	resolved, err := theirs.Resolve(nil)
	require.NoError(t, err)
	for _, raw := range []string{
		`{}`, `{"limit":1}`, `{"deep":{}}`, `{"deep":{"on":false}}`, `{"deep":null}`, `{"deep":7}`, `{"given":{}}`, `{"given":{"b":9}}`,
		`{"need":"x","any":[1]}`, ` { "limit" : 1 , "x":{"limit":1}} `, `{"l\u0069mit":3}`,
	} {
		v := map[string]any{}
		require.NoError(t, json.Unmarshal([]byte(raw), &v))
		var want any = v
		require.NoError(t, resolved.ApplyDefaults(&want))
		text, err := json.Marshal(want)
		require.NoError(t, err)
		got := s.fill([]byte(raw))
		require.JSONEq(t, string(text), string(got), raw)
		require.Equal(t, string(got), string(s.fill(got)), "it adds only once")
	}
	require.JSONEq(t, `{"limit":10,"null":null,"deep":{"on":true},"given":{"a":1,"b":2}}`, string(s.fill(nil)))
	require.JSONEq(t, `{"limit":10,"null":null,"deep":{"on":true},"given":{"a":1,"b":2}}`, string(s.fill([]byte("null"))))
}

// TestFillKeepsWhatIsWrong: nothing that a decision would refuse is lost.
func TestFillKeepsWhatIsWrong(t *testing.T) {
	var s schema
	require.NoError(t, json.Unmarshal([]byte(nested), &s))
	for _, raw := range []string{`[]`, `{`, `{}{}`, `{"a":1}x`, `7`, `"x"`, "{\"\xff\":1", `{"a":}`} {
		require.Equal(t, raw, string(s.fill([]byte(raw))))
	}
	require.Equal(t, 2, count(t, s.fill([]byte(`{"a":1,"a":2}`)), "a"))
	require.Contains(t, string(s.fill([]byte("{\"\xff\":1,\"LIMIT\":3}"))), "\"\xff\":1,\"LIMIT\":3,")
	require.Contains(t, string(s.fill([]byte(`{"x":9007199254740993.10}`))), `"x":9007199254740993.10`)
	require.Equal(t, 2, count(t, s.fill([]byte(`{"deep":{"on":true},"deep":{}}`)), "deep"))
}

func count(t *testing.T, raw []byte, key string) (n int) {
	t.Helper()
	all, ok := members(raw)
	require.True(t, ok, "%s", raw)
	for _, m := range all {
		if m.key == key {
			n++
		}
	}
	return n
}

func TestMembers(t *testing.T) {
	all, ok := members([]byte(" {\n\"a\" : [1, 2] , \"\\u0062\":{\"c\":null}\t,\"a\":\"x\"} "))
	require.True(t, ok)
	var said []string
	for _, m := range all {
		said = append(said, m.key, string(m.text), string(m.value))
	}
	require.Equal(t, []string{"a", `"a"`, "[1, 2]", "b", `"\u0062"`, `{"c":null}`, "a", `"a"`, `"x"`}, said)
	for _, bad := range []string{``, `null`, `[]`, `{"a"}`, `{"a":1,}`, `{} {}`, `{}]`, `{"a":1`, `{1:2}`} {
		_, ok := members([]byte(bad))
		require.False(t, ok, bad)
	}
}

func TestEqualNumbers(t *testing.T) {
	for _, p := range [][2]string{{"100", "1e2"}, {"100", "100.00"}, {"0.1", "1E-1"}, {"-0", "0.0"}, {"1.50", "15e-1"}, {"0.001", "1e-3"}} {
		require.True(t, equal(p[0], p[1]), "%q", p)
	}
	for _, p := range [][2]string{{"1", "10"}, {"1", "-1"}, {"9007199254740993", "9007199254740992"}, {"1e400", "2e400"}, {"1e99999999999999999999", "1"}} {
		require.False(t, equal(p[0], p[1]), "%q", p)
	}
	for raw, want := range map[string]bool{
		`{"a":[1,0.1,1e2,-0,9007199254740992]}`: false,
		`{"a":{"b":9007199254740993}}`:          true,
		`[99.99999999999999999999]`:             true,
		`[1e400]`:                               true,
		`[1e-999999999]`:                        true,
		`{"n":"9007199254740993"}`:              false,
	} {
		require.Equal(t, want, lossy([]byte(raw)), raw)
	}
}

func TestState(t *testing.T) {
	g, err := New(nil, nil)
	require.NoError(t, err)
	who, what := guard.Identity{Agent: "bot", Project: "p", Session: "s", User: "u"}, target{tool: "remove", params: []byte(`{"a":1,"b":[2]}`)}
	signed := g.sign([]string{"apr_1", "apr_2"}, who, what)
	require.Equal(t, []string{"apr_1", "apr_2"}, g.verify(signed, who, what))
	what.params = []byte(`{ "b":[2], "a":1 }`)
	require.NotNil(t, g.verify(signed, who, what), "a client may write the same arguments otherwise")

	// Whatever is changed, it is good for nothing.
	for _, other := range []guard.Identity{
		{Agent: "bo", Project: "tp", Session: "s", User: "u"}, {Project: "p", Session: "s", User: "u"},
		{Agent: "bot", Session: "s", User: "u"}, {Agent: "bot", Project: "p", User: "u"}, {Agent: "bot", Project: "p", Session: "s"},
	} {
		require.Nil(t, g.verify(signed, other, what))
	}
	require.Nil(t, g.verify(signed, who, target{tool: "send", params: what.params}))
	require.Nil(t, g.verify(signed, who, target{tool: "remove", params: []byte(`{"a":1,"b":[3]}`)}))
	for i := range signed {
		changed := []byte(signed)
		changed[i] ^= 1
		require.Nil(t, g.verify(string(changed), who, what), "%s", changed)
	}
	for n := range signed {
		require.Nil(t, g.verify(signed[:n], who, what))
	}
	require.Nil(t, g.verify(signed+",apr_3", who, what))
	other, err := New(nil, nil)
	require.NoError(t, err)
	require.Nil(t, other.verify(signed, who, what), "the key of another server")
	require.Nil(t, nobody.verify(nobody.sign([]string{"apr_1"}, who, what), who, what), "no key")
}

func TestStateKey(t *testing.T) {
	key := make([]byte, MinStateKeyBytes)
	a, err := New(nil, &Options{StateKey: key})
	require.NoError(t, err)
	b, err := New(nil, &Options{StateKey: make([]byte, MinStateKeyBytes)})
	require.NoError(t, err)
	key[0]++ // it is copied
	what := target{tool: "t"}
	require.NotNil(t, b.verify(a.sign([]string{"x"}, guard.Identity{}, what), guard.Identity{}, what))
	_, err = New(nil, &Options{StateKey: key[1:]})
	require.ErrorContains(t, err, "at least 32")
}

// odd is written otherwise than it is read, so what was read cannot be told
// from what it writes.
type odd float64

func (odd) MarshalText() ([]byte, error) { return []byte("odd"), nil }

func TestDecode(t *testing.T) {
	type in struct {
		N    int64
		Odd  odd
		Any  any
		List []float32
		Wait time.Duration
	}
	for _, good := range []string{``, `null`, `{"N":1e1}`, `{"N":9007199254740993}`, `{"N":10.0,"Odd":1.5}`, `{"Any":[1,{"a":0.1}],"List":[0.5]}`, `{"n":"none of ours"}`, `{"Wait":5}`} {
		var v in
		require.NoError(t, decodes(t, good, &v), good)
	}
	for _, bad := range []string{
		`{"N":1.5}`, `{"N":"1"}`, `{"N":1e1,"Odd":99.99999999999999999999}`, `{"Any":9007199254740993}`, `{"Any":{"a":[99.99999999999999999999]}}`, `{"List":[16777217]}`, `[]`, `{"Wait":"1000h"}`,
	} {
		var v in
		require.Error(t, decodes(t, bad, &v), bad)
	}
	var v in
	require.NoError(t, decodes(t, `{"N":1e1,"n":7}`, &v))
	require.EqualValues(t, 10, v.N)
}

// What a model wrote around a call is shown as it is.
func TestThroughShowsAll(t *testing.T) {
	g := &Guard{opts: Options{Dispatchers: map[string]Dispatcher{"run": {Tool: "tool", Arguments: "args", Undecided: []string{"note"}}}}}
	around := g.target("run", json.RawMessage("{\"tool\":\"pay\",\"args\":{},\"note\":\"x\u202e\u200b\U000e0041\"}")).around
	require.Contains(t, around, `x\u202e\u200b\udb40\udc41`)
}

func decodes[In any](t *testing.T, raw string, in *In) error {
	t.Helper()
	s, err := formOf[In]()
	require.NoError(t, err)
	return decode(s, []byte(raw), in)
}
