package policydoc

import (
	"bytes"
	_ "embed"
)

//go:embed policy.schema.json
var schemaText []byte

// Schema returns the JSON Schema of policy documents.
func Schema() []byte { return bytes.Clone(schemaText) }
