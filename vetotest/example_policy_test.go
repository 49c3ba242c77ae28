package vetotest_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/useveto/veto-go"
	"github.com/useveto/veto-go/rules"
	"github.com/useveto/veto-go/vetotest"
)

// printing stands for the *testing.T of a test, and prints its failures.
type printing struct{ testing.TB }

func (printing) Helper()                           {}
func (printing) Errorf(format string, args ...any) { fmt.Printf(format+"\n", args...) }
func (printing) Fatalf(format string, args ...any) { panic(fmt.Sprintf(format, args...)) }

// A test of a policy. The second check fails, and says why.
func Example() {
	t := printing{} // in a test, its *testing.T
	p := vetotest.Load(t, "testdata/policies.yaml")
	p.Allows("support-bot", "issue_refund", `{"order":"A-1001","amount":20}`)
	p.Allows("support-bot", "issue_refund", `{"order":"A-1001","amount":900}`)
	p.Escalates("support-bot", "issue_refund", `{"order":"A-1001","amount":80}`)
	p.Denies("support-bot", "shell.exec", nil, rules.CodeToolDenied)
	// Output:
	// "support-bot" calls "issue_refund" with {"order":"A-1001","amount":900}
	//   want    allowed
	//   got     denied constraint_violated by policy "support", rule "parameter_constraint[0]"
	//   reason  Tool 'issue_refund' parameter 'amount' violates constraint
	//   time    2024-01-01T12:00:00Z
	//   trace   policy "support" (priority 100) denies: tool_allowlist[0] passes, parameter_constraint[0] denies (parameter "amount" is 900), require_approval[0] escalates
}

// A policy in a table. When a call is decided differently, the whole table is
// shown, and why.
func ExamplePolicies_Matrix() {
	t := printing{} // in a test, its *testing.T
	p := vetotest.Load(t, "testdata/policies.yaml")
	p.Matrix(`
		agent        tool          parameters                       | outcome    code
		support-bot  get_order                                      | allowed
		support-bot  issue_refund  {"order":"A-1001","amount":20}   | escalated
		support-bot  issue_refund  {"order":"A-1099","amount":20}   | denied     constraint_violated

		# Nobody has a shell.
		support-bot  shell.exec                                     | denied     tool_denied
		report-bot   shell.exec                                     | denied     tool_denied
	`)
	// Output:
	// 1 of 5 calls are not decided as wanted
	//       agent        tool          parameters                      | want                        | got
	// ok    support-bot  get_order     no parameters                   | allowed                     | allowed
	// FAIL  support-bot  issue_refund  {"order":"A-1001","amount":20}  | escalated                   | allowed
	// ok    support-bot  issue_refund  {"order":"A-1099","amount":20}  | denied constraint_violated  | denied constraint_violated
	// ok    support-bot  shell.exec    no parameters                   | denied tool_denied          | denied tool_denied
	// ok    report-bot   shell.exec    no parameters                   | denied tool_denied          | denied tool_denied
	//
	// line 4: "support-bot" calls "issue_refund" with {"order":"A-1001","amount":20}
	//   want    escalated
	//   got     allowed by policy "support", rule "tool_allowlist[0]"
	//   reason  Allowed by policy "Customer support"
	//   time    2024-01-01T12:00:00Z
	//   trace   policy "support" (priority 100) allows: tool_allowlist[0] passes, parameter_constraint[0] passes, require_approval[0] not relevant
}

// Limits and hours, without waiting.
func ExamplePolicies_Advance() {
	t := printing{} // in a test, its *testing.T
	p := vetotest.Load(t, "testdata/policies.yaml")
	p.Allows("support-bot", "web.search", nil)
	p.Allows("support-bot", "web.search", nil)
	p.Denies("support-bot", "web.search", nil, rules.CodeRateLimited)
	p.Advance(time.Minute)
	p.Allows("support-bot", "web.search", nil)

	p.At("2026-01-05T23:30:00+01:00")
	p.Allows("report-bot", "export_report", nil)
	p.Advance(time.Hour)
	p.Denies("report-bot", "export_report", nil, rules.CodeOutsideTimeWindow)
	fmt.Println("all as wanted")
	// Output: all as wanted
}

// Calls of a project and a user.
func ExamplePolicies_With() {
	t := printing{} // in a test, its *testing.T
	p := vetotest.Load(t, "testdata/policies.yaml")
	klara := p.With(veto.Call{Project: "berlin", User: "klara"})
	klara.Allows("support-bot", "get_order", nil)
	tom := p.With(veto.Call{Project: "berlin", User: "tom", Context: `{"tier":"silver"}`})
	tom.Denies("support-bot", "get_order", nil, rules.CodeToolDenied)
	fmt.Println("all as wanted")
	// Output: all as wanted
}

// What was done before in a session. Naming a session opens it.
func ExamplePolicies_Matrix_sessions() {
	t := printing{} // in a test, its *testing.T
	p := vetotest.Load(t, "testdata/sessions.yaml")
	p.Matrix(`
		agent     tool        session    parameters              | outcome
		mail-bot  send_email  session=a  {"to":"a@example.com"}  | allowed
		mail-bot  web.fetch   session=a                          | allowed
		mail-bot  send_email  session=a  {"to":"a@example.com"}  | allowed
		mail-bot  send_email  session=b  {"to":"a@example.com"}  | allowed
	`)
	// Output:
	// 1 of 4 calls are not decided as wanted
	//       agent     tool        parameters                        | want     | got
	// ok    mail-bot  send_email  session=a {"to":"a@example.com"}  | allowed  | allowed
	// ok    mail-bot  web.fetch   session=a no parameters           | allowed  | allowed
	// FAIL  mail-bot  send_email  session=a {"to":"a@example.com"}  | allowed  | denied sequence_violated
	// ok    mail-bot  send_email  session=b {"to":"a@example.com"}  | allowed  | allowed
	//
	// line 5: "mail-bot" calls "send_email" with {"to":"a@example.com"}, session "a"
	//   want    allowed
	//   got     denied sequence_violated by policy "mail", rule "leak"
	//   reason  Tool 'send_email' is not permitted after an earlier call of this session
	//   time    2024-01-01T12:00:00Z
	//   trace   policy "mail" (priority 0) denies: tool_allowlist[0] passes, leak denies
}
