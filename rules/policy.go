package rules

import "encoding/json"

// PolicySet is one policy document, or several merged into one. The zero
// value has no policies and allows nothing.
type PolicySet struct {
	// Version is the version of the document format; absent or 1.
	Version *int `json:"version,omitempty"`
	// StrictGrant, when true, lets only a tool_allowlist grant.
	StrictGrant bool `json:"strictGrant,omitempty"`
	// Lists are named lists of strings that constraints and conditions use.
	Lists map[string][]string `json:"lists,omitzero"`
	// Agents lists the agents that may call at all. Nil lists none, and then
	// any agent id may be used; a list that is present (even empty) denies
	// the calls of every other agent.
	Agents []Agent `json:"agents,omitzero"`
	// Policies are the agent policies.
	Policies []Policy `json:"policies,omitzero"`
	// ToolPolicies are the tool policies, one per tool and project.
	ToolPolicies []ToolPolicy `json:"toolPolicies,omitzero"`
	// Examples are calls with the outcome that the document must give them.
	// They are decided when the set is loaded; one that differs is an error.
	Examples []Example `json:"examples,omitzero"`
}

// AgentStatus is the state of an agent: active, suspended or revoked. The
// zero value reads as active, the documented default.
type AgentStatus string

// The states of an agent.
const (
	AgentActive    AgentStatus = "active"
	AgentSuspended AgentStatus = "suspended"
	AgentRevoked   AgentStatus = "revoked"
)

// Agent is an agent that a document lists.
type Agent struct {
	ID          string      `json:"id"`
	Name        string      `json:"name,omitempty"`
	Description *string     `json:"description,omitempty"`
	Status      AgentStatus `json:"status,omitempty"`
	CreatedAt   string      `json:"createdAt,omitempty"`
	UpdatedAt   string      `json:"updatedAt,omitempty"`
}

// Policy is a named set of rules for one agent, a prefix of agents, or every
// agent. A policy without a grant only restricts.
type Policy struct {
	// ID is required and unique in the set. 1..255 characters.
	ID string `json:"id"`
	// AgentID is an exact agent id, or a prefix that ends in one "*".
	AgentID string `json:"agentId"`
	// ProjectID limits the policy to one project; nil is organisation-wide.
	ProjectID *string `json:"projectId,omitempty"`
	// Name is what people see; it defaults to ID. 1..255 characters.
	Name string `json:"name,omitempty"`
	// Description: at most 2,000 characters.
	Description *string `json:"description,omitempty"`
	// Priority is 0..1000, higher first, default 0.
	Priority int `json:"priority,omitempty"`
	// Enabled defaults to true; a policy that is off is not there.
	Enabled *bool `json:"enabled,omitempty"`
	// Shadow policies are evaluated and recorded, and never decide.
	Shadow bool `json:"shadow,omitempty"`
	// Floor policies are organisation-wide, are not replaced by a project's
	// policies, and never grant.
	Floor bool `json:"floor,omitempty"`
	// Rules: 1..50.
	Rules []Rule `json:"rules"`

	CreatedAt string `json:"createdAt,omitempty"`
	UpdatedAt string `json:"updatedAt,omitempty"`
}

// Example is a call that a document decides about itself when it is loaded.
type Example struct {
	Name string      `json:"name,omitempty"`
	Call ExampleCall `json:"call"`
	Want Outcome     `json:"want"`
	// Code, when given, must match too.
	Code *Code `json:"code,omitempty"`
}

// ExampleCall is a Call in a document. At is the time of the call (RFC 3339).
// Without it, it is that of the example before, and of the first example
// noon UTC of Monday, 1 January 2024: what a document says of itself does not
// depend on when it is loaded.
type ExampleCall struct {
	Agent      string          `json:"agent"`
	Tool       string          `json:"tool"`
	Parameters json.RawMessage `json:"parameters,omitempty"`
	Project    string          `json:"project,omitempty"`
	Session    string          `json:"session,omitempty"`
	User       string          `json:"user,omitempty"`
	Context    json.RawMessage `json:"context,omitempty"`
	At         string          `json:"at,omitempty"`
}
