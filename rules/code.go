package rules

import "fmt"

// Code names the reason class of a decision; programs switch on it, people
// read [Reason]. The zero value is CodeDefaultDeny.
type Code uint8

// The codes; docs/decisions.md in the repository says what each means.
const (
	CodeDefaultDeny Code = iota
	CodeAllowed
	CodePolicyNotFound
	CodeToolDenied
	CodeConstraintViolated
	CodeRateLimited
	CodeBudgetExceeded
	CodeOutsideTimeWindow
	CodeSequenceViolated
	CodeSessionUnknown
	CodeApprovalRequired
	CodeApprovalDenied
	CodeApprovalExpired
	CodeApprovalLimit
	CodeAgentSuspended
	CodeAgentRevoked
	CodeAgentNotFound
	CodeInvalidRequest
	CodeEvaluationError
	CodeLimitsUnavailable
	CodePoliciesUnavailable
	CodePoliciesStale
	CodeAuditFailed
	CodeCancelled
)

var codeNames = [...]string{
	CodeDefaultDeny:         "default_deny",
	CodeAllowed:             "allowed",
	CodePolicyNotFound:      "policy_not_found",
	CodeToolDenied:          "tool_denied",
	CodeConstraintViolated:  "constraint_violated",
	CodeRateLimited:         "rate_limited",
	CodeBudgetExceeded:      "budget_exceeded",
	CodeOutsideTimeWindow:   "outside_time_window",
	CodeSequenceViolated:    "sequence_violated",
	CodeSessionUnknown:      "session_unknown",
	CodeApprovalRequired:    "approval_required",
	CodeApprovalDenied:      "approval_denied",
	CodeApprovalExpired:     "approval_expired",
	CodeApprovalLimit:       "approval_limit",
	CodeAgentSuspended:      "agent_suspended",
	CodeAgentRevoked:        "agent_revoked",
	CodeAgentNotFound:       "agent_not_found",
	CodeInvalidRequest:      "invalid_request",
	CodeEvaluationError:     "evaluation_error",
	CodeLimitsUnavailable:   "limits_unavailable",
	CodePoliciesUnavailable: "policies_unavailable",
	CodePoliciesStale:       "policies_stale",
	CodeAuditFailed:         "audit_failed",
	CodeCancelled:           "cancelled",
}

// String returns the code as it is written in records and on the wire.
func (c Code) String() string {
	if int(c) < len(codeNames) {
		return codeNames[c]
	}
	return fmt.Sprintf("code(%d)", uint8(c))
}

// MarshalText writes the name that String returns.
func (c Code) MarshalText() ([]byte, error) { return []byte(c.String()), nil }

// UnmarshalText reads a name that MarshalText writes.
func (c *Code) UnmarshalText(text []byte) error {
	for i, name := range codeNames {
		if name == string(text) {
			*c = Code(i)
			return nil
		}
	}
	return fmt.Errorf("rules: unknown code %q", text)
}

// Outage reports whether the code says that something was out of reach
// (the limit store, the policies, the record), rather than that a policy or
// a bound refused the call.
func (c Code) Outage() bool {
	switch c {
	case CodeLimitsUnavailable, CodePoliciesUnavailable, CodePoliciesStale, CodeAuditFailed:
		return true
	default:
		return false
	}
}
