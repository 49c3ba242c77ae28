package rules

import (
	"encoding/json"
	"strconv"
	"time"
)

// Result is the decision on one call. The zero Result is a denial.
//
// A Result is a value: it may be copied and kept. What it points to is
// immutable and shared, so keeping it keeps the policies it was made from.
type Result struct {
	// Allowed is true exactly when Outcome is Allowed.
	Allowed bool
	Outcome Outcome
	Code    Code
	Mode    Mode
	// DecisionID is unique to this decision.
	DecisionID ID
	// MatchedPolicyID and MatchedRuleID say what decided; they are empty
	// where no policy did.
	MatchedPolicyID string
	MatchedRuleID   string
	// PolicyRevision names the policies that were in force.
	PolicyRevision string
	// ApprovalID names the ticket of an escalation.
	ApprovalID string
	// EvaluatedAt is the time that the decision is about.
	EvaluatedAt time.Time
	// RetryAfter, of a limit: how long until it has room again.
	RetryAfter time.Duration
	// Reason is a sentence for people. It never quotes a parameter's value.
	Reason Reason
	// Shadow holds what shadow policies would have said.
	Shadow []ShadowResult
}

// RunsUnderMode reports whether a guard runs the tool: where the call is
// allowed, and in the modes shadow and log also where a policy, and nothing
// else, stands against it.
func (r Result) RunsUnderMode() bool {
	if r.Allowed {
		return true
	}
	if r.Mode != Shadow && r.Mode != Log {
		return false
	}
	switch r.Code {
	case CodeDefaultDeny, CodePolicyNotFound, CodeToolDenied, CodeConstraintViolated, CodeRateLimited,
		CodeBudgetExceeded, CodeOutsideTimeWindow, CodeSequenceViolated, CodeSessionUnknown,
		CodeApprovalRequired, CodeApprovalDenied, CodeApprovalExpired, CodeApprovalLimit:
		return true
	default:
		return false
	}
}

// ForModel returns a sentence about the decision that may be shown to the
// model: it names no policy, no rule, no bound and no value. [Result.Reason] is
// for operators. It is empty where the call is allowed.
func (r Result) ForModel() string {
	if r.Allowed {
		return ""
	}
	if r.RetryAfter > 0 {
		seconds := int64((r.RetryAfter + time.Second - 1) / time.Second)
		return "This call is not permitted now. It can be tried again in " + strconv.FormatInt(seconds, 10) + " seconds."
	}
	switch r.Code {
	case CodeApprovalRequired:
		if r.ApprovalID == "" {
			return "This call needs the approval of a human, who has not been asked."
		}
		return "This call needs the approval of a human, who has not answered yet."
	case CodeApprovalDenied:
		if r.Reason.basis != nil && r.Reason.basis.Detail != "" { // no human has denied it
			return "There is no valid approval of this call."
		}
		return "A human did not approve this call."
	case CodeApprovalExpired:
		return "The approval of this call is no longer valid."
	case CodeConstraintViolated:
		return "This call is not permitted with these arguments."
	case CodeInvalidRequest:
		return "This call is not valid as it stands."
	case CodeRateLimited, CodeBudgetExceeded, CodeApprovalLimit:
		return "This call is over a limit."
	case CodeOutsideTimeWindow:
		return "This call is not permitted at this time."
	case CodeSequenceViolated, CodeSessionUnknown:
		return "This call is not permitted at this point."
	case CodeLimitsUnavailable, CodePoliciesUnavailable, CodePoliciesStale, CodeAuditFailed, CodeCancelled:
		return "This call cannot be made now."
	default:
		return "This call is not permitted."
	}
}

// ShadowResult is what one shadow policy would have said.
type ShadowResult struct {
	PolicyID string  `json:"policyId"`
	RuleID   string  `json:"ruleId,omitempty"`
	Outcome  Outcome `json:"outcome"`
	Code     Code    `json:"code"`
}

const timeLayout = "2006-01-02T15:04:05.000Z07:00"

type resultJSON struct {
	Allowed         bool           `json:"allowed"`
	Outcome         Outcome        `json:"outcome"`
	MatchedPolicyID *string        `json:"matchedPolicyId"`
	Reason          string         `json:"reason"`
	EvaluatedAt     string         `json:"evaluatedAt"`
	DecisionID      string         `json:"decisionId,omitempty"`
	Code            string         `json:"code,omitempty"`
	MatchedRuleID   string         `json:"matchedRuleId,omitempty"`
	PolicyRevision  string         `json:"policyRevision,omitempty"`
	RetryAfterMs    int64          `json:"retryAfterMs,omitempty"`
	ApprovalID      string         `json:"approvalId,omitempty"`
	Mode            string         `json:"mode,omitempty"`
	Shadow          []ShadowResult `json:"shadow,omitempty"`
}

