package evaluator

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/useveto/veto-go/rules"
)

// Where all counters of an agent have run out, one that asks again and again
// for another comes to have room: whatever table they are in, and also if what
// it asks for is in a session, or a value.
func TestWhatHasRunOutMakesRoomEverywhere(t *testing.T) {
	perKey := func(tool string, r rules.Rule) rules.Rule { r.Tools = []string{tool}; return r }
	p := compiled(t, anySet(
		perKey("old", rules.Rule{Type: rules.RateLimited, RateLimit: &rules.RateLimit{MaxCalls: 1, WindowSeconds: 60, Per: []string{"param:k"}}}),
		perKey("new", rules.Rule{Type: rules.RateLimited, RateLimit: &rules.RateLimit{MaxCalls: 1, WindowSeconds: 60, Per: []string{"tool"}}}),
		perKey("session", rules.Rule{Type: rules.Budgeted, Budget: &rules.Budget{Cost: num("1"), Max: num("9"), PerSession: true}}),
	))
	for _, keys := range []int{1, 4, 30, 300} {
		for _, tool := range []string{"new", "session"} {
			t.Run(fmt.Sprint(tool, " ", keys), func(t *testing.T) {
				s := NewState(&StateOptions{MaxKeysPerAgent: keys})
				later := wallStart.Add(time.Hour)
				ask := func(tool string, k int, now time.Time) rules.Code {
					var e Evaluation
					p.Decide(&e, &rules.Call{AgentID: "bot", Tool: tool, Session: "s", Parameters: map[string]any{"k": k}}, now)
					return e.Settle(s).Cause().Code
				}
				for k := range keys {
					require.Equal(t, rules.CodeAllowed, ask("old", k, wallStart))
				}
				require.NoError(t, s.OpenSession("", "s", later))
				code := rules.CodeLimitsUnavailable
				for range keys {
					if code = ask(tool, 0, later); code == rules.CodeAllowed {
						break
					}
				}
				require.Equal(t, rules.CodeAllowed, code)
				checkState(t, s)
			})
		}
	}
}
