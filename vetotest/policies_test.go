package vetotest_test

import (
	"context"
	"encoding/json"
	"errors"
	"math"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/useveto/veto-go"
	"github.com/useveto/veto-go/audit"
	"github.com/useveto/veto-go/rules"
	"github.com/useveto/veto-go/vetotest"
)

func TestChecksThatHoldSayNothing(t *testing.T) {
	p := vetotest.Load(t, "testdata/policies.yaml")
	p.Allows("support-bot", "get_order", nil)
	p.Allows("support-bot", "issue_refund", `{"order":"A-1001","amount":50}`)
	p.Allows("support-bot", "issue_refund", []byte(`{"order":"A-1001","amount":50}`))
	p.Allows("support-bot", "issue_refund", json.RawMessage(`{"order":"A-1001","amount":50}`))
	p.Allows("support-bot", "issue_refund", map[string]any{"order": "A-1001", "amount": 50})
	p.Escalates("support-bot", "issue_refund", `{"order":"A-1001","amount":51}`)
	p.Denies("support-bot", "issue_refund", `{"order":"A-1099","amount":1}`)
	p.Denies("support-bot", "shell.exec", nil, rules.CodeToolDenied)
	p.Denies("support-bot", "drop_table", nil, rules.CodeToolDenied, rules.CodeDefaultDeny)
	p.Denies("stranger", "get_order", nil)
}

// TestChecksFail has, for every outcome that is wanted, the two that are not.
func TestChecksFail(t *testing.T) {
	const small, large, huge = `{"order":"A-1","amount":1}`, `{"order":"A-1001","amount":51}`, `{"order":"A-1001","amount":201}`
	for _, c := range []struct {
		name, want string
		check      func(p *vetotest.Policies)
	}{
		{"allows, denied", "want    allowed\n  got     denied constraint_violated by", func(p *vetotest.Policies) { p.Allows("support-bot", "issue_refund", huge) }},
		{"allows, escalated", "want    allowed\n  got     escalated approval_required by", func(p *vetotest.Policies) { p.Allows("support-bot", "issue_refund", large) }},
		{"denies, allowed", "want    denied\n  got     allowed by", func(p *vetotest.Policies) { p.Denies("support-bot", "get_order", nil) }},
		{"denies, escalated", "want    denied\n  got     escalated approval_required by", func(p *vetotest.Policies) { p.Denies("support-bot", "issue_refund", large) }},
		{"escalates, allowed", "want    escalated\n  got     allowed by", func(p *vetotest.Policies) { p.Escalates("support-bot", "get_order", nil) }},
		{"escalates, denied", "want    escalated\n  got     denied constraint_violated by", func(p *vetotest.Policies) { p.Escalates("support-bot", "issue_refund", small) }},
		{"another code", "want    denied default_deny\n  got     denied tool_denied by", func(p *vetotest.Policies) { p.Denies("support-bot", "shell.exec", nil, rules.CodeDefaultDeny) }},
		{"other codes", "want    denied default_deny rate_limited\n  got     denied tool_denied by", func(p *vetotest.Policies) {
			p.Denies("support-bot", "shell.exec", nil, rules.CodeDefaultDeny, rules.CodeRateLimited)
		}},
		{"the code of an escalation", "want    denied approval_required\n  got     escalated approval_required by", func(p *vetotest.Policies) {
			p.Denies("support-bot", "issue_refund", large, rules.CodeApprovalRequired)
		}},
	} {
		t.Run(c.name, func(t *testing.T) { require.Contains(t, failure(t, c.check), c.want) })
	}
}

// TestMishapsMustBeNamed: a denial that says that something is wrong with the
// call or the policy is not one that a test had in mind.
func TestMishapsMustBeNamed(t *testing.T) {
	const note = "; a test that means this must name the code\n"
	invalid := failure(t, func(p *vetotest.Policies) { p.Denies("support-bot", "issue_refund", `{"amount": 5`) })
	require.Contains(t, invalid, "got     denied invalid_request"+note)
	failed := failure(t, func(p *vetotest.Policies) {
		p.With(veto.Call{Project: "berlin"}).Denies("support-bot", "get_order", nil)
	})
	require.Contains(t, failed, `got     denied evaluation_error by policy "berlin", rule "tool_denylist[0]"`+note)
	require.Contains(t, failed, "the condition reads a value that is absent")

	p := vetotest.Load(t, "testdata/policies.yaml")
	p.Denies("support-bot", "issue_refund", `{"amount": 5`, rules.CodeInvalidRequest)
	p.Denies("support-bot", "issue_refund", `{}`, []veto.Code{}...)
	p.With(veto.Call{Project: "berlin"}).Denies("support-bot", "get_order", nil, rules.CodeEvaluationError)
}

