package value

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestSetJSON_Accepts(t *testing.T) {
	for _, s := range []string{
		`{}`, `[]`, `0`, `"x"`, `true`, `false`, `null`, " \t\r\n{ \"a\" : [ 1 , 2 ] } \n",
		`{"":""}`, `[[],{},[{}]]`, `"\"\\\/\b\f\n\r\t\u0000\u001f\u00e9\u20AC"`, `"\ud83d\ude00"`,
		`"é€😀"`, "\"\u007f\u0080\ufffd\U0010ffff\"", `-0`, `-0.0`, `1e2`, `9007199254740993`, `-9223372036854775808`,
		`18446744073709551616`, `1.7e308`, `-1.7e308`, `{"a":1,"b":1,"ab":1,"ba":1}`, `[{"a":1},{"a":1}]`,
		`{"a":{"a":{"A":1}}}`, `"12345678"`, `"1234567é"`, `"12345678é12345678"`, `"\u0041\u00412345678"`,
	} {
		var tree Tree
		p, pos := tree.SetJSON([]byte(s), DefaultLimits)
		require.Equal(t, OK, p, s)
		require.Equal(t, len(s), pos, s)
		requireShape(t, &tree)
		require.JSONEq(t, s, string(tree.AppendJSON(nil, Root)))
		require.LessOrEqual(t, tree.Size(), len(s))
	}
}

