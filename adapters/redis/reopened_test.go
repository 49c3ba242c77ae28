package vetoredis_test

import (
	"math/big"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/useveto/veto-go"
	vetoredis "github.com/useveto/veto-go/adapters/redis"
	"github.com/useveto/veto-go/rules"
)

// pastCalls is policies about earlier calls of a session.
const pastCalls = `
policies:
  - id: p
    agentId: "*"
    rules:
      - {type: tool_allowlist, tools: ["*"]}
      - {type: sequence, tools: [send], sequence: {blockedBy: [{tools: [secret]}]}}
      - {type: sequence, tools: [late], sequence: {blockedBy: [{tools: [secret], withinSeconds: 60}]}}
      - {type: sequence, tools: [deploy], sequence: {requires: [{tools: [check]}]}}
`

// What a process has seen of a session that was ended and opened anew is not
// taken for what was called in it since, though as many calls were.
func TestReopenedSessionBlockedBy(t *testing.T) {
	a, b := two(t, pastCalls, nil)
	require.NoError(t, a.OpenSession(ctx, "", "s"))
	require.Equal(t, rules.CodeAllowed, decide(t, b, "s", "look", nil)) // b's mirror: opening 1, one event
	require.NoError(t, a.EndSession(ctx, "", "s"))
	require.NoError(t, a.OpenSession(ctx, "", "s"))
	require.Equal(t, rules.CodeAllowed, decide(t, a, "s", "secret", nil)) // opening 2, one event
	require.Equal(t, rules.CodeSequenceViolated, decide(t, b, "s", "send", nil))
}

// And what was required in the last opening is required again.
func TestReopenedSessionRequires(t *testing.T) {
	a, b := two(t, pastCalls, nil)
	require.NoError(t, a.OpenSession(ctx, "", "s"))
	require.Equal(t, rules.CodeAllowed, decide(t, b, "s", "check", nil))
	require.NoError(t, a.EndSession(ctx, "", "s"))
	require.NoError(t, a.OpenSession(ctx, "", "s"))
	require.Equal(t, rules.CodeAllowed, decide(t, a, "s", "look", nil))
	require.Equal(t, rules.CodeSequenceViolated, decide(t, b, "s", "deploy", nil))
}

// A call of the last opening that succeeds is none of this one.
func TestSuccessOfAnotherOpening(t *testing.T) {
	a, b := two(t, pastCalls, nil)
	check := veto.Call{AgentID: "bot", Tool: "check", Session: "s"}
	require.NoError(t, a.OpenSession(ctx, "", "s"))
	old, _, err := a.Reserve(ctx, veto.Call{AgentID: "bot", Tool: "look", Session: "s"}) // event 1 of opening 1, still running
	require.NoError(t, err)
	require.NoError(t, b.EndSession(ctx, "", "s"))
	require.NoError(t, b.OpenSession(ctx, "", "s"))
	_, _, err = b.Reserve(ctx, check) // event 1 of opening 2: runs, and will fail
	require.NoError(t, err)
	require.Equal(t, rules.CodeSequenceViolated, decide(t, b, "s", "deploy", nil))
	require.NoError(t, old.Commit(ctx, ""))
	require.Equal(t, rules.CodeSequenceViolated, decide(t, b, "s", "deploy", nil), "no check has succeeded in this session")
}

// How long ago a call was goes by the clock of the server.
func TestClientClock(t *testing.T) {
	now := time.Now()
	s, p := sharedServer(t), prefix(t)
	a := authorizer(t, s.open(t, vetoredis.Options{Prefix: p}), pastCalls, &veto.Options{Now: func() time.Time { return now }})
	require.NoError(t, a.OpenSession(ctx, "", "s"))
	require.Equal(t, rules.CodeAllowed, decide(t, a, "s", "secret", nil))
	require.Equal(t, rules.CodeSequenceViolated, decide(t, a, "s", "late", nil))
	now = now.Add(time.Hour)
	require.Equal(t, rules.CodeSequenceViolated, decide(t, a, "s", "late", nil), "the server's clock counts")
}

// A call that was made while the session was not open is not in its history,
// also when it succeeds after that.
func TestPhantomEvent(t *testing.T) {
	a, b := two(t, `
policies:
  - id: p
    agentId: "*"
    rules:
      - {type: tool_allowlist, tools: ["*"]}
      - {type: sequence, tools: [deploy], sequence: {requires: [{tools: ["*"]}]}}
`, nil)
	res, _, err := a.Reserve(ctx, veto.Call{AgentID: "bot", Tool: "look", Session: "s"}) // the session is not open
	require.NoError(t, err)
	require.NoError(t, a.OpenSession(ctx, "", "s"))
	require.Equal(t, rules.CodeSequenceViolated, decide(t, b, "s", "deploy", nil))
	require.NoError(t, res.Commit(ctx, ""))
	require.Equal(t, rules.CodeSequenceViolated, decide(t, b, "s", "deploy", nil), "nothing was called in this session")
}

// A token that has been replaced since is not given back.
func TestBucketGivenBackLate(t *testing.T) {
	a := newAsks(t)
	first := a.take("", bucket("k", 200*time.Millisecond, 2))
	pause(300 * time.Millisecond)
	n := 0
	for range 2 {
		if a.take("", bucket("k", 200*time.Millisecond, 2)).Taken {
			n++
		}
	}
	a.back(first)
	if a.take("", bucket("k", 200*time.Millisecond, 2)).Taken {
		n++
	}
	require.LessOrEqual(t, n, 2)
}

// A cost that is said of a call that reserved nothing counts.
func TestZeroThenCorrect(t *testing.T) {
	a := newAsks(t)
	b := a.take("", sum("z", time.Hour, big.NewInt(10), big.NewInt(0)))
	a.correct(b, big.NewInt(1000))
	require.False(t, a.look("", sum("z", time.Hour, big.NewInt(10), big.NewInt(1))).Takes[0].Fits)
}

// A count that went down since is not lowered by what is given back.
func TestTallyDown(t *testing.T) {
	a := newAsks(t)
	a.open("s")
	first := a.take("s", tally("k", 1, 1))
	a.take("s", tally("k", 1, -1))
	require.True(t, a.take("s", tally("k", 1, 1)).Taken)
	a.back(first)
	require.False(t, a.take("s", tally("k", 1, 1)).Taken, "one is out")
}