// MarshalJSON writes the Result as it travels: times in UTC with
// milliseconds, retryAfterMs rounded up.
func (r Result) MarshalJSON() ([]byte, error) {
	out := resultJSON{
		Allowed:        r.Allowed,
		Outcome:        r.Outcome,
		Reason:         r.Reason.String(),
		EvaluatedAt:    r.EvaluatedAt.UTC().Format(timeLayout),
		Code:           r.Code.String(),
		MatchedRuleID:  r.MatchedRuleID,
		PolicyRevision: r.PolicyRevision,
		RetryAfterMs:   int64((r.RetryAfter + time.Millisecond - 1) / time.Millisecond),
		ApprovalID:     r.ApprovalID,
		Shadow:         r.Shadow,
	}
	if r.MatchedPolicyID != "" {
		out.MatchedPolicyID = &r.MatchedPolicyID
	}
	if r.DecisionID != (ID{}) {
		out.DecisionID = r.DecisionID.String()
	}
	if r.Mode != Enforce {
		out.Mode = r.Mode.String()
	}
	return json.Marshal(out)
}

// Reason is the sentence that explains a decision, rendered when it is read.
// The zero Reason is that of a default denial.
type Reason struct {
	code  Code
	tool  string
	basis *Basis
	text  string // of a reason that was read back
}

// Basis is what a reason speaks of besides the tool. It is immutable once it
// is part of a Reason.
type Basis struct {
	PolicyName string
	Parameter  string // as written in the policy; "" for an undeclared one
	MaxCalls   int
	Window     time.Duration
	Max        string // of a budget
	Earlier    bool   // sequence: blocked by an earlier call, not missing one
	// Detail, of invalid_request, says what is wrong: one of a fixed set, or
	// of names in the tool's own type. Of approval_denied and
	// approval_expired it says what else than a human's answer, or time,
	// stands against the approval.
	Detail string
}

// NewReason returns the reason for a code. Basis may be nil.
func NewReason(code Code, tool string, basis *Basis) Reason {
	return Reason{code: code, tool: tool, basis: basis}
}

var noBasis Basis

// String renders the sentence.
func (r Reason) String() string {
	if r.text != "" {
		return r.text
	}
	b := r.basis
	if b == nil {
		b = &noBasis
	}
	switch r.code {
	case CodeAllowed:
		return `Allowed by policy "` + b.PolicyName + `"`
	case CodePolicyNotFound:
		return "No policy found for tool '" + r.tool + "'"
	case CodeToolDenied:
		return "Tool '" + r.tool + `' is denied by policy "` + b.PolicyName + `"`
	case CodeConstraintViolated:
		if b.Parameter == "" {
			return "Tool '" + r.tool + "' has a parameter that is not permitted"
		}
		return "Tool '" + r.tool + "' parameter '" + b.Parameter + "' violates constraint"
	case CodeRateLimited:
		return "Tool '" + r.tool + "' exceeded " + strconv.Itoa(b.MaxCalls) + " calls per " +
			strconv.FormatInt(int64(b.Window/time.Second), 10) + " seconds"
	case CodeBudgetExceeded:
		return "Tool '" + r.tool + "' exceeds the budget of " + b.Max
	case CodeOutsideTimeWindow:
		return "Tool '" + r.tool + "' is not permitted at this time"
	case CodeSequenceViolated:
		if b.Earlier {
			return "Tool '" + r.tool + "' is not permitted after an earlier call of this session"
		}
		return "Tool '" + r.tool + "' is not permitted before a required call"
	case CodeSessionUnknown:
		return "The session of this call is not known"
	case CodeApprovalRequired:
		return "Tool '" + r.tool + `' requires approval by policy "` + b.PolicyName + `"`
	case CodeApprovalDenied:
		if b.Detail != "" {
			return "Approval is not valid: " + b.Detail
		}
		return "Approval was denied"
	case CodeApprovalExpired:
		if b.Detail != "" {
			return "Approval is no longer valid: " + b.Detail
		}
		return "Approval expired"
	case CodeApprovalLimit:
		return "Too many approvals are pending"
	case CodeAgentSuspended:
		return "Agent is suspended"
	case CodeAgentRevoked:
		return "Agent is revoked"
	case CodeAgentNotFound:
		return "Agent not found"
	case CodeInvalidRequest:
		if b.Detail == "" {
			return "Invalid request"
		}
		return "Invalid request: " + b.Detail
	case CodeEvaluationError:
		return `Policy "` + b.PolicyName + `" could not be evaluated`
	case CodeLimitsUnavailable:
		return "The limit store did not answer"
	case CodePoliciesUnavailable:
		return "No policies are available"
	case CodePoliciesStale:
		return "Policies are out of date"
	case CodeAuditFailed:
		return "The decision could not be recorded"
	case CodeCancelled:
		return "The request was cancelled"
	default:
		return "No policy explicitly allows this action (default deny)"
	}
}

// MarshalText renders the sentence.
func (r Reason) MarshalText() ([]byte, error) { return []byte(r.String()), nil }

// UnmarshalText makes the sentence the reason.
func (r *Reason) UnmarshalText(text []byte) error {
	*r = Reason{text: string(text)}
	return nil
}
