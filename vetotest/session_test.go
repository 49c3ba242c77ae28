package vetotest_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/useveto/veto-go"
	"github.com/useveto/veto-go/rules"
	"github.com/useveto/veto-go/vetotest"
)

// TestSessionThatIsNamedIsOpen: no check has to open it.
func TestSessionThatIsNamedIsOpen(t *testing.T) {
	p := vetotest.Load(t, "testdata/sessions.yaml")
	s := p.With(veto.Call{Session: "s"})
	s.Allows("mail-bot", "send_email", nil)
	s.Allows("mail-bot", "web.fetch", nil)
	s.Denies("mail-bot", "send_email", nil, rules.CodeSequenceViolated)
	s.With(veto.Call{Session: "s"}).Denies("mail-bot", "send_email", nil) // the same session
	p.With(veto.Call{Session: "s", Project: "oslo"}).Allows("mail-bot", "send_email", nil)
	p.With(veto.Call{Session: "t"}).Allows("mail-bot", "send_email", nil)
	p.Denies("mail-bot", "send_email", nil, rules.CodeSessionUnknown) // of none
}

// TestSessionEnds as it does in a program, and being named again does not open
// it again.
func TestSessionEnds(t *testing.T) {
	p := vetotest.Load(t, "testdata/sessions.yaml")
	s := p.With(veto.Call{Session: "s"})
	s.Allows("mail-bot", "send_email", nil)
	require.NoError(t, p.Authorizer().EndSession(context.Background(), "", "s"))
	s.Denies("mail-bot", "send_email", nil, rules.CodeSessionUnknown)
	p.With(veto.Call{Session: "s"}).Denies("mail-bot", "send_email", nil, rules.CodeSessionUnknown)
	p.Matrix("mail-bot send_email session=s | denied session_unknown")
	require.NoError(t, p.Authorizer().OpenSession(context.Background(), "", "s"))
	s.Allows("mail-bot", "send_email", nil)
	p.Advance(24 * time.Hour)
	s.Denies("mail-bot", "send_email", nil, rules.CodeSessionUnknown)
}

func TestMatrixOfSessions(t *testing.T) {
	p := vetotest.Load(t, "testdata/sessions.yaml").With(veto.Call{Session: "s", User: "klara"})
	p.Matrix(`
		agent     tool        session    parameters   | outcome
		mail-bot  web.fetch              {"q":"a|b"}  | allowed
		mail-bot  send_email  session=s               | denied   sequence_violated
		mail-bot  send_email  session=t  {}           | allowed
		mail-bot  ask_model   project=oslo session=s user=tom {} | allowed
		mail-bot  ask_model   session=t | allowed
		mail-bot  ask_model   session=t| allowed
		mail-bot  ask_model   session=t               | denied   budget_exceeded
		mail-bot  ask_model   user=tom                | allowed
	`)
	text := strings.Join(run(t, func(tb testing.TB) {
		p := vetotest.Load(tb, "testdata/sessions.yaml").With(veto.Call{Session: "s"})
		p.Matrix(`
			mail-bot  web.fetch                                       | allowed
			mail-bot  send_email  project=oslo   session=t user=klara {"to": "a"} | denied
		`)
	}).errors, "\n")
	require.Contains(t, text, `
      agent     tool        parameters                                    | want     | got
ok    mail-bot  web.fetch   no parameters                                 | allowed  | allowed
FAIL  mail-bot  send_email  project=oslo session=t user=klara {"to":"a"}  | denied   | allowed
`)
	require.Contains(t, text, `"mail-bot" calls "send_email" with {"to":"a"}, project "oslo", session "t", user "klara"`)
}

// TestSessionThatCannotBe is noted, and its calls are what they are.
func TestSessionThatCannotBe(t *testing.T) {
	set, err := veto.LoadFile("testdata/sessions.yaml")
	require.NoError(t, err)
	p := vetotest.New(t, set, &veto.Options{Project: "oslo"})
	p.With(veto.Call{Session: "a\nb"}).Denies("mail-bot", "send_email", nil, rules.CodeInvalidRequest)
	p.With(veto.Call{Project: "bergen", Session: "s"}).Denies("mail-bot", "send_email", nil, rules.CodeInvalidRequest)
	r := run(t, func(tb testing.TB) { vetotest.Load(tb, "testdata/sessions.yaml").With(veto.Call{Session: "a\nb"}) })
	require.Len(t, r.logs, 1)
	require.Contains(t, r.logs[0], `vetotest: session "a\nb" of project "" is not open: `)
}