func TestSetJSON_Refuses(t *testing.T) {
	for _, c := range []struct {
		json string
		want Problem
		pos  int
	}{
		{``, NotJSON, 0},
		{`  `, NotJSON, 2},
		{"\ufeff{}", NotJSON, 0},
		{"\x00", NotJSON, 0},
		{"{}\x00", TrailingData, 2},
		{`{`, NotJSON, 1},
		{`[`, NotJSON, 1},
		{`[1`, NotJSON, 2},
		{`[1,`, NotJSON, 3},
		{`[1,]`, NotJSON, 3},
		{`[,]`, NotJSON, 1},
		{`[1 2]`, NotJSON, 3},
		{`[1}`, NotJSON, 2},
		{`{]`, NotJSON, 1},
		{`{"a":1]`, NotJSON, 6},
		{`{"a"}`, NotJSON, 4},
		{`{"a":}`, NotJSON, 5},
		{`{"a":1,}`, NotJSON, 7},
		{`{a:1}`, NotJSON, 1},
		{`{'a':1}`, NotJSON, 1},
		{`{1:1}`, NotJSON, 1},
		{`]`, NotJSON, 0},
		{`tru`, NotJSON, 0},
		{`True`, NotJSON, 0},
		{`nul`, NotJSON, 0},
		{`undefined`, NotJSON, 0},
		{`/**/1`, NotJSON, 0},

		{`{}{}`, TrailingData, 2},
		{`{} x`, TrailingData, 3},
		{`{},`, TrailingData, 2},
		{`"a""b"`, TrailingData, 3},
		{`1 2`, TrailingData, 2},

		{`01`, NotJSON, 0},
		{`-01`, NotJSON, 0},
		{`[00]`, NotJSON, 1},
		{`+1`, NotJSON, 0},
		{`.5`, NotJSON, 0},
		{`5.`, NotJSON, 0},
		{`-`, NotJSON, 0},
		{`1e`, NotJSON, 0},
		{`1e+`, NotJSON, 0},
		{`1x`, NotJSON, 0},
		{`1-1`, NotJSON, 0},
		{`0x10`, NotJSON, 0},
		{`1_0`, NotJSON, 0},
		{`NaN`, NotJSON, 0},
		{`-Infinity`, NotJSON, 0},
		{`[1.8e308]`, NumberRange, 1},
		{`[-1.8e308]`, NumberRange, 1},
		{`{"a":1e400}`, NumberRange, 5},
		{`{"a":1e-10000}`, NumberRange, 5},

		{`"`, NotJSON, 1},
		{`"abc`, NotJSON, 4},
		{`"abcdefghijk`, NotJSON, 12},
		{`"\`, NotJSON, 1},
		{`"\"`, NotJSON, 3},
		{`"\x"`, NotJSON, 1},
		{`"\u12"`, NotJSON, 1},
		{`"\u12g4"`, NotJSON, 1},
		{`"\U0041"`, NotJSON, 1},
		{"\"a\nb\"", NotJSON, 2},
		{"\"a\tb\"", NotJSON, 2},
		{"\"a\x00b\"", NotJSON, 2},
		{"\"\x1f\"", NotJSON, 1},
		{"\"1234567\x1f\"", NotJSON, 8},

		{"\"\xff\"", BadUTF8, 1},
		{"\"12345678\x80\"", BadUTF8, 9},
		{"\"\xc0\xaf\"", BadUTF8, 1},         // overlong
		{"\"\xe2\x82\"", BadUTF8, 1},         // cut short
		{"\"\xed\xa0\x80\"", BadUTF8, 1},     // a raw surrogate
		{"\"\xf4\x90\x80\x80\"", BadUTF8, 1}, // past U+10FFFF
		{"{\"\xff\":1}", BadUTF8, 2},
		{"\xff", NotJSON, 0},
		{`"\ud800"`, BadUTF8, 1},
		{`"\udc00"`, BadUTF8, 1},
		{`"\ud800x"`, BadUTF8, 1},
		{`"\ud800\n"`, BadUTF8, 1},
		{`"\ud800\ud800"`, BadUTF8, 1},
		{`"\udc00\ud800"`, BadUTF8, 1},
		{`"\ud800\u0041"`, BadUTF8, 1},
		{`"\uD83D"`, BadUTF8, 1},
		{`{"\ud800":1}`, BadUTF8, 2},

		{`{"a":1,"a":1}`, DuplicateKey, 7},
		{`{"a":1,"\u0061":2}`, DuplicateKey, 7},
		{`[0,{"b":{"c":1,"d":2,"c":3}}]`, DuplicateKey, 21},
		{`{"path":1,"PATH":2}`, FoldedKey, 10},
		{`{"kind":1,"\u212aind":2}`, FoldedKey, 10},
		{`{"s":1,"ſ":2}`, FoldedKey, 7},
		{`{"":1,"":2}`, DuplicateKey, 6},
	} {
		tree := Tree{Nodes: make([]Node, 3)}
		p, pos := tree.SetJSON([]byte(c.json), DefaultLimits)
		require.Equal(t, c.want, p, "%q", c.json)
		require.Equal(t, c.pos, pos, "%q", c.json)
		require.True(t, tree.Empty(), "%q", c.json)
	}
}

// TestSetJSON_LargeObjects has its clash past what is compared pair by pair.
func TestSetJSON_LargeObjects(t *testing.T) {
	var b strings.Builder
	for i := range 1000 {
		fmt.Fprintf(&b, `"key%d":%d,`, i, i)
	}
	for last, want := range map[string]Problem{`"other"`: OK, `"key7"`: DuplicateKey, `"KEY7"`: FoldedKey, `"\u212aey7"`: FoldedKey} {
		doc := "{" + b.String() + last + ":0}"
		var tree Tree
		p, pos := tree.SetJSON([]byte(doc), DefaultLimits)
		require.Equal(t, want, p, last)
		if p != OK {
			require.Equal(t, 1+b.Len(), pos)
			continue
		}
		requireShape(t, &tree)
		require.Equal(t, uint64(999), tree.Nodes[tree.Member(Root, "key999")].Bits)
		require.Equal(t, None, tree.Member(Root, "Key999"))
	}
}

func TestSetJSON_Bounds(t *testing.T) {
	var tree Tree
	read := func(s string, lim Limits) Problem {
		p, _ := tree.SetJSON([]byte(s), lim)
		return p
	}
	nested := func(n int) string { return strings.Repeat("[", n) + strings.Repeat("]", n) }
	objects := func(n int) string { return strings.Repeat(`{"a":`, n) + "1" + strings.Repeat("}", n) }

	require.Equal(t, OK, read(nested(32), DefaultLimits))
	require.Equal(t, TooDeep, read(nested(33), DefaultLimits))
	require.Equal(t, OK, read(objects(32), DefaultLimits))
	require.Equal(t, TooDeep, read(objects(33), DefaultLimits))
	require.Equal(t, TooDeep, read(strings.Repeat("[", 60_000), DefaultLimits))
	require.Equal(t, OK, read("["+strings.Repeat("[],", 1000)+"[]]", Limits{Bytes: 4096, Depth: 2}), "depth counts the way down")
	require.Equal(t, OK, read("1", Limits{Bytes: 1}), "a scalar has no depth")
	require.Equal(t, TooDeep, read("[]", Limits{Bytes: 2}))
	require.Equal(t, TooLarge, read("[]", Limits{}), "zero limits refuse")

	require.Equal(t, OK, read("[1, 2]", Limits{Bytes: 6, Depth: 1}))
	require.Equal(t, TooLarge, read("[1, 2] ", Limits{Bytes: 6, Depth: 1}), "white space counts")

	require.Equal(t, OK, read("0."+strings.Repeat("1", 399), DefaultLimits))
	require.Equal(t, NumberRange, read("0."+strings.Repeat("1", 400), DefaultLimits))
	require.Equal(t, OK, read("1.7976931348623157e308", DefaultLimits))
	require.Equal(t, NumberRange, read("1.7976931348623159e308", DefaultLimits))

	deep := Limits{Bytes: 1 << 20, Depth: 200_000}
	require.Equal(t, OK, read(nested(200_000), deep), "no recursion")
}

// TestSetJSON_Nodes pins the layout that the evaluator walks.
func TestSetJSON_Nodes(t *testing.T) {
	var tree Tree
	p, _ := tree.SetJSON([]byte(`{"a": [1, -20, {}], "b": "x\n", "c": true, "d": null, "e": 1.50, "f": -0, "g": 123456789012345678, "h": 1234567890123456789}`), DefaultLimits)
	require.Equal(t, OK, p)
	minus20 := int64(-20)
	require.Equal(t, []Node{
		{Kind: Object, Len: 8, End: 12},
		{Key: "a", Kind: Array, Len: 3, End: 5, Pos: 1},
		{Kind: Number, Form: IntForm, Bits: 1, End: 3, Pos: 7},
		{Kind: Number, Form: IntForm, Bits: uint64(minus20), End: 4, Pos: 10},
		{Kind: Object, End: 5, Pos: 15},
		{Key: "b", Kind: String, Text: "x\n", End: 6, Pos: 20},
		{Key: "c", Kind: Bool, Bits: 1, End: 7, Pos: 32},
		{Key: "d", Kind: Null, End: 8, Pos: 43},
		{Key: "e", Kind: Number, Text: "1.50", End: 9, Pos: 54},
		{Key: "f", Kind: Number, Text: "-0", End: 10, Pos: 65},
		{Key: "g", Kind: Number, Form: IntForm, Bits: 123456789012345678, End: 11, Pos: 74},
		{Key: "h", Kind: Number, Text: "1234567890123456789", End: 12, Pos: 99},
	}, tree.Nodes)
}

// TestSetJSON_EarlierStringsSurvive holds strings while the text buffer grows
// under them, and after the tree was filled anew.
func TestSetJSON_EarlierStringsSurvive(t *testing.T) {
	var b strings.Builder
	b.WriteByte('[')
	for i := range 500 {
		fmt.Fprintf(&b, `"\u0041 item %d",`, i)
	}
	b.WriteString("0]")
	var tree Tree
	p, _ := tree.SetJSON([]byte(b.String()), DefaultLimits)
	require.Equal(t, OK, p)
	var got []string
	for c := tree.First(Root); c < tree.Nodes[Root].End; c = tree.Nodes[c].End {
		got = append(got, tree.Nodes[c].Text)
	}
	p, _ = tree.SetJSON([]byte(`["\u0042\u0042\u0042\u0042\u0042\u0042\u0042\u0042"]`), DefaultLimits)
	require.Equal(t, OK, p)
	for i := range 500 {
		require.Equal(t, fmt.Sprintf("A item %d", i), got[i])
	}
}

// TestPlain puts every byte at every place of a word.
func TestPlain(t *testing.T) {
	for c := range 256 {
		for at := range 20 {
			data := bytes.Repeat([]byte{'a'}, 20)
			data[at] = byte(c)
			want := 20
			if c < 0x20 || c == '"' || c == '\\' || c >= 0x80 {
				want = at
			}
			require.Equal(t, want, plain(data, 0), "%#x at %d", c, at)
		}
	}
	require.Equal(t, 24, plain([]byte("éa€bcdefgh😀12345678\""), 0)-1)
}

func TestSetJSON_RandomDocuments(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	var tree Tree
	for range 300 {
		v := randomValue(rng, 0)
		for _, escapeHTML := range []bool{true, false} {
			var buf bytes.Buffer
			enc := json.NewEncoder(&buf)
			enc.SetEscapeHTML(escapeHTML)
			if rng.IntN(2) == 0 {
				enc.SetIndent("\t", "  ")
			}
			require.NoError(t, enc.Encode(v))
			p, _ := tree.SetJSON(buf.Bytes(), Limits{Bytes: 16 << 20, Depth: 32})
			require.Equal(t, OK, p, buf.String())
			requireShape(t, &tree)
			require.Equal(t, decode(t, buf.Bytes()), decode(t, tree.AppendJSON(nil, Root)))
		}
	}
}

func randomValue(rng *rand.Rand, depth int) any {
	switch n := rng.IntN(10); {
	case n < 2 && depth < 5:
		m := map[string]any{}
		for i := range rng.IntN(20) {
			m[fmt.Sprint(i, strings.ToLower(randomString(rng)))] = randomValue(rng, depth+1)
		}
		return m
	case n < 4 && depth < 5:
		a := make([]any, rng.IntN(6))
		for i := range a {
			a[i] = randomValue(rng, depth+1)
		}
		return a
	case n < 5:
		return rng.IntN(2) == 0
	case n < 6:
		return nil
	case n < 7:
		return int64(rng.Uint64()) >> rng.IntN(64)
	case n < 8:
		f := math.Float64frombits(rng.Uint64())
		if math.IsNaN(f) || math.IsInf(f, 0) {
			return 0.5
		}
		return f
	default:
		return randomString(rng)
	}
}

func randomString(rng *rand.Rand) string {
	alphabet := []rune("abcdefghABC \"\\/\b\f\n\r\t\x00\x1f<>&éß€\u2028\ufffd😀")
	r := make([]rune, rng.IntN(24))
	for i := range r {
		r[i] = alphabet[rng.IntN(len(alphabet))]
	}
	return string(r)
}

// requireShape checks what every tree keeps: each End and Len agree.
func requireShape(t *testing.T, tree *Tree) {
	t.Helper()
	var walk func(i int32) int32
	walk = func(i int32) int32 {
		n := &tree.Nodes[i]
		children, c := int32(0), i+1
		for ; c < n.End; c = walk(c) {
			children++
		}
		require.Equal(t, n.End, c)
		require.Equal(t, n.Len, children)
		return c
	}
	require.Equal(t, len(tree.Nodes), int(walk(Root)))
}

// decode is encoding/json with numbers kept as text.
func decode(t *testing.T, data []byte) any {
	t.Helper()
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.UseNumber()
	var v any
	require.NoError(t, dec.Decode(&v), "%s", data)
	return v
}
