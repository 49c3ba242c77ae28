package guard_test

import (
	"context"
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/useveto/veto-go"
	"github.com/useveto/veto-go/audit"
	"github.com/useveto/veto-go/guard"
	"github.com/useveto/veto-go/rules"
)

// within lets bot read below /tmp. Absence is permitted, wherever a path can
// be: so that a path under another key is not looked at.
const within = `
policies:
  - id: p
    agentId: bot
    rules:
      - {type: tool_allowlist, tools: [read]}
      - type: parameter_constraint
        tools: ["re*"]
        parameters:
          path: {within: [/tmp], optional: true}
          /file/path: {within: [/tmp], optional: true}
          /files/*/path: {within: [/tmp], optional: true}
          /by/*/path: {within: [/tmp], optional: true}
          /by/*/file/path: {within: [/tmp], optional: true}
          /kids/*/kids/*/path: {within: [/tmp], optional: true}
`

type file struct {
	Path string `json:"path"`
}

// request has a path in every place where a struct can have one.
type request struct {
	file
	File  *file           `json:"file,omitempty"`
	Files []file          `json:"files,omitempty"`
	By    map[string]file `json:"by,omitempty"`
}

// aliased reads itself as most types do that have a method for it.
type aliased struct {
	Path string `json:"path"`
}

func (a *aliased) UnmarshalJSON(data []byte) error {
	type plain aliased
	return json.Unmarshal(data, (*plain)(a))
}

// aliasedUntagged is of them, and leaves the names to its fields.
type aliasedUntagged struct{ Path string }

func (a *aliasedUntagged) UnmarshalJSON(data []byte) error {
	type plain aliasedUntagged
	return json.Unmarshal(data, (*plain)(a))
}

// aliasedList is a list of files, or one.
type aliasedList []file

func (l *aliasedList) UnmarshalJSON(data []byte) error {
	type plain aliasedList
	return json.Unmarshal(data, (*plain)(l))
}

// These say how they are written, as to a log, and nothing of how they are
// read.
type (
	logged     struct{ Path string }
	loggedText struct{ Path string }
	loggedRate struct{ Rate float64 }
	loggedSum  float64
)

func (logged) MarshalJSON() ([]byte, error)      { return []byte(`{"Path":"(a path)"}`), nil }
func (*loggedText) MarshalText() ([]byte, error) { return []byte("(a path)"), nil }
func (*loggedRate) MarshalJSON() ([]byte, error) { return []byte("{}"), nil }
func (loggedSum) MarshalText() ([]byte, error)   { return []byte("(a sum)"), nil }

// The path in outer is that of outer, not that of what it embeds.
type outer struct {
	inner
	File file `json:"file"`
}

type reverse struct {
	File file `json:"file"`
	inner
}

type inner struct {
	File struct{ Other string } `json:"file"`
	path string
}

// kids hold themselves, through a map and a pointer.
type kids map[string]*kid

type kid struct {
	Kids *kids  `json:"kids,omitempty"`
	Path string `json:"path"`
}

// A name with a backslash is none to encoding/json, which takes the field's.
type badTag struct {
	//lint:ignore SA5008 it is what is under test
	Path string `json:"pa\\th"`
}

// underTag: an embedded struct with a name is a field of that name.
type underTag struct {
	file `json:"file"`
}

// lets reports whether raw JSON reaches a tool that takes In, and checks that
// what reaches it names no path but those in plain sight of the policy.
func lets[In any](t *testing.T, raw string) bool {
	t.Helper()
	records := audit.NewMemory(nil)
	a := load(t, within, &veto.Options{Sink: records})
	ran := false
	tool, err := guard.WrapJSON(a, "read", func(_ context.Context, in In) (int, error) {
		ran = true
		text, err := json.Marshal(in)
		require.NoError(t, err)
		require.NotContains(t, string(text), "/etc/passwd", raw)
		return 0, nil
	}, bot[int]())
	require.NoError(t, err)
	_, err = tool(t.Context(), json.RawMessage(raw))
	require.Equal(t, ran, err == nil)
	require.Equal(t, ran, last(t, records).Result == veto.Allowed, "the record says what happened")
	if !ran {
		require.ErrorIs(t, err, veto.ErrDenied)
	}
	return ran
}

