package vetomcp

import (
	"encoding/json"
	"fmt"

	"github.com/modelcontextprotocol/go-sdk/mcp"
)

// ownSchema is the input schema of a tool that AddTool or AddRawTool has made.
// A server keeps it with the tool, and lists it: so the middleware knows such
// a tool by it, and another one that has come under the same name is none,
// also where it was made of the same description.
type ownSchema struct {
	shape *schema
	text  json.RawMessage
}

// MarshalJSON returns the schema as it was given.
func (s *ownSchema) MarshalJSON() ([]byte, error) { return s.text, nil }

// owned returns t's schema as one of ours.
func owned(t *mcp.Tool) (*ownSchema, error) {
	text, err := json.Marshal(t.InputSchema)
	if err != nil {
		return nil, fmt.Errorf("vetomcp: tool %q: input schema: %w", t.Name, err)
	}
	shape := &schema{}
	if err := json.Unmarshal(text, shape); err != nil {
		return nil, fmt.Errorf("vetomcp: tool %q: input schema: %w", t.Name, err)
	}
	return &ownSchema{shape: shape, text: text}, nil
}

// isOwn reports whether a Guard made this tool: then its handler gets the
// arguments as they came, and from nobody's detour by floats.
func isOwn(t *mcp.Tool) bool {
	_, ok := t.InputSchema.(*ownSchema)
	return ok
}
