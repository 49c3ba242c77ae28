package value

import (
	"encoding/json"
	"fmt"
	"math"
	"strings"
	"testing"
	"unicode"

	"github.com/stretchr/testify/require"
)

// requireRefused puts a JSON object in by every way in, at the top, deep down
// and among so many members that a table holds them: it is refused for want.
func requireRefused(t *testing.T, want Problem, object string) {
	t.Helper()
	var filler strings.Builder
	for i := range 2 * smallObject {
		fmt.Fprintf(&filler, `"filler %d":%d,`, i, i)
	}
	for _, doc := range []string{
		object,
		`{"steps":[1,{"with":` + object + `}]}`,
		"{" + filler.String() + strings.TrimPrefix(object, "{"),
	} {
		var tree Tree
		p, _ := tree.SetJSON([]byte(doc), DefaultLimits)
		require.Equal(t, want, p, doc)
		for _, v := range []any{doc, []byte(doc), json.RawMessage(doc), map[string]any{"in": json.RawMessage(doc)}} {
			require.Equal(t, want, tree.SetGo(v, DefaultLimits), "%T %s", v, doc)
			require.True(t, tree.Empty())
		}
	}
}

// A key that differs in case only: a policy looks at "path", and encoding/json
// fills the struct of the tool with the other (CVE-2026-27896,
// https://github.com/advisories/GHSA-4gph-2hhr-5mwg).
func TestAttack_B1_KeyInOtherCase(t *testing.T) {
	const call = `{"path":"/tmp/a","PATH":"/etc/passwd"}`
	var tool struct {
		Path string `json:"path"`
	}
	require.NoError(t, json.Unmarshal([]byte(call), &tool))
	require.Equal(t, "/etc/passwd", tool.Path, "what it is about")

	requireRefused(t, FoldedKey, call)
	requireRefused(t, FoldedKey, `{"PATH":"/etc/passwd","path":"/tmp/a"}`)
	requireRefused(t, FoldedKey, `{"path":"/tmp/a","\u0050ath":"/etc/passwd"}`)
	requireRefused(t, FoldedKey, `{"path":"/tmp/a","path ":1,"pat":2,"pATh":"/etc/passwd"}`)

	var tree Tree
	for _, v := range []any{
		map[string]any{"path": "/tmp/a", "PATH": "/etc/passwd"},
		map[string]string{"path": "/tmp/a", "PATH": "/etc/passwd"},
		map[string]any{"a": []any{map[string]any{"path": 1, "Path": 2}}},
		struct {
			A string `json:"path"`
			B string `json:"PATH"`
		}{"/tmp/a", "/etc/passwd"},
	} {
		require.Equal(t, FoldedKey, tree.SetGo(v, DefaultLimits), "%v", v)
	}

	// Alone it is another key, which the policy does not take for "path".
	p, _ := tree.SetJSON([]byte(`{"PATH":"/etc/passwd"}`), DefaultLimits)
	require.Equal(t, OK, p)
	require.Equal(t, None, tree.Member(Root, "path"))
}

// A key that comes twice is the first to one parser and the last to another;
// and the Kelvin sign and the long s fold onto ASCII, which lowering the case
// of both keys does not always show.
func TestAttack_B2_KeysThatAreTheSame(t *testing.T) {
	requireRefused(t, DuplicateKey, `{"path":"/tmp/a","path":"/etc/passwd"}`)
	requireRefused(t, DuplicateKey, `{"path":"/tmp/a","path":"/tmp/a"}`)
	requireRefused(t, DuplicateKey, `{"path":"/tmp/a","p\u0061th":"/etc/passwd"}`)
	requireRefused(t, DuplicateKey, `{"":1,"":2}`)
	requireRefused(t, DuplicateKey, `{"a\u0000b":1,"a\u0000b":2}`)

	require.NotEqual(t, strings.ToLower("pass"), strings.ToLower("pa\u017Fs"), "what it is about")
	var tool struct{ Pass int }
	require.NoError(t, json.Unmarshal([]byte(`{"pass":1,"pa\u017fs":2}`), &tool))
	require.Equal(t, 2, tool.Pass, "what it is about")
	requireRefused(t, FoldedKey, `{"pass":1,"pa\u017fs":2}`)
	requireRefused(t, FoldedKey, `{"kind":1,"\u212aind":2}`)
	requireRefused(t, FoldedKey, "{\"kind\":1,\"\u212Aind\":2}")
	requireRefused(t, FoldedKey, `{"\u212aind":1,"Kind":2}`)

	// What looks alike but does not fold is for the policies.
	for _, doc := range []string{`{"path":1,"p\u0430th":2}`, `{"é":1,"e\u0301":2}`, `{"ß":1,"ss":2}`, `{"ı":1,"i":2}`, `{"a":1,"a\u0000":2,"a\u200b":3}`} {
		var tree Tree
		p, _ := tree.SetJSON([]byte(doc), DefaultLimits)
		require.Equal(t, OK, p, doc)
	}
}

