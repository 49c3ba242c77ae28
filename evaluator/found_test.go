package evaluator

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/useveto/veto-go/rules"
)

// A new counter makes room by dropping idle ones of its shard, which may be
// the very one that the call's next limit has found: that limit counts the
// call all the same.
func TestMakingRoomDropsWhatWasFound(t *testing.T) {
	limit := func(id, per string) rules.Rule {
		return rules.Rule{
			Type: rules.RateLimited, ID: id, Tools: []string{"t"},
			RateLimit: &rules.RateLimit{MaxCalls: 1, WindowSeconds: 1, Per: []string{per}},
		}
	}
	p, err := Compile(&rules.PolicySet{Policies: []rules.Policy{{ID: "p", AgentID: "*", Rules: []rules.Rule{
		{Type: rules.ToolAllowlist, Tools: []string{"t"}}, limit("agent", "agent"), limit("user", "user"),
	}}}}, nil)
	require.NoError(t, err)
	var e Evaluation
	s, now := NewState(nil), time.Now()
	allowed := func(agent, user string) bool {
		p.Decide(&e, &rules.Call{AgentID: agent, Tool: "t", User: user}, now)
		return e.Settle(s).Cause().Outcome == rules.Allowed
	}
	for i := range 1000 { // of which a few have both counters in one shard
		user := fmt.Sprint("user-", i)
		now = now.Add(time.Minute)
		require.True(t, allowed(fmt.Sprint("first-", i), user))
		now = now.Add(time.Minute)
		require.True(t, allowed(fmt.Sprint("second-", i), user))
		require.False(t, allowed(fmt.Sprint("third-", i), user), user)
	}
	checkState(t, s)
}
