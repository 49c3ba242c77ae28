package main

import (
	"bytes"
	"encoding/json"
	"io"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/useveto/veto-go"
)

// call is one line of the input.
type call struct {
	veto.Call
	at time.Time // zero where the line has none
}

// members are the members of a line that mean something, and what they mean;
// all others are ignored.
var members = map[string]string{
	"agent": "agent", "agentId": "agent",
	"tool": "tool", "toolName": "tool",
	"parameters": "parameters", "arguments": "parameters",
	"project": "project", "session": "session", "user": "user",
	"context": "context", "callId": "callId", "at": "at",
}

// parseCall reads a line. Names are taken exactly as written, and none may be
// given twice, so that a line cannot mean two calls. Parameters and context
// are handed on as they stand: they are for the library to judge.
func parseCall(line []byte, agent string) (call, error) {
	raw, err := readMembers(line)
	if err != nil {
		return call{}, err
	}
	var c call
	c.AgentID = agent
	var at string
	for _, m := range []struct {
		name string
		to   *string
	}{
		{"agent", &c.AgentID}, {"tool", &c.Tool}, {"project", &c.Project}, {"session", &c.Session},
		{"user", &c.User}, {"callId", &c.CallID}, {"at", &at},
	} {
		if err := readString(raw, m.name, m.to); err != nil {
			return call{}, err
		}
	}
	if raw["at"] != nil && string(raw["at"]) != "null" {
		if c.at, err = time.Parse(time.RFC3339, at); err != nil {
			return call{}, badLine(`"at" is no RFC 3339 time`)
		}
	}
	if v := raw["parameters"]; v != nil {
		c.Parameters = v
	}
	if v := raw["context"]; v != nil {
		c.Context = v
	}
	return c, nil
}

// readMembers returns the members of a line by their meaning.
func readMembers(line []byte) (map[string]json.RawMessage, error) {
	d := json.NewDecoder(bytes.NewReader(line))
	if t, err := d.Token(); err != nil {
		return nil, badLine("no JSON: %v", err)
	} else if t != json.Delim('{') {
		return nil, badLine("no JSON object")
	}
	raw := make(map[string]json.RawMessage)
	for d.More() {
		key, err := d.Token()
		if err != nil {
			return nil, badLine("no JSON: %v", err)
		}
		var v json.RawMessage
		if err := d.Decode(&v); err != nil {
			return nil, badLine("no JSON: %v", err)
		}
		name := members[key.(string)]
		if name == "" {
			continue
		}
		if raw[name] != nil {
			return nil, badLine("%q is there twice", name)
		}
		raw[name] = v
	}
	if _, err := d.Token(); err != nil {
		return nil, badLine("no JSON: %v", err)
	}
	if _, err := d.Token(); err != io.EOF {
		return nil, badLine("something follows the JSON object")
	}
	return raw, nil
}

// readString reads a member that is a string. An absent or null one leaves to
// as it is.
func readString(raw map[string]json.RawMessage, name string, to *string) error {
	v := raw[name]
	if v == nil || string(v) == "null" {
		return nil
	}
	if err := json.Unmarshal(v, to); err != nil {
		return badLine("%q is no string", name)
	}
	// Broken text reads as this character, and two names must not become one.
	if strings.ContainsRune(*to, utf8.RuneError) {
		return badLine("%q is no valid text", name)
	}
	return nil
}
