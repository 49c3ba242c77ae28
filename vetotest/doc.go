// Package vetotest tests policies: that the calls which should run are
// allowed, and those which should not are refused, for the right reason.
//
//	func TestPolicy(t *testing.T) {
//		p := vetotest.Load(t, "policies.yaml")
//		p.Allows("support-bot", "get_order", `{"order_id":"A-1001"}`)
//		p.Denies("support-bot", "shell.exec", nil, rules.CodeToolDenied)
//		p.Escalates("support-bot", "issue_refund", map[string]any{"amount": 80})
//	}
//
// Many calls read best as a table, one call a line; see [Policies.Matrix].
//
//	p.Matrix(`
//		agent        tool          parameters       | outcome
//		support-bot  get_order     {"id":"A-1001"}  | allowed
//		support-bot  shell.exec                     | denied tool_denied
//	`)
//
// A check that fails marks the test as failed and lets it go on. It prints the
// call with its parameters, what was wanted, what came and why, and what every
// policy and rule that was looked at said. Parameters are printed as they are,
// not redacted: keep secrets out of tests.
//
// # Calls count
//
// Each check decides its call as a program would. A call that is allowed
// counts against the limits, also where the test wanted something else, so the
// order of checks matters as the order of calls does. Subtests that are not to
// see each other's calls make their own [Policies]; so do subtests in general,
// for a failure is reported to the test that Load or New was given.
//
// # Sessions
//
// A session that [Policies.With] or a line of a table names is open, so that
// rules about sessions hold in it:
//
//	p.Matrix(`
//		agent      tool        session   parameters              | outcome
//		mail-bot   web.fetch   session=s                         | allowed
//		mail-bot   send_email  session=s {"to":"a@example.com"}  | denied sequence_violated
//		mail-bot   send_email  session=t {"to":"a@example.com"}  | allowed
//	`)
//
// A call without a session is of none, which those rules deny. What is not
// known after a restart is tested by ending the session:
//
//	p.Authorizer().EndSession(ctx, "", "s")
//
// # Time
//
// Tests have a clock of their own, which moves only when it is told to by
// [Policies.At] and [Policies.Advance]. It begins at noon UTC on Monday, 1
// January 2024, as it does for the examples in policy documents.
//
// # Denied for another reason
//
// A call with a slip in its JSON is refused as well, and a test that wants any
// refusal would be content with that. So a test that names no code wants the
// policies to be against the call: a denial because the call is invalid, its
// session not known, a rule not to be evaluated or something out of reach has
// to be asked for by its code.
package vetotest
