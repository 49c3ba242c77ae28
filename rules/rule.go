package rules

import "encoding/json"

// RuleType names what a rule does.
type RuleType string

// The rule types.
const (
	ToolAllowlist       RuleType = "tool_allowlist"
	ToolDenylist        RuleType = "tool_denylist"
	ParameterConstraint RuleType = "parameter_constraint"
	RateLimited         RuleType = "rate_limit"
	TimeBased           RuleType = "time_based"
	RequireApproval     RuleType = "require_approval"
	Budgeted            RuleType = "budget"
	Sequenced           RuleType = "sequence"
)

// RuleTypes lists every rule type, in the order of the documentation.
var RuleTypes = []RuleType{
	ToolAllowlist, ToolDenylist, ParameterConstraint, RateLimited,
	TimeBased, RequireApproval, Budgeted, Sequenced,
}

// Violation is what a rule that is violated does: deny (the default) or
// require_approval.
type Violation string

// The kinds of Violation.
const (
	DenyOnViolation     Violation = "deny"
	EscalateOnViolation Violation = "require_approval"
)

// Rule is one statement of a policy. Type says which block it carries; a
// block of another type is an error.
type Rule struct {
	Type RuleType `json:"type"`
	// ID is unique in its policy; it defaults to the type and the ordinal
	// among the policy's rules of that type, as in "rate_limit[0]".
	ID string `json:"id,omitempty"`
	// Tools are the tool patterns that the rule is about: exact names, or
	// prefixes that end in one "*". Nil means every tool; at most 256.
	Tools []string `json:"tools,omitzero"`
	// When is a CEL condition; the rule is relevant where it is true.
	When string `json:"when,omitempty"`
	// OnViolation says whether a violation denies or asks a human.
	OnViolation Violation `json:"onViolation,omitempty"`

	// Parameters and AnyOf belong to parameter_constraint, and exactly one
	// of them is given. Keys are parameter names or JSON Pointers.
	Parameters map[string]Constraint   `json:"parameters,omitzero"`
	AnyOf      []map[string]Constraint `json:"anyOf,omitzero"`
	// AdditionalParameters false denies top-level parameters that no
	// relevant closed rule of the policy names. Default true.
	AdditionalParameters *bool `json:"additionalParameters,omitempty"`

	RateLimit  *RateLimit  `json:"rateLimit,omitempty"`
	TimeWindow *TimeWindow `json:"timeWindow,omitempty"`
	Approval   *Approval   `json:"approval,omitempty"`
	Budget     *Budget     `json:"budget,omitempty"`
	Sequence   *Sequence   `json:"sequence,omitempty"`
}

// RateLimit allows at most MaxCalls allowed calls in any window.
type RateLimit struct {
	// MaxCalls is 1..1,000,000.
	MaxCalls int `json:"maxCalls"`
	// WindowSeconds is 1..86,400.
	WindowSeconds int `json:"windowSeconds"`
	// Per names the parts of the counter's key; default agent. The project
	// is always part of it.
	Per []string `json:"per,omitzero"`
	// Algorithm is rolling_window (the default): never more than MaxCalls in
	// any window; or token_bucket, which paces calls smoothly (MaxCalls at
	// once, then one each WindowSeconds/MaxCalls) and can let nearly twice
	// MaxCalls through in one window.
	Algorithm string `json:"algorithm,omitempty"`
}

// TimeWindow says when calls are permitted. At least one of AllowedHours and
// AllowedDays is given; where both are, both must hold.
type TimeWindow struct {
	// AllowedHours are hours of the day, 0..23.
	AllowedHours []int `json:"allowedHours,omitzero"`
	// AllowedDays are days of the week, 0 (Sunday) to 6.
	AllowedDays []int `json:"allowedDays,omitzero"`
	// Timezone is an IANA zone name; default UTC.
	Timezone string `json:"timezone,omitempty"`
}

// Approval says how an escalation is put to a human.
type Approval struct {
	// TTLSeconds is 60..86,400, default 3,600.
	TTLSeconds int `json:"ttlSeconds,omitempty"`
	// Message is shown to the human; 1..2,000 characters.
	Message string `json:"message,omitempty"`
}

// Budget bounds a running sum of a parameter or of a fixed cost, or the
// number of different values of a parameter. Sums are exact: amounts are below
// 10^18 and have at most 18 digits after the point; any other denies.
type Budget struct {
	// Exactly one of Parameter, Cost and Distinct is given: the parameter
	// that is summed, what every call costs, or the parameter whose different
	// values are counted.
	Parameter string       `json:"parameter,omitempty"`
	Cost      *json.Number `json:"cost,omitempty"`
	Distinct  string       `json:"distinct,omitempty"`
	// Max is the most that the sum or the number may reach; positive, and
	// for distinct an integer up to 1,000,000.
	Max *json.Number `json:"max"`
	// Exactly one of WindowSeconds (1..2,678,400) and PerSession is given.
	WindowSeconds int  `json:"windowSeconds,omitempty"`
	PerSession    bool `json:"perSession,omitempty"`
	// Per names the parts of the counter's key, as in RateLimit.
	Per []string `json:"per,omitzero"`
}

// Sequence restricts a call by earlier calls of its session, which must be
// open. At least one of the two is given.
type Sequence struct {
	// Requires are calls that must have been made: a call that succeeded
	// matches each entry.
	Requires []SequenceEntry `json:"requires,omitzero"`
	// BlockedBy are calls that must not have been allowed: none matches any
	// entry.
	BlockedBy []SequenceEntry `json:"blockedBy,omitzero"`
}

// SequenceEntry matches earlier calls of a session.
type SequenceEntry struct {
	// Tools are patterns as those of a rule.
	Tools []string `json:"tools"`
	// WithinSeconds is how long ago the call may be, 1..2,678,400; nil is
	// for any time.
	WithinSeconds *int `json:"withinSeconds,omitempty"`
	// When is a CEL condition about the earlier call; it cannot read now.
	When string `json:"when,omitempty"`
	// Same names parameters of this call, and for each the parameter of the
	// earlier call that must have the same value.
	Same map[string]string `json:"same,omitzero"`
}