// TestAttack_B2_EveryFolding takes every pair of characters of Unicode that
// fold together.
func TestAttack_B2_EveryFolding(t *testing.T) {
	pairs := 0
	var tree Tree
	for c := rune(0); c <= unicode.MaxRune; c++ {
		for other := unicode.SimpleFold(c); other != c; other = unicode.SimpleFold(other) {
			pairs++
			a, b := "x"+string(c), "x"+string(other)
			p, _ := tree.SetJSON(fmt.Appendf(nil, `{%q:1,%q:2}`, a, b), DefaultLimits)
			require.Equal(t, FoldedKey, p, "%U %U", c, other)
			p, _ = tree.SetJSON(fmt.Appendf(nil, `{%q:1,"1":1,"2":2,"3":3,"4":4,"5":5,"6":6,"7":7,%q:2}`, a, b), DefaultLimits)
			require.Equal(t, FoldedKey, p, "%U %U", c, other)
		}
	}
	require.Greater(t, pairs, 2000)
}

// Text of which two parsers make two things is refused, and what is accepted
// is kept as it was written.
func TestAttack_B3_TextThatIsReadInTwoWays(t *testing.T) {
	deep := func(n int) string { return strings.Repeat(`{"a":`, n-1) + "{}" + strings.Repeat("}", n-1) }
	large := func(n int) string { return `{"a":"` + strings.Repeat("x", n-len(`{"a":""}`)) + `"}` }
	digits := func(n int) string { return `{"n":0.` + strings.Repeat("7", n-1) + `}` }
	for name, c := range map[string]struct {
		doc  string
		want Problem
	}{
		"second document":            {`{"a":1}{"a":2}`, TrailingData},
		"second document, next line": {"{\"a\":1}\n{\"a\":2}", TrailingData},
		"comma behind":               {`{"a":1},`, TrailingData},
		"NUL behind":                 {"{}\x00", TrailingData},
		"comment behind":             {`{}//`, TrailingData},
		"byte order mark":            {"\ufeff{}", NotJSON},
		"comment":                    {`{/**/}`, NotJSON},
		"comma at the end":           {`{"a":1,}`, NotJSON},
		"single quotes":              {`{'a':1}`, NotJSON},
		"cut short":                  {`{"a":1`, NotJSON},
		"invalid UTF-8":              {"{\"a\":\"\xff\"}", BadUTF8},
		"invalid UTF-8 in a key":     {"{\"a\xff\":1}", BadUTF8},
		"overlong slash":             {"{\"a\":\"..\xc0\xaf\"}", BadUTF8},
		"raw surrogate":              {"{\"a\":\"\xed\xa0\x80\"}", BadUTF8},
		"past U+10FFFF":              {"{\"a\":\"\xf4\x90\x80\x80\"}", BadUTF8},
		"high surrogate":             {`{"a":"\ud800"}`, BadUTF8},
		"low surrogate":              {`{"a":"\udc00"}`, BadUTF8},
		"surrogates in wrong order":  {`{"a":"\udc00\ud800"}`, BadUTF8},
		"surrogate in a key":         {`{"\ud800":1,"\ud801":2}`, BadUTF8},
		"raw NUL":                    {"{\"a\":\"/tmp/a\x00.txt\"}", NotJSON},
		"raw NUL outside":            {"{\x00}", NotJSON},
		"raw line break":             {"{\"a\":\"\n\"}", NotJSON},
		"depth":                      {deep(33), TooDeep},
		"depth bomb":                 {deep(10_000), TooDeep},
		"open depth bomb":            {strings.Repeat(`{"a":`, 10_000), TooDeep},
		"size":                       {large(64<<10 + 1), TooLarge},
		"size of white space":        {"{}" + strings.Repeat(" ", 64<<10), TooLarge},
		"infinite":                   {`{"n":1e400}`, NumberRange},
		"infinite, in digits":        {`{"n":1` + strings.Repeat("0", 309) + `}`, NumberRange},
		"digits":                     {digits(401), NumberRange},
		"vast exponent":              {`{"n":1e99999999999999999999}`, NumberRange},
		"vast exponent down":         {`{"n":1e-99999999999999999999}`, NumberRange},
		"NaN":                        {`{"n":NaN}`, NotJSON},
		"octal":                      {`{"n":010}`, NotJSON},
		"hexadecimal":                {`{"n":0x10}`, NotJSON},
	} {
		var tree Tree
		p, _ := tree.SetJSON([]byte(c.doc), DefaultLimits)
		require.Equal(t, c.want.String(), p.String(), name)
		require.Equal(t, c.want, tree.SetGo(json.RawMessage(c.doc), DefaultLimits), name)
		require.True(t, tree.Empty(), name)
	}
	for name, doc := range map[string]string{
		"depth": deep(32), "size": large(64 << 10), "digits": digits(400), "2^53+1": `{"n":9007199254740993}`,
		"past int64": `{"n":9223372036854775808}`, "minus zero": `{"n":-0}`, "trailing zero": `{"n":1.50}`, "exponent": `{"n":1E+2}`,
		"more than a float": `{"n":0.1000000000000000055511151231257827}`, "less than a float": `{"n":1e-400}`,
		"NUL": `{"a":"/tmp/a\u0000.txt"}`,
	} {
		var tree Tree
		require.Equal(t, OK, tree.SetGo(json.RawMessage(doc), DefaultLimits), name)
		require.Equal(t, doc, string(tree.AppendJSON(nil, Root)), name)
	}

	// NUL is no end of a text: a policy sees what is behind it.
	var tree Tree
	require.Equal(t, OK, tree.SetGo(json.RawMessage(`{"a":"/tmp/a\u0000.txt"}`), DefaultLimits))
	require.Equal(t, "/tmp/a\x00.txt", tree.Nodes[tree.Member(Root, "a")].Text)
}