// TestUnknownSessionMustBeNamed: a test that forgets the session would find
// everything denied that a rule about sessions is about.
func TestUnknownSessionMustBeNamed(t *testing.T) {
	set, err := veto.Load("p.yaml", []byte(`
policies:
  - id: p
    agentId: bot
    rules:
      - {type: tool_allowlist, tools: [t]}
      - {type: budget, tools: [t], budget: {cost: 1, max: 1, perSession: true}}
`))
	require.NoError(t, err)
	r := run(t, func(tb testing.TB) {
		p := vetotest.New(tb, set, nil)
		p.Denies("bot", "t", nil, rules.CodeSessionUnknown)
		p.Denies("bot", "t", nil)
	})
	require.Len(t, r.errors, 1)
	require.Contains(t, r.errors[0], "budget[0] denies")
}

// failing keeps no record.
type failing struct{}

func (failing) Record(context.Context, *audit.Record) error { return errors.New("disk full") }

// TestAnswerThatTheTraceDoesNotShow: what is decided after the trace was made
// is told apart from it.
func TestAnswerThatTheTraceDoesNotShow(t *testing.T) {
	r := run(t, func(tb testing.TB) {
		set, err := veto.LoadFile("testdata/policies.yaml")
		require.NoError(tb, err)
		p := vetotest.New(tb, set, &veto.Options{Sink: failing{}})
		p.Denies("support-bot", "get_order", nil, rules.CodeAuditFailed)
		p.Denies("support-bot", "get_order", nil)
	})
	require.Len(t, r.errors, 1)
	require.Contains(t, r.errors[0], "got     denied audit_failed; a test")
	require.Contains(t, r.errors[0], "\n  before  allowed by policy \"support\", rule \"tool_allowlist[0]\"; the trace is of the moment before\n")
}

// TestTraceIsOfTheCallThatWasDecided: the call takes the last room in a limit,
// and its trace does not say that there is none.
func TestTraceIsOfTheCallThatWasDecided(t *testing.T) {
	text := failure(t, func(p *vetotest.Policies) {
		p.Allows("support-bot", "web.search", nil)
		p.Denies("support-bot", "web.search", nil)
	})
	require.Contains(t, text, "rate_limit[0] passes")
	require.NotContains(t, text, "before")
	text = failure(t, func(p *vetotest.Policies) {
		p.Allows("support-bot", "web.search", nil)
		p.Advance(time.Second)
		p.Allows("support-bot", "web.search", nil)
		p.Allows("support-bot", "web.search", nil)
	})
	require.Equal(t, `"support-bot" calls "web.search" with no parameters
  want    allowed
  got     denied rate_limited by policy "support", rule "rate_limit[0]", for another 59s
  reason  Tool 'web.search' exceeded 2 calls per 60 seconds
  time    2024-01-01T12:00:01Z
  shadow  policy "trial" (priority 200) denies: tool_denylist[0] denies
  trace   policy "support" (priority 100) denies: tool_allowlist[0] passes, rate_limit[0] denies`, text)
}

func TestCallsCountAlsoWhenTheyShouldNot(t *testing.T) {
	r := run(t, func(tb testing.TB) {
		p := vetotest.Load(tb, "testdata/policies.yaml")
		p.Denies("support-bot", "web.search", nil)
		p.Escalates("support-bot", "web.search", nil)
		p.Denies("support-bot", "web.search", nil, rules.CodeRateLimited)
	})
	require.Len(t, r.errors, 2)
}

func TestNothingWasLookedAt(t *testing.T) {
	const nothing = "trace   no policy with a rule about this agent and tool was looked at"
	require.Contains(t, failure(t, func(p *vetotest.Policies) { p.Allows("support-bot", "drop_table", nil) }), nothing)
	require.Contains(t, failure(t, func(p *vetotest.Policies) { p.Allows("support-bot", "a tool", nil) }), nothing)
	require.Contains(t, failure(t, func(p *vetotest.Policies) {
		p.Authorizer().SuspendAll()
		p.Allows("support-bot", "get_order", nil)
	}), nothing)
}

func TestParametersAreShown(t *testing.T) {
	for _, c := range []struct {
		params any
		want   string
	}{
		{nil, "no parameters"},
		{"", "no parameters"},
		{[]byte(nil), "no parameters"},
		{"{\n\t\"q\": \"a b\"\n}", `{"q":"a b"}`},
		{[]byte(`{ }`), `{}`},
		{json.RawMessage(`{ "n": 1e400 }`), `{"n":1e400}`},
		{map[string]any{"b": 1, "a": []int{2}}, `{"a":[2],"b":1}`},
		{"{\x00", `"{\x00"`},
		{map[string]any{"n": math.NaN()}, "a map[string]interface {} that is no JSON (json: unsupported value: NaN)"},
		{`{"q":"` + strings.Repeat("é", 2000) + `"}`, `{"q":"` + strings.Repeat("é", 497) + "… (4008 bytes)"},
	} {
		text := failure(t, func(p *vetotest.Policies) { p.Allows("stranger", "web.search", c.params) })
		first, _, _ := strings.Cut(text, "\n")
		require.Equal(t, `"stranger" calls "web.search" with `+c.want, first)
	}
}

