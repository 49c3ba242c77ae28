package vetomcp

import (
	"bytes"
	"encoding/json"
	"maps"
	"slices"
)

// schema is what a guard must know of an input schema: which parameters a tool
// has, and what the SDK would fill in for those that a call lacks. That has to
// happen before the decision.
type schema struct {
	properties map[string]*schema
	required   []string
	fallback   json.RawMessage // the default; nil for none
	closed     bool            // no further properties
	fills      bool            // some property has a default, or one within it
}

// schemaOf reads an input schema: a *jsonschema.Schema, or whatever has the
// JSON of one.
func schemaOf(input any) (*schema, error) {
	s := &schema{}
	if input == nil {
		return s, nil
	}
	data, err := json.Marshal(input)
	if err != nil {
		return nil, err
	}
	return s, json.Unmarshal(data, s)
}

func (s *schema) UnmarshalJSON(data []byte) error {
	if data = bytes.TrimSpace(data); len(data) == 0 || data[0] != '{' {
		return nil // true and false say nothing of properties
	}
	var wire struct {
		Properties           map[string]*schema `json:"properties"`
		Required             []string           `json:"required"`
		Default              json.RawMessage    `json:"default"`
		AdditionalProperties json.RawMessage    `json:"additionalProperties"`
	}
	if err := json.Unmarshal(data, &wire); err != nil {
		return err
	}
	*s = schema{properties: wire.Properties, required: wire.Required, fallback: wire.Default, closed: string(wire.AdditionalProperties) == "false"}
	for _, p := range s.properties {
		s.fills = s.fills || p != nil && (p.fallback != nil || p.fills)
	}
	return nil
}

// names are the parameters, nil where there may be others.
func (s *schema) names() []string {
	if !s.closed {
		return nil
	}
	return slices.AppendSeq([]string{}, maps.Keys(s.properties))
}

// fill returns the JSON object raw with the defaults of optional properties
// that it lacks, as the SDK would add them, and everything else as it stands
// there, also what is wrong. It returns raw itself where it adds nothing.
func (s *schema) fill(raw json.RawMessage) json.RawMessage {
	if !s.fills {
		return raw
	}
	if none(raw) {
		raw = json.RawMessage("{}")
	}
	all, ok := members(raw)
	if !ok {
		return raw
	}
	changed := false
	for i := range all {
		p := s.properties[all[i].key]
		if p == nil || none(all[i].value) || slices.Contains(s.required, all[i].key) {
			continue
		}
		filled := p.fill(all[i].value)
		changed = changed || !bytes.Equal(filled, all[i].value)
		all[i].value = filled
	}
	for _, name := range slices.Sorted(maps.Keys(s.properties)) {
		p := s.properties[name]
		missing := !slices.ContainsFunc(all, func(m member) bool { return m.key == name })
		if p == nil || !missing || slices.Contains(s.required, name) || p.fallback == nil && !p.fills {
			continue
		}
		value := p.fallback
		if value == nil {
			value = p.fill(nil)
		} else if !none(value) {
			value = p.fill(value)
		}
		text, err := json.Marshal(name)
		if err != nil {
			return raw
		}
		all, changed = append(all, member{name, text, value}), true
	}
	if !changed {
		return raw
	}
	var out bytes.Buffer
	out.WriteByte('{')
	for i, m := range all {
		if i > 0 {
			out.WriteByte(',')
		}
		out.Write(m.text)
		out.WriteByte(':')
		out.Write(m.value)
	}
	out.WriteByte('}')
	return out.Bytes()
}
