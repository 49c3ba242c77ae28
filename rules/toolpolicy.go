package rules

import "encoding/json"

// ToolPolicy is the other form of policy: what one tool's arguments must be,
// whoever calls it. It stands before every agent policy.
type ToolPolicy struct {
	ID        string  `json:"id,omitempty"`
	ToolName  string  `json:"toolName"`
	ProjectID *string `json:"projectId,omitempty"`
	// Mode is deterministic. The service's mode llm cannot be decided here
	// and is an error.
	Mode               string              `json:"mode"`
	IsActive           *bool               `json:"isActive,omitempty"`
	Version            *int                `json:"version,omitempty"`
	Constraints        []ToolConstraint    `json:"constraints,omitzero"`
	SessionConstraints *SessionConstraints `json:"sessionConstraints,omitempty"`
	CreatedAt          string              `json:"createdAt,omitempty"`
	UpdatedAt          string              `json:"updatedAt,omitempty"`
}

// ToolConstraint is what one argument of a tool policy must be. Checks have
// the names that the managed service gives them; two names of one check may
// not both be given.
type ToolConstraint struct {
	ArgumentName string    `json:"argumentName"`
	Enabled      *bool     `json:"enabled,omitempty"`
	Action       Violation `json:"action,omitempty"`

	Minimum            *json.Number `json:"minimum,omitempty"`
	GreaterThanOrEqual *json.Number `json:"greaterThanOrEqual,omitempty"`
	Maximum            *json.Number `json:"maximum,omitempty"`
	LessThanOrEqual    *json.Number `json:"lessThanOrEqual,omitempty"`
	GreaterThan        *json.Number `json:"greaterThan,omitempty"`
	LessThan           *json.Number `json:"lessThan,omitempty"`
	Regex              *string      `json:"regex,omitempty"`
	NotRegex           *string      `json:"notRegex,omitempty"`
	Enum               []Scalar     `json:"enum,omitzero"`
	In                 []Scalar     `json:"in,omitzero"`
	NotEnum            []Scalar     `json:"notEnum,omitzero"`
	NotIn              []Scalar     `json:"notIn,omitzero"`
	MinLength          *int         `json:"minLength,omitempty"`
	MaxLength          *int         `json:"maxLength,omitempty"`
	MinItems           *int         `json:"minItems,omitempty"`
	MaxItems           *int         `json:"maxItems,omitempty"`
	MustBe             *bool        `json:"mustBe,omitempty"`
	NotNull            *bool        `json:"notNull,omitempty"`
	// Required defaults to true; false lets an absent argument pass.
	Required *bool `json:"required,omitempty"`
}

// SessionConstraints bound what one session, which must be open, does with a
// tool.
type SessionConstraints struct {
	// MaxCalls is the most calls of the tool, 1..1,000,000.
	MaxCalls *int `json:"maxCalls,omitempty"`
	// Budget is the most that SpendArgument may sum up to. Both are given,
	// or none.
	Budget           *json.Number              `json:"budget,omitempty"`
	SpendArgument    string                    `json:"spendArgument,omitempty"`
	CumulativeLimits []CumulativeLimit         `json:"cumulativeLimits,omitzero"`
	Counters         map[string]SessionCounter `json:"counters,omitzero"`
}

// CumulativeLimit bounds the running sum of one argument in a session.
type CumulativeLimit struct {
	ArgumentName string       `json:"argumentName"`
	MaxValue     *json.Number `json:"maxValue"`
}

// SessionCounter is a number that the calls of a session move, never below
// zero. A call of the policy's own tool that would leave it above Max is
// denied, or put to a human; calls of other tools only move it.
type SessionCounter struct {
	// Increment and Decrement are patterns of tools that move it by one.
	Increment []string  `json:"increment,omitzero"`
	Decrement []string  `json:"decrement,omitzero"`
	Max       *int      `json:"max"` // 0..1,000,000
	MaxAction Violation `json:"maxAction,omitempty"`
}
