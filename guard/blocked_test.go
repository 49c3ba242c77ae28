package guard_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/useveto/veto-go"
	"github.com/useveto/veto-go/audit"
	"github.com/useveto/veto-go/guard"
	"github.com/useveto/veto-go/rules"
)

const secretive = `
policies:
  - id: classified-policy
    name: Classified name
    agentId: bot
    rules:
      - {type: tool_allowlist, tools: [free, pay, limited, budgeted]}
      - {type: tool_denylist, tools: [forbidden]}
      - {type: parameter_constraint, tools: [checked], parameters: {hushword: {match: 'opensesame'}}}
      - {type: rate_limit, tools: [limited], rateLimit: {maxCalls: 1, windowSeconds: 777}}
      - {type: budget, tools: [budgeted], budget: {parameter: hushword, max: 4321, windowSeconds: 777}}
      - {type: require_approval, tools: [pay], approval: {message: classified message}}
      - {type: sequence, tools: [free], sequence: {requires: [{tools: [forbidden]}]}}
`

// There are two texts: that of the error may be shown to the model, and tells
// it nothing of policies and values; operators read Result and Err.
func TestTwoTexts(t *testing.T) {
	a := load(t, secretive, nil)
	call := func(tool, params string) (*guard.BlockedError, error) {
		_, err := wrap(t, a, tool, echo[string], bot[string]())(t.Context(), params)
		return blocked(t, err), err
	}
	for _, c := range []struct {
		tool, params string
		code         rules.Code
		model        string
		operators    string
	}{
		{"unknown", `{"hushword":"topsecret"}`, rules.CodeDefaultDeny, "This call is not permitted.", "default deny"},
		{"forbidden", `{"hushword":"topsecret"}`, rules.CodeToolDenied, "This call is not permitted.", "Classified name"},
		{"checked", `{"hushword":"topsecret"}`, rules.CodeConstraintViolated, "This call is not permitted with these arguments.", "'hushword'"},
		{"checked", `{"hushword":"topsecret"`, rules.CodeInvalidRequest, "This call is not valid as it stands.", "not valid JSON"},
		{"budgeted", `{"hushword":5000}`, rules.CodeBudgetExceeded, "This call is over a limit.", "4321"},
		{"pay", `{"hushword":"topsecret"}`, rules.CodeApprovalRequired, "This call needs the approval of a human, who has not been asked.", "Classified name"},
		{"free", `{"hushword":"topsecret"}`, rules.CodeSessionUnknown, "This call is not permitted at this point.", "not known"},
	} {
		b, err := call(c.tool, c.params)
		require.Equal(t, c.code, b.Result.Code, c.tool)
		require.Equal(t, c.model, err.Error())
		require.Equal(t, c.tool, b.Tool)
		require.Contains(t, b.Result.Reason.String(), c.operators)
		require.NotContains(t, b.Result.Reason.String(), "topsecret")
		for _, secret := range []string{"classified", "opensesame", "topsecret", "4321", "777", "hushword", "sequence", "policy"} {
			require.NotContains(t, strings.ToLower(err.Error()), secret)
		}
		if c.code == rules.CodeApprovalRequired {
			require.ErrorIs(t, err, veto.ErrEscalated)
			require.NotErrorIs(t, err, veto.ErrDenied)
		} else {
			require.ErrorIs(t, err, veto.ErrDenied)
		}
		var denied *veto.DeniedError
		require.ErrorAs(t, err, &denied)
		require.NotContains(t, b.Err.Error(), "topsecret")
	}
	limited := wrap(t, a, "limited", echo[string], bot[string]())
	_, err := limited(t.Context(), "{}")
	require.NoError(t, err)
	_, err = limited(t.Context(), "{}")
	require.Equal(t, rules.CodeRateLimited, code(t, err))
	require.Regexp(t, `^This call is not permitted now\. It can be tried again in \d+ seconds\.$`, err.Error())
}

// A BlockedError that nobody filled in reads as a denial.
func TestZeroBlockedError(t *testing.T) {
	var b guard.BlockedError
	require.Equal(t, "This call is not permitted.", b.Error())
	require.NoError(t, b.Unwrap())
	b.Result.Allowed = true
	require.Equal(t, "This call is not permitted.", b.Error())
}

// A caller that forgets the error has the zero value, and the tool did not run.
func TestErrorIgnored(t *testing.T) {
	ran := false
	tool := wrap(t, load(t, secretive, nil), "forbidden", func(context.Context, flat) (*string, error) {
		ran = true
		s := "done"
		return &s, nil
	}, bot[*string]())
	out, _ := tool(t.Context(), flat{Path: "/a"})
	require.Nil(t, out)
	require.False(t, ran)
}

// OnBlocked makes a result of a denial, for frameworks that stop at an error.
func TestOnBlocked(t *testing.T) {
	records := audit.NewMemory(nil)
	a := load(t, secretive, &veto.Options{Sink: records})
	type key struct{}
	broken := errors.New("broken")
	opts := &guard.Options[string]{Agent: "bot", OnBlocked: func(ctx context.Context, b *guard.BlockedError) (string, error) {
		require.Equal(t, "v", ctx.Value(key{}))
		if b.Tool == "checked" {
			return "", broken
		}
		return "refused: " + b.Error(), nil
	}}
	ctx := context.WithValue(t.Context(), key{}, "v")
	tool := func(context.Context, string) (string, error) { panic("it ran") }
	out, err := wrap(t, a, "forbidden", tool, opts)(ctx, "{}")
	require.NoError(t, err)
	require.Equal(t, "refused: This call is not permitted.", out)
	require.Equal(t, rules.CodeToolDenied, last(t, records).Code)
	_, err = wrap(t, a, "checked", tool, opts)(ctx, "{}")
	require.Equal(t, broken, err)

	// It is the answer of tools that cannot be guarded, too.
	unguarded, err := guard.Wrap(a, "t", func(context.Context, []int) (string, error) { panic("it ran") }, opts)
	require.Error(t, err)
	out, err = unguarded(ctx, nil)
	require.NoError(t, err)
	require.Equal(t, "refused: This call is not permitted.", out)

	// And its panic is the caller's.
	panics := wrap(t, a, "forbidden", tool, &guard.Options[string]{OnBlocked: func(context.Context, *guard.BlockedError) (string, error) { panic("mine") }})
	require.PanicsWithValue(t, "mine", func() { _, _ = panics(ctx, "{}") })
}