// B1: encoding/json fills a field from a key that differs in case, and the
// last one wins. https://nvd.nist.gov/vuln/detail/CVE-2026-27896
func TestAttack_B1_CaseOfKeys(t *testing.T) {
	require.True(t, lets[request](t, `{"path":"/tmp/a"}`))
	require.True(t, lets[request](t, `{"path":"/tmp/a","other":1,"file":{"path":"/tmp/b","x":{"PATH":1}},"files":[{"path":"/tmp/c"}],"by":{"PATH":{"path":"/tmp/d"}}}`))
	for _, raw := range []string{
		`{"path":"/tmp/a","PATH":"/etc/passwd"}`,
		`{"PATH":"/etc/passwd","path":"/tmp/a"}`,
		`{"PATH":"/etc/passwd"}`,
		`{"path":"/tmp/a","\u0050ath":"/etc/passwd"}`,
		`{"pat\u0068":"/tmp/a","Path":"/etc/passwd"}`,
		`{"file":{"Path":"/etc/passwd"}}`,
		`{"File":{"path":"/etc/passwd"}}`,
		`{"file":{"path":"/tmp/a"},"FILE":{"path":"/etc/passwd"}}`,
		`{"files":[{"path":"/tmp/a"},{"pAth":"/etc/passwd"}]}`,
		`{"FILES":[{"path":"/etc/passwd"}]}`,
		`{"by":{"k":{"PatH":"/etc/passwd"}}}`,
		`{"By":{"k":{"path":"/etc/passwd"}}}`,
	} {
		require.False(t, lets[request](t, raw), raw)
		require.False(t, lets[*request](t, raw), raw)
	}
	require.True(t, lets[map[string]file](t, `{"FILE":{"path":"/tmp/a"},"b":{"path":"/etc/hosts"}}`), "keys of a map are no fields")
	require.False(t, lets[map[string]file](t, `{"file":{"path":"/tmp/a","PATH":"/etc/passwd"}}`))
	require.False(t, lets[map[string]file](t, `{"file":{"PATH":"/etc/passwd"}}`))

	require.True(t, lets[aliased](t, `{"path":"/tmp/a"}`))
	require.False(t, lets[aliased](t, `{"PATH":"/etc/passwd"}`))
	require.False(t, lets[struct{ Files []aliased }](t, `{"Files":[{"PATH":"/etc/passwd"}]}`))

	require.True(t, lets[aliasedUntagged](t, `{"Path":"/tmp/a"}`))
	require.False(t, lets[aliasedUntagged](t, `{"path":"/etc/passwd"}`))
	require.False(t, lets[struct{ By map[string]*aliasedUntagged }](t, `{"By":{"k":{"PATH":"/etc/passwd"}}}`))
	require.True(t, lets[struct{ Files aliasedList }](t, `{"Files":[{"path":"/tmp/a"}]}`))
	require.False(t, lets[struct{ Files aliasedList }](t, `{"Files":[{"PATH":"/etc/passwd"}]}`))

	// How a type is written says nothing of how it is read.
	require.True(t, lets[logged](t, `{"Path":"/tmp/a"}`))
	require.False(t, lets[logged](t, `{"path":"/etc/passwd"}`))
	require.False(t, lets[loggedText](t, `{"path":"/etc/passwd"}`))
	require.False(t, lets[struct{ In loggedText }](t, `{"In":{"path":"/etc/passwd"}}`))
	require.False(t, lets[struct{ In []map[string]*logged }](t, `{"In":[{"k":{"PATH":"/etc/passwd"}}]}`))
	require.True(t, lets[loggedRate](t, `{"Rate":0.1}`))
	require.False(t, lets[loggedRate](t, `{"Rate":99.99999999999999999999}`))
	require.True(t, lets[struct{ Sum loggedSum }](t, `{"Sum":0.1}`))
	require.False(t, lets[struct{ Sum loggedSum }](t, `{"Sum":99.99999999999999999999}`))
	require.False(t, lets[struct{ In [1]loggedRate }](t, `{"In":[{"Rate":99.99999999999999999999}]}`))

	require.True(t, lets[outer](t, `{"file":{"path":"/tmp/a"}}`))
	require.False(t, lets[outer](t, `{"file":{"PATH":"/etc/passwd"}}`))
	require.False(t, lets[reverse](t, `{"file":{"PATH":"/etc/passwd"}}`))
	require.Empty(t, outer{}.path)

	require.True(t, lets[kids](t, `{"kids":{"kids":{"a":{"path":"/tmp/a"}}}}`))
	require.False(t, lets[kids](t, `{"kids":{"kids":{"a":{"PATH":"/etc/passwd"}}}}`))
	require.False(t, lets[kid](t, `{"kids":{"a":{"kids":{"b":{"PATH":"/etc/passwd"}}}}}`))

	require.False(t, lets[badTag](t, `{"path":"/etc/passwd"}`))
	require.False(t, lets[badTag](t, `{"PATH":"/etc/passwd"}`))
	require.True(t, lets[badTag](t, `{"Path":"/tmp/a"}`))
	require.True(t, lets[underTag](t, `{"file":{"path":"/tmp/a"}}`))
	require.False(t, lets[underTag](t, `{"FILE":{"path":"/etc/passwd"}}`))
	require.False(t, lets[underTag](t, `{"file":{"PATH":"/etc/passwd"}}`))

	// Wrap has a struct that somebody else decoded: it decides on that.
	var decoded request
	require.NoError(t, json.Unmarshal([]byte(`{"path":"/tmp/a","PATH":"/etc/passwd"}`), &decoded))
	tool := wrap(t, load(t, within, nil), "read", echo[request], bot[request]())
	_, err := tool(t.Context(), decoded)
	require.Equal(t, rules.CodeConstraintViolated, code(t, err))
	// And raw JSON is refused where two keys could be one to the tool.
	raw := wrap(t, load(t, within, nil), "read", echo[string], bot[string]())
	_, err = raw(t.Context(), `{"path":"/tmp/a","PATH":"/etc/passwd"}`)
	require.Equal(t, rules.CodeInvalidRequest, code(t, err))
}

