package evaluator

import (
	"unicode/utf8"

	"github.com/useveto/veto-go/internal/constraint"
	"github.com/useveto/veto-go/internal/value"
	"github.com/useveto/veto-go/rules"
)

// inputLimits bound a call. The zero value of each field is its default.
type inputLimits struct {
	bytes   int
	project string // "" for any
	// needProject and needSession refuse calls without one.
	needProject, needSession bool
}

// Invalid returns the cause of an invalid request; detail says what is wrong
// and must not hold text of the call. For causes that are given often, keep
// the result.
func Invalid(detail string) *Cause {
	return newCause(Cause{Code: rules.CodeInvalidRequest, Basis: rules.Basis{Detail: detail}})
}

// TicketCause returns the cause of a decision that the ticket of a policy
// gives; detail says more, and must not hold text of the call.
func TicketCause(code rules.Code, detail, policyID, ruleID, policyDigest string) *Cause {
	c := Cause{Code: code, PolicyID: policyID, RuleID: ruleID, PolicyDigest: policyDigest, Basis: rules.Basis{Detail: detail, PolicyName: policyID}}
	if code == rules.CodeApprovalRequired {
		c.Outcome = rules.Escalated
	}
	return newCause(c)
}

// NewCause returns the cause of a denial that no policy gave.
func NewCause(code rules.Code) *Cause { return newCause(Cause{Code: code}) }

var (
	badTool       = Invalid("tool name is not 1..255 bytes of printable ASCII without space")
	badAgent      = Invalid("agent id is not 1..255 bytes without control characters")
	agentWildcard = Invalid(`agent id is "*"`)
	badProject    = Invalid("project is not at most 255 bytes without control characters")
	badSession    = Invalid("session is not at most 255 bytes without control characters")
	badUser       = Invalid("user is not at most 255 bytes without control characters")
	badCallID     = Invalid("call id is not at most 255 bytes without control characters")
	noProject     = Invalid("a project is required")
	otherProject  = Invalid("project is not the one that decisions are bound to")
	noSession     = Invalid("a session is required")
	badParameters = invalidInputs("parameters ")
	badContext    = invalidInputs("context values ")
)

// invalidInputs makes the causes of every problem that a tree can have.
func invalidInputs(subject string) []*Cause {
	causes := make([]*Cause, value.Problems)
	for p := range causes {
		causes[p] = Invalid(subject + value.Problem(p).String())
	}
	return causes
}

// maxName is the most bytes of a tool name or an id.
const maxName = 255

// CheckInput checks the call against the bounds, as Decide does first. It
// returns nil where all is well.
func (p *Program) CheckInput(e *Evaluation, call *rules.Call) *Cause {
	// Parameters are read also where a name is wrong: the record of such a
	// call is to show them.
	names, values := p.checkNames(call), p.readValues(e, call)
	if names != nil {
		return names
	}
	return values
}

func (p *Program) checkNames(call *rules.Call) *Cause {
	switch {
	case !validTool(call.Tool):
		return badTool
	case call.AgentID == "" || !validID(call.AgentID):
		return badAgent
	case call.AgentID == "*":
		return agentWildcard
	case !validID(call.Project):
		return badProject
	case !validID(call.Session):
		return badSession
	case !validID(call.User):
		return badUser
	case !validID(call.CallID):
		return badCallID
	case p.limits.needProject && call.Project == "":
		return noProject
	case p.limits.project != "" && call.Project != p.limits.project:
		return otherProject
	case p.limits.needSession && call.Session == "":
		return noSession
	default:
		return nil
	}
}

// readValues fills the trees.
func (p *Program) readValues(e *Evaluation, call *rules.Call) *Cause {
	lim := value.DefaultLimits
	if p.limits.bytes > 0 {
		lim.Bytes = p.limits.bytes
	}
	if bad := e.args.SetGo(call.Parameters, lim); bad != value.OK {
		if refused, ok := call.Parameters.(*value.Refused); ok && refused != nil && refused.Detail != "" {
			return Invalid("parameters " + refused.Detail)
		}
		return badParameters[bad]
	}
	e.read = true
	if call.Context == nil {
		return nil
	}
	lim.Bytes -= e.args.Size()
	if bad := e.context.SetGo(call.Context, lim); bad != value.OK {
		return badContext[bad]
	}
	return nil
}

func validTool(s string) bool {
	if len(s) == 0 || len(s) > maxName {
		return false
	}
	for i := 0; i < len(s); i++ {
		if s[i] <= ' ' || s[i] > '~' {
			return false
		}
	}
	return true
}

// validID reports whether s is at most 255 bytes of UTF-8 without control
// characters (C0, DEL and C1).
func validID(s string) bool {
	if len(s) > maxName {
		return false
	}
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c < ' ' || c == 0x7f:
			return false
		case c >= utf8.RuneSelf:
			return constraint.PlainText(s)
		}
	}
	return true
}
