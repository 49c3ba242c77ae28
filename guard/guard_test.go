package guard_test

import (
	"context"
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/useveto/veto-go"
	"github.com/useveto/veto-go/guard"
)

const policies = `
policies:
  - id: mail
    agentId: bot
    rules:
      - {type: tool_allowlist, tools: [send_email]}
      - type: parameter_constraint
        tools: [send_email]
        parameters:
          to: {match: '[a-z]+@example\.com'}
          subject: {maxLength: 50, optional: true}
          copies: {max: 3, optional: true}
`

type email struct {
	To      string `json:"to"`
	Subject string `json:"subject,omitempty"`
	Copies  int    `json:"copies,omitempty"`
}

func authorizer(t testing.TB, opts *veto.Options) *veto.Authorizer {
	t.Helper()
	set, err := veto.Load("policy.yaml", []byte(policies))
	require.NoError(t, err)
	a, err := veto.New(set, opts)
	require.NoError(t, err)
	return a
}

func TestWrap(t *testing.T) {
	sent := 0
	send, err := guard.Wrap(authorizer(t, nil), "send_email", func(_ context.Context, m email) (string, error) {
		sent++
		return "sent to " + m.To, nil
	}, &guard.Options[string]{Agent: "bot"})
	require.NoError(t, err)
	out, err := send(t.Context(), email{To: "ann@example.com"})
	require.NoError(t, err)
	require.Equal(t, "sent to ann@example.com", out)
	out, err = send(t.Context(), email{To: "ann@evil.com"})
	require.ErrorIs(t, err, veto.ErrDenied)
	require.Empty(t, out)
	require.Equal(t, 1, sent)
	require.Equal(t, "This call is not permitted with these arguments.", err.Error())
}

func TestWrapJSON(t *testing.T) {
	send, err := guard.WrapJSON(authorizer(t, nil), "send_email", func(_ context.Context, m email) (string, error) {
		return m.To, nil
	}, &guard.Options[string]{Agent: "bot"})
	require.NoError(t, err)
	out, err := send(t.Context(), json.RawMessage(`{"to":"ann@example.com","subject":"hello"}`))
	require.NoError(t, err)
	require.Equal(t, "ann@example.com", out)
	for _, bad := range []string{`{"to":"ann@example.com","SUBJECT":"x"}`, `{"to":"ann@example.com","To":"x"}`, `{"to":1}`, `{`, `{"to":"ann@example.com"} {}`} {
		_, err = send(t.Context(), json.RawMessage(bad))
		require.ErrorIs(t, err, veto.ErrDenied, bad)
	}
}