// TestAttack_B3_GoValues has the same of values that are no text.
func TestAttack_B3_GoValues(t *testing.T) {
	deep := any(map[string]any{})
	for range 31 {
		deep = map[string]any{"a": deep}
	}
	var tree Tree
	require.Equal(t, OK, tree.SetGo(deep, DefaultLimits))
	require.Equal(t, TooDeep, tree.SetGo(map[string]any{"a": deep}, DefaultLimits))
	raw := func(n int) any {
		return map[string]any{"a": json.RawMessage(strings.Repeat("[", n) + strings.Repeat("]", n))}
	}
	require.Equal(t, OK, tree.SetGo(raw(31), DefaultLimits))
	require.Equal(t, TooDeep, tree.SetGo(raw(32), DefaultLimits))

	for name, c := range map[string]struct {
		v    any
		want Problem
	}{
		"size":                  {map[string]any{"a": strings.Repeat("x", 64<<10)}, TooLarge},
		"size when written out": {map[string]any{"a": strings.Repeat("\x00", 11_000)}, TooLarge},
		"many empty":            {map[string]any{"a": make([]any, 64<<10)}, TooLarge},
		"invalid UTF-8":         {map[string]any{"a": "\xff"}, BadUTF8},
		"surrogate":             {map[string]any{"a": "\xed\xa0\x80"}, BadUTF8},
		"invalid UTF-8 key":     {map[string]any{"\xff": 1}, BadUTF8},
		"second document":       {map[string]any{"a": json.RawMessage(`1,"b":2`)}, TrailingData},
		"escape from the raw":   {map[string]any{"a": json.RawMessage(`1}`)}, TrailingData},
		"number that is none":   {map[string]any{"a": json.Number(`1,"b":2`)}, NumberRange},
		"infinite":              {map[string]any{"a": math.Inf(1)}, NotFinite},
		"infinite text":         {map[string]any{"a": json.Number("1e400")}, NumberRange},
	} {
		require.Equal(t, c.want.String(), tree.SetGo(c.v, DefaultLimits).String(), name)
		require.True(t, tree.Empty(), name)
	}
}

// A float32 stands for the decimal that encoding/json writes, which past 2^24
// is not the integer that it holds: 123456789 is kept as 123456792 and written
// as 123456790.
func TestAttack_A2_Float32PastItsIntegers(t *testing.T) {
	for _, f := range []float32{16777216, 16777218, 123456789, -123456789, 999999984306749440, 1e15} {
		raw, err := json.Marshal(map[string]float32{"n": f})
		require.NoError(t, err)
		var want, got Tree
		require.Equal(t, OK, want.SetGo(json.RawMessage(raw), DefaultLimits))
		for _, v := range []any{map[string]any{"n": f}, map[string]float32{"n": f}} {
			require.Equal(t, OK, got.SetGo(v, DefaultLimits))
			require.Equal(t, string(want.AppendCanonical(nil, Root)), string(got.AppendCanonical(nil, Root)))
			b, err := NewBound(string(want.Nodes[1].AppendNumber(nil)))
			require.NoError(t, err)
			require.Zero(t, got.Nodes[1].Compare(&b), "%s", raw)
		}
	}
}
