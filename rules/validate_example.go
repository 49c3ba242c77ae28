package rules

import (
	"bytes"
	"encoding/json"
	"fmt"
	"time"
)

// examples checks the shape of examples. Whether their outcome is as wanted
// is for the evaluator to say; so is whether the call is a valid one, since an
// example may be about a call that is not.
func (v *validator) examples(p *path) {
	at := p.Member("examples")
	for i := range v.set.Examples {
		e, at := &v.set.Examples[i], at.Element(i)
		v.optionalText(&at, "name", e.Name, MaxName)
		if int(e.Want) >= len(outcomeNames) {
			v.wrong(&at, "want", "there is no such outcome", "it is one of denied, allowed, escalated")
		}
		call := at.Member("call")
		if e.Call.Agent == "" {
			v.wrong(&call, "agent", "the agent is missing", "")
		}
		if e.Call.Tool == "" {
			v.wrong(&call, "tool", "the tool is missing", "")
		}
		if len(e.Call.Parameters) > 0 && !json.Valid(e.Call.Parameters) {
			v.wrong(&call, "parameters", "the parameters are not valid JSON", "")
		}
		if c := bytes.TrimSpace(e.Call.Context); len(c) > 0 && (!json.Valid(c) || c[0] != '{') {
			v.wrong(&call, "context", "the context is not a JSON object", "")
		}
		if e.Call.At != "" {
			if _, err := time.Parse(time.RFC3339, e.Call.At); err != nil {
				v.wrong(&call, "at", fmt.Sprintf("%.40q is not a time", e.Call.At), "write it as in 2025-07-01T09:00:00Z (RFC 3339)")
			}
		}
	}
}
