package guard_test

import (
	"bytes"
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/useveto/veto-go"
	"github.com/useveto/veto-go/guard"
)

// day is a number that is written, and read, as a word.
type day uint8

func (d day) MarshalText() ([]byte, error) { return []byte{'a' + byte(d)}, nil }
func (d *day) UnmarshalText(text []byte) error {
	*d = day(text[0] - 'a')
	return nil
}

// lower reads keys of maps in lower case.
type lower string

func (l *lower) UnmarshalText(text []byte) error {
	*l = lower(bytes.ToLower(text))
	return nil
}

// B3: an array that is longer than the tool's is cut, and one that is shorter
// filled up, neither of which the policy sees.
func TestAttack_B3_ArraysOfAnotherLength(t *testing.T) {
	type fixed struct {
		To   [2]string           `json:"to"`
		None *[0]int             `json:"none"`
		Grid map[string][][1]int `json:"grid"`
	}
	for raw, want := range map[string]bool{
		`{"to":["a","b"],"none":[],"grid":{"x":[[1],[2]]}}`: true,
		`{}`:                      true,
		`{"to":null}`:             true,
		`{"to":["a"]}`:            false,
		`{"to":[]}`:               false,
		`{"to":["a","b","c"]}`:    false,
		`{"none":[1]}`:            false,
		`{"grid":{"x":[[1],[]]}}`: false,
		`{"other":[1,2,3]}`:       true,
	} {
		require.Equal(t, want, lets[fixed](t, raw), raw)
	}
}

// B3: bytes have several texts, of which a policy that compares knows one, and
// encoding/json reads them from numbers, too.
func TestAttack_B3_BytesInOtherForms(t *testing.T) {
	type blob struct {
		Bytes []byte      `json:"bytes"`
		Many  []*[]byte   `json:"many"`
		Array [2]byte     `json:"array"`
		Days  []day       `json:"days"`
		Lists [][]float32 `json:"lists"`
	}
	for raw, want := range map[string]bool{
		`{"bytes":"YWI=","many":["YWJj",""]}`: true,
		`{"bytes":""}`:                        true,
		`{"bytes":null}`:                      true,
		`{"bytes":"YWJ="}`:                    false, // as YWI=
		`{"bytes":"YW\nI="}`:                  false,
		`{"bytes":"YW\r\nI="}`:                false,
		`{"bytes":"YWI"}`:                     false,
		`{"bytes":"__8="}`:                    false,
		`{"bytes":[97,98]}`:                   false,
		`{"bytes":[]}`:                        false,
		`{"many":["YWJj",[97]]}`:              false,
		`{"many":["YWJ="]}`:                   false,
		`{"array":[97,98]}`:                   true,
		`{"days":["a","b"]}`:                  true,
		`{"days":"AQI="}`:                     false, // as ["b","c"]
		`{"lists":[[0.1]]}`:                   true,
	} {
		require.Equal(t, want, lets[blob](t, raw), raw)
	}
}

// B3: a json.Number is read from a string, too, which is another value to a
// policy.
func TestAttack_B3_NumbersInStrings(t *testing.T) {
	type exact struct {
		N  json.Number            `json:"n"`
		Of map[string]json.Number `json:"of"`
	}
	for raw, want := range map[string]bool{
		`{"n":100,"of":{"k":1e-400}}`: true,
		`{"n":null}`:                  true,
		`{"n":"100"}`:                 false,
		`{"of":{"k":"100"}}`:          false,
	} {
		require.Equal(t, want, lets[exact](t, raw), raw)
	}
	require.True(t, lets[any](t, `{"n":"100"}`))
}

// B3: what encoding/json decodes a second time, or would take for one key with
// another, is found when the tool is wrapped.
func TestAttack_B3_TypesThatAreReadInSeveralWays(t *testing.T) {
	const twice, keys = `has the option "string"`, "may be one key to the tool"
	undecodable[struct {
		Amount float64 `json:"amount,string"`
	}](t, twice)
	undecodable[struct {
		In []map[string]*struct {
			Path string `json:",omitempty,string"`
		}
	}](t, twice)
	undecodable[quoting](t, "the field N of guard_test.quoting "+twice)
	undecodable[struct{ M map[int]string }](t, "several keys of map[int]string in JSON "+keys)
	undecodable[struct{ M []map[uint8]*leaf }](t, keys)
	undecodable[map[lower]string](t, keys)
	undecodable[struct{ M map[lower]string }](t, keys)
	undecodable[map[string]map[lower]string](t, keys)
	require.True(t, lets[map[word]map[string]int](t, `{"a":{"b":1}}`))
}

// quoting reads itself as most types do.
type quoting struct {
	N int `json:"n,string"`
}

func (q *quoting) UnmarshalJSON(data []byte) error {
	type plain quoting
	return json.Unmarshal(data, (*plain)(q))
}

// undecodable checks that a tool cannot be guarded by WrapJSON.
func undecodable[In any](t *testing.T, why string) {
	t.Helper()
	tool, err := guard.WrapJSON(load(t, everything, nil), "t", echo[In], bot[In]())
	require.ErrorContains(t, err, `guard: tool "t": `)
	require.ErrorContains(t, err, why)
	_, err = tool(t.Context(), json.RawMessage(`{}`))
	require.ErrorIs(t, err, veto.ErrDenied)
}