func TestWith(t *testing.T) {
	p := vetotest.Load(t, "testdata/policies.yaml")
	berlin := p.With(veto.Call{Project: "berlin", User: "tom", Context: `{"tier":"gold"}`})
	berlin.Allows("support-bot", "get_order", nil)
	berlin.With(veto.Call{Project: "berlin", User: "tom", Context: `{"tier":"tin"}`}).Denies("support-bot", "get_order", nil, rules.CodeToolDenied)
	berlin.Allows("support-bot", "get_order", nil) // still for gold
	// An identity replaces the whole of the one before.
	berlin.With(veto.Call{User: "tom"}).Allows("support-bot", "web.search", nil)
	p.Allows("support-bot", "web.search", nil)
	p.With(veto.Call{Session: "s"}).Denies("support-bot", "web.search", nil, rules.CodeRateLimited)
	p.With(veto.Call{}).Advance(time.Minute)
	p.Allows("support-bot", "web.search", nil)

	text := failure(t, func(p *vetotest.Policies) {
		p.With(veto.Call{Project: "oslo", Session: "s", User: "u", CallID: "c", Context: map[string]any{"k": 1}}).Allows("stranger", "t", nil)
	})
	first, _, _ := strings.Cut(text, "\n")
	require.Equal(t, `"stranger" calls "t" with no parameters, project "oslo", session "s", user "u", call id "c", context {"k":1}`, first)
	for _, call := range []veto.Call{{AgentID: "a"}, {Tool: "t"}, {Parameters: "{}"}} {
		require.Contains(t, fatal(t, func(tb testing.TB) { vetotest.Load(tb, "testdata/policies.yaml").With(call) }), "With: leave out AgentID")
	}
}

func TestAuthorizerIsTheOneThatIsTested(t *testing.T) {
	p := vetotest.Load(t, "testdata/policies.yaml")
	for range 2 {
		_, err := p.Authorizer().Authorize(context.Background(), "support-bot", "web.search", nil)
		require.NoError(t, err)
	}
	p.Denies("support-bot", "web.search", nil, rules.CodeRateLimited)
	p.Authorizer().Suspend("support-*")
	p.Denies("support-bot", "get_order", nil, rules.CodeAgentSuspended)
}

func TestLoad(t *testing.T) {
	p := vetotest.Load(t, "testdata/split")
	p.Allows("bot", "a", nil)
	p.Allows("bot", "b", nil)
	require.Contains(t, fatal(t, func(tb testing.TB) { vetotest.Load(tb, "testdata/none.yaml") }), "none.yaml")
	require.Contains(t, fatal(t, func(tb testing.TB) { vetotest.Load(tb, t.TempDir()) }), "no policy documents")
	broken := t.TempDir() + "/broken.yaml"
	require.NoError(t, os.WriteFile(broken, []byte("policies: [{id: p}]\nrules: []\n"), 0o600))
	require.Regexp(t, `broken\.yaml:1:\d+: .*\n.*broken\.yaml:2:1: `, fatal(t, func(tb testing.TB) { vetotest.Load(tb, broken) }))
}

func TestNewTakesOptions(t *testing.T) {
	set, err := veto.Load("p.yaml", []byte(`policies: [{id: p, agentId: bot, rules: [{type: parameter_constraint, tools: [t], parameters: {n: {max: 1}}}]}]`))
	require.NoError(t, err)
	vetotest.New(t, set, nil).Allows("bot", "t", `{"n":1}`)
	memory := audit.NewMemory(nil)
	opts := &veto.Options{StrictGrant: true, Sink: memory}
	vetotest.New(t, set, opts).Denies("bot", "t", `{"n":1}`, rules.CodeDefaultDeny)
	require.Nil(t, opts.Now, "the options are the caller's")
	records, _ := memory.Query(audit.Query{})
	require.Len(t, records, 1, "Explain records nothing")
	require.Contains(t, fatal(t, func(tb testing.TB) { vetotest.New(tb, nil, nil) }), "the policy set is nil")
	require.Contains(t, fatal(t, func(tb testing.TB) { vetotest.New(tb, set, &veto.Options{Mode: 9}) }), "Options.Mode")
}

func TestGoroutines(t *testing.T) {
	r := run(t, func(tb testing.TB) {
		p := vetotest.Load(tb, "testdata/policies.yaml")
		var wg sync.WaitGroup
		for range 8 {
			wg.Go(func() { p.Allows("support-bot", "web.search", nil) })
		}
		wg.Wait()
		p.Advance(time.Minute)
	})
	require.Len(t, r.errors, 6)
}