// B2: what folds onto ASCII is a key that encoding/json takes for another.
func TestAttack_B2_DuplicateAndFoldedKeys(t *testing.T) {
	type kinds struct {
		Kind  string `json:"kind"`
		Paths string `json:"paths"`
		Path  string `json:"path"`
	}
	require.True(t, lets[kinds](t, `{"kind":"/tmp/x","paths":"a"}`))
	for _, raw := range []string{
		"{\"\u212aind\":\"/etc/passwd\"}", // Kelvin sign
		`{"\u212aind":"/etc/passwd"}`,
		"{\"path\u017f\":\"/etc/passwd\"}", // long s
		`{"kind":"/tmp/a","\u212aIND":"/etc/passwd"}`,
		`{"path":"/tmp/a","path":"/etc/passwd"}`,
		`{"path":"/etc/passwd","path":"/tmp/a"}`,
		`{"path":"/tmp/a","p\u0061th":"/etc/passwd"}`,
		`{"a":{"b":1,"b":"/etc/passwd"}}`,
	} {
		require.False(t, lets[kinds](t, raw), raw)
		require.False(t, lets[map[string]any](t, `{"a":1,`+raw[1:len(raw)-1]+`,`+raw[1:]), raw)
	}
}

// B3: what two readers of JSON could read differently is refused before the
// tool's reader sees it.
func TestAttack_B3_TextOfJSON(t *testing.T) {
	for _, raw := range []string{
		`{"path":"/tmp/a"} {"path":"/etc/passwd"}`,
		`{"path":"/tmp/a"}x`,
		"{\"path\":\"/tmp/\xff\"}",
		`{"path":"/tmp/\ud800"}`,
		`{"path":"/tmp/\udc00\ud800"}`,
		"{\"path\":\"/tmp/a\x00\"}",
		`{"path":"/tmp/a\u0000"}`,
		`{"x":` + strings.Repeat("[", 40) + strings.Repeat("]", 40) + `}`,
		`{"x":` + strings.Repeat("[", 1e6) + strings.Repeat("]", 1e6) + `}`,
		`{"x":"` + strings.Repeat("a", 64<<10) + `"}`,
		`{"x":1e400}`, `{"x":01}`, `{"x":.5}`, `{"x":NaN}`, `{"x":-}`, `{x:1}`, `{"x":1,}`, `{'x':1}`, "\ufeff{}", `{"x":1 /* */}`,
		`[]`, `7`, `"{}"`, `true`, ` `,
		`{"path":7}`, `{"path":["/tmp/a"]}`, `{"path":{}}`,
	} {
		require.False(t, lets[request](t, raw), "%.40q", raw)
		require.False(t, lets[file](t, raw), "%.40q", raw)
	}
	for _, raw := range []string{``, `null`, ` { } `, `{"x":"\ud83d\ude00"}`, `{"x":1.50e2}`} {
		require.True(t, lets[request](t, raw), raw)
	}
}
