package rules

// Call is one tool call that an agent proposes. AgentID and Tool are
// required; the rest is optional. Identity (agent, project, session, user)
// comes from the host program, never from the model's arguments.
type Call struct {
	// AgentID and Tool: 1..255 bytes. Tool is printable ASCII without space;
	// AgentID has no control character and is not "*".
	AgentID string
	Tool    string

	// Parameters are the arguments of the tool, a JSON object: nil, a map
	// with string keys, or raw JSON as json.RawMessage (or a pointer to one,
	// which is passed without allocating), []byte or string.
	// Other values count as their encoding/json encoding. They are read
	// during the decision and never kept: the caller must not change them
	// until it returns.
	Parameters any

	// Project, Session, User and CallID: at most 255 bytes, no control
	// character; empty means absent.
	Project string
	Session string
	User    string
	CallID  string

	// Context holds values that the host vouches for, for conditions to
	// read, in the forms of Parameters. They count with the parameters
	// against the input bounds.
	Context any
}
