package guard_test

import (
	"context"
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/useveto/veto-go"
	"github.com/useveto/veto-go/audit"
	"github.com/useveto/veto-go/guard"
	"github.com/useveto/veto-go/rules"
)

// B5: a default that is filled in after the decision was not decided on. The
// guard decides on what the tool gets: the zero values of a struct are there,
// and a field with omitempty is absent, which denies unless it is optional.
func TestAttack_B5_Defaults(t *testing.T) {
	a := load(t, `
policies:
  - id: p
    agentId: bot
    rules:
      - {type: parameter_constraint, tools: [zero, omitted], parameters: {limit: {min: 1}}}
      - {type: parameter_constraint, tools: [optional], parameters: {limit: {min: 1, optional: true}}}
`, nil)
	type zero struct {
		Limit int `json:"limit"`
	}
	type omitted struct {
		Limit int `json:"limit,omitempty"`
	}
	type pointer struct {
		Limit *int `json:"limit"`
	}
	_, err := wrap(t, a, "zero", echo[zero], bot[zero]())(t.Context(), zero{})
	require.Equal(t, rules.CodeConstraintViolated, code(t, err), "0 is less than 1")
	_, err = wrap(t, a, "zero", echo[pointer], bot[pointer]())(t.Context(), pointer{})
	require.Equal(t, rules.CodeConstraintViolated, code(t, err), "null is no number")
	_, err = wrap(t, a, "omitted", echo[omitted], bot[omitted]())(t.Context(), omitted{})
	require.Equal(t, rules.CodeConstraintViolated, code(t, err), "absent")
	// Where the policy says that the parameter may be absent, the tool gets
	// the zero value, as the policy says.
	got, err := wrap(t, a, "optional", echo[omitted], bot[omitted]())(t.Context(), omitted{})
	require.NoError(t, err)
	require.Zero(t, got.Limit)
	_, err = wrap(t, a, "optional", echo[zero], bot[zero]())(t.Context(), zero{})
	require.Equal(t, rules.CodeConstraintViolated, code(t, err))

	// A key that the JSON leaves out is decided on as absent.
	decoded, err := guard.WrapJSON(a, "zero", echo[zero], bot[zero]())
	require.NoError(t, err)
	_, err = decoded(t.Context(), json.RawMessage(`{}`))
	require.Equal(t, rules.CodeConstraintViolated, code(t, err))

	// A host that fills in defaults does so before the guard.
	withDefaults := func(tool func(context.Context, zero) (zero, error)) func(context.Context, zero) (zero, error) {
		return func(ctx context.Context, in zero) (zero, error) {
			if in.Limit == 0 {
				in.Limit = 10
			}
			return tool(ctx, in)
		}
	}
	got10, err := withDefaults(wrap(t, a, "zero", echo[zero], bot[zero]()))(t.Context(), zero{})
	require.NoError(t, err)
	require.Equal(t, 10, got10.Limit)
}

// C2: a tool that calls others by a name in its arguments is guarded on that
// name. What it dispatches to is wrapped; a rule on the meta tool alone would
// not see which tool runs.
func TestAttack_C2_MetaTool(t *testing.T) {
	records := audit.NewMemory(nil)
	a := load(t, `
policies:
  - id: p
    agentId: bot
    rules:
      - {type: tool_allowlist, tools: [call_tool, read, write]}
      - {type: tool_denylist, tools: [write]}
`, &veto.Options{Sink: records})
	ran := ""
	inner, err := guard.Set(a, map[string]func(context.Context, json.RawMessage) (string, error){
		"read":  func(context.Context, json.RawMessage) (string, error) { ran = "read"; return "text", nil },
		"write": func(context.Context, json.RawMessage) (string, error) { ran = "write"; return "done", nil },
	}, bot[string]())
	require.NoError(t, err)
	type metaCall struct {
		ToolName  string          `json:"tool_name"`
		Arguments json.RawMessage `json:"arguments"`
	}
	callTool, err := guard.WrapJSON(a, "call_tool", func(ctx context.Context, in metaCall) (string, error) {
		tool, ok := inner[in.ToolName] // exactly: the names are the policies'
		if !ok {
			return "", veto.ErrDenied
		}
		return tool(ctx, in.Arguments)
	}, bot[string]())
	require.NoError(t, err)
	out, err := callTool(t.Context(), json.RawMessage(`{"tool_name":"read","arguments":{"path":"/a"}}`))
	require.NoError(t, err)
	require.Equal(t, "text", out)
	require.Equal(t, "read", last(t, records).ToolName)
	require.JSONEq(t, `{"path":"/a"}`, last(t, records).Parameters.String())
	for _, raw := range []string{
		`{"tool_name":"write","arguments":{}}`, `{"tool_name":"Write","arguments":{}}`, `{"TOOL_NAME":"write"}`,
		`{"tool_name":"read","arguments":{"a":1,"A":2}}`,
	} {
		ran = ""
		_, err = callTool(t.Context(), json.RawMessage(raw))
		require.ErrorIs(t, err, veto.ErrDenied, raw)
		require.Empty(t, ran)
	}

	// Where the inner tools are not functions of ours, the guard is made by the
	// name of the call, each time: that costs little.
	dispatch := func(ctx context.Context, in metaCall) (string, error) {
		tool, err := guard.WrapJSON(a, in.ToolName, func(context.Context, json.RawMessage) (string, error) { return in.ToolName, nil }, bot[string]())
		if err != nil {
			return "", err
		}
		return tool(ctx, in.Arguments)
	}
	out, err = dispatch(t.Context(), metaCall{"read", json.RawMessage(`{}`)})
	require.NoError(t, err)
	require.Equal(t, "read", out)
	for _, name := range []string{"write", "WRITE", "write ", "", "wr\u0131te"} {
		_, err = dispatch(t.Context(), metaCall{name, json.RawMessage(`{}`)})
		require.ErrorIs(t, err, veto.ErrDenied, name)
	}
}
