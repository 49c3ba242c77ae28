package guard_test

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/useveto/veto-go/guard"
	"github.com/useveto/veto-go/rules"
)

// A2, for tools that take floats: a map keeps the text of a number where it
// has it, so that no rounding comes between decision and tool.
func TestAttack_A2_NumbersReachTheToolAsDecided(t *testing.T) {
	a := load(t, `
policies:
  - id: p
    agentId: bot
    rules: [{type: parameter_constraint, tools: [pay], parameters: {id: {enum: [9007199254740993]}}}]
`, nil)
	byMap := wrap(t, a, "pay", echo[map[string]any], bot[map[string]any]())
	for _, n := range []any{json.Number("9007199254740993"), int64(9007199254740993), uint64(9007199254740993)} {
		out, err := byMap(t.Context(), map[string]any{"id": n})
		require.NoError(t, err)
		require.Equal(t, n, out["id"])
	}
	_, err := byMap(t.Context(), map[string]any{"id": float64(9007199254740993)})
	require.Equal(t, rules.CodeConstraintViolated, code(t, err))

	type loose struct {
		ID any `json:"id"`
	}
	byAny := wrap(t, a, "pay", echo[loose], bot[loose]())
	_, err = byAny(t.Context(), loose{int64(9007199254740993)})
	require.Equal(t, rules.CodeInvalidRequest, code(t, err), "the tool would have got 9007199254740992")
	byNumber := wrap(t, a, "pay", echo[struct {
		ID json.Number `json:"id"`
	}], bot[struct {
		ID json.Number `json:"id"`
	}]())
	out, err := byNumber(t.Context(), struct {
		ID json.Number `json:"id"`
	}{"9007199254740993"})
	require.NoError(t, err)
	require.EqualValues(t, "9007199254740993", out.ID)

	decoded, err := guard.WrapJSON(a, "pay", echo[loose], bot[loose]())
	require.NoError(t, err)
	_, err = decoded(t.Context(), json.RawMessage(`{"id":9007199254740993}`))
	require.ErrorContains(t, blocked(t, err).Err, "is another as a float")
}

// A number that lies beside a bound, and on it as a float, is not decided as
// the one and run as the other; nor one that an integer cannot hold.
func TestAttack_A2_NumbersThatRound(t *testing.T) {
	type transfer struct {
		Amount int64       `json:"amount"`
		Rate   float64     `json:"rate"`
		Small  []float32   `json:"small"`
		Any    any         `json:"any"`
		Exact  json.Number `json:"exact"`
	}
	for raw, want := range map[string]bool{
		`{"amount":9223372036854775807}`: true,
		`{"amount":9223372036854775808}`: false,
		`{"amount":1e2}`:                 false,
		`{"amount":1.5}`:                 false,
		`{"amount":"5"}`:                 false,

		`{"rate":0.1}`:                       true,
		`{"rate":0.30000000000000004}`:       true,
		`{"rate":-0.0}`:                      true,
		`{"rate":1.50e2}`:                    true,
		`{"rate":1e308}`:                     true,
		`{"rate":9007199254740992}`:          true,
		`{"rate":9007199254740993}`:          false,
		`{"rate":99.99999999999999999999}`:   false,
		`{"rate":1e-400}`:                    false,
		`{"rate":1.797693134862315708e308}`:  false,
		`{"small":[0.1,16777216,3.5e38]}`:    false,
		`{"small":[0.1,16777216,-16777216]}`: true,
		`{"small":[16777217]}`:               false,
		`{"small":[0.123456789]}`:            false,

		`{"any":[{"x":[9007199254740993]}]}`: false,
		`{"any":[{"x":[9007199254740992]}]}`: true,
		`{"any":1e-400}`:                     false,
		`{"exact":1e-400}`:                   true,
		`{"exact":9007199254740993}`:         true,
		`{"unknown":9007199254740993}`:       true,
	} {
		require.Equal(t, want, lets[transfer](t, raw), raw)
	}
	require.False(t, lets[map[string]any](t, `{"x":99.99999999999999999999}`))
	require.False(t, lets[any](t, `{"x":[[99.99999999999999999999]]}`))
	require.False(t, lets[map[string]float32](t, `{"x":16777217}`))
	require.True(t, lets[map[string]json.Number](t, `{"x":16777217}`))
}
