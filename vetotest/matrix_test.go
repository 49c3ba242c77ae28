package vetotest_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/useveto/veto-go"
	"github.com/useveto/veto-go/vetotest"
)

func TestMatrixThatHolds(t *testing.T) {
	p := vetotest.Load(t, "testdata/policies.yaml")
	p.Matrix(`
		agent        tool          parameters                    | outcome    [code]
		# A comment | denied
		support-bot  get_order                                   | allowed
		support-bot  get_order     {"q": "a|b", "r": "x | denied"} | allowed
		support-bot  issue_refund  { "order": "A-1001", "amount": 51 } | escalated
		support-bot  issue_refund  {"order":"A-1001","amount":51}|escalated approval_required

		support-bot  issue_refund  {}                            | denied     constraint_violated
		support-bot  issue_refund  {"amount": 5                  | denied     invalid_request
		support-bot  shell.exec    {}                            | denied     default_deny tool_denied
		support-bot	web.search|	allowed
		support-bot  web.search                                  | allowed
		support-bot  web.search                                  | denied     rate_limited
		agent        tool          {}                            | denied
	`)
	p.Matrix("support-bot get_order | allowed\r\nsupport-bot shell.exec {} | denied tool_denied\r\n")
	p.With(veto.Call{Project: "berlin", User: "klara"}).Matrix("support-bot get_order | allowed")
}

// TestMatrixThatFails shows every row, and the failing ones in full.
func TestMatrixThatFails(t *testing.T) {
	text := failure(t, func(p *vetotest.Policies) {
		p.Matrix(`
			support-bot  get_order                                    | allowed
			support-bot  issue_refund  {"order":"A-1001","amount":80} | allowed
			support-bot  shell.exec    {"argv": ["ls"]}               | denied default_deny
			support-bot  web.search    {"q": "go"                     | denied
		`)
	})
	require.Equal(t, `3 of 4 calls are not decided as wanted
      agent        tool          parameters                      | want                 | got
ok    support-bot  get_order     no parameters                   | allowed              | allowed
FAIL  support-bot  issue_refund  {"order":"A-1001","amount":80}  | allowed              | escalated approval_required
FAIL  support-bot  shell.exec    {"argv":["ls"]}                 | denied default_deny  | denied tool_denied
FAIL  support-bot  web.search    "{\"q\": \"go\""                | denied               | denied invalid_request

line 3: "support-bot" calls "issue_refund" with {"order":"A-1001","amount":80}
  want    allowed
  got     escalated approval_required by policy "support", rule "require_approval[0]"
  reason  Tool 'issue_refund' requires approval by policy "Customer support"
  time    2024-01-01T12:00:00Z
  trace   policy "support" (priority 100) escalates: tool_allowlist[0] passes, parameter_constraint[0] passes, require_approval[0] escalates

line 4: "support-bot" calls "shell.exec" with {"argv":["ls"]}
  want    denied default_deny
  got     denied tool_denied by policy "house", rule "tool_denylist[0]"
  reason  Tool 'shell.exec' is denied by policy "House rules"
  time    2024-01-01T12:00:00Z
  trace   policy "house" (priority 1000) denies: tool_denylist[0] denies

line 5: "support-bot" calls "web.search" with "{\"q\": \"go\""
  want    denied
  got     denied invalid_request; a test that means this must name the code
  reason  Invalid request: parameters are not valid JSON
  time    2024-01-01T12:00:00Z
  trace   no policy with a rule about this agent and tool was looked at
`, text)
}

// TestMatrixThatCannotBeRead ends the test before a call is decided, and names
// every line at fault.
func TestMatrixThatCannotBeRead(t *testing.T) {
	read := func(table string) string {
		return fatal(t, func(tb testing.TB) { vetotest.Load(tb, "testdata/policies.yaml").Matrix(table) })
	}
	const form = "this is not an agent, a tool, perhaps project=ID, session=ID or user=ID, perhaps {parameters}, a bar and an outcome: "
	for _, line := range []string{
		"support-bot shell.exec {}",                  // no bar
		"support-bot shell.exec denied",              // no bar
		"shell.exec | denied",                        // no agent
		"shell.exec {} | denied",                     // no agent
		`shell.exec {"q": "a b"} | denied`,           // no agent
		"{} | denied",                                // nobody
		"| denied",                                   // nobody
		"support-bot shell.exec {} |",                // no outcome
		`support-bot shell.exec {"q":"x|denied y"}|`, // no outcome
		"support-bot shell.exec null | denied",       // no object
		"support-bot shell.exec a b | denied",        // no object
		"support-bot shell.exec session= | denied",   // no session
		"support-bot shell.exec call=c | denied",     // no word of a table
		"support-bot shell.exec user=u session=s | denied",
		"support-bot shell.exec user=u user=u | denied",
		"support-bot shell.exec allowed | denied | allowed",
		"agent tool | Outcome x |",
	} {
		require.Equal(t, "vetotest: Matrix: line 1: "+form+line, read(line))
	}
	require.Equal(t, "vetotest: Matrix: "+strings.Join([]string{
		`line 3: rules: unknown outcome "deny": want denied, allowed or escalated: a t {} | deny`,
		`line 5: rules: unknown code "tool_deny": a t | denied tool_deny`,
		`line 6: rules: unknown outcome "outcome": want denied, allowed or escalated: outcome tool | outcome`,
		`line 7: rules: unknown code "#": a t | denied # why`,
	}, "\n"), read("\nagent tool | outcome\na t {} | deny\na t {} | denied\na t | denied tool_deny\noutcome tool | outcome\na t | denied # why"))
	for _, table := range []string{"", " \n\t\n", "# a b | denied", "agent tool parameters | outcome [code]\n"} {
		require.Equal(t, "vetotest: Matrix: the table has no calls", read(table))
	}
}
