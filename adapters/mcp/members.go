package vetomcp

import (
	"bytes"
	"encoding/json"
	"io"
)

// member is one member of a JSON object.
type member struct {
	key   string
	text  json.RawMessage // of the key
	value json.RawMessage
}

// members returns the members of the JSON object raw as they stand there,
// repeated ones included. The texts share raw's bytes or are copies.
func members(raw []byte) (all []member, ok bool) {
	d := json.NewDecoder(bytes.NewReader(raw))
	if t, err := d.Token(); err != nil || t != json.Delim('{') {
		return nil, false
	}
	for d.More() {
		from := d.InputOffset()
		t, err := d.Token()
		if err != nil {
			return nil, false
		}
		key, ok := t.(string)
		if !ok {
			return nil, false
		}
		m := member{key: key, text: bytes.TrimLeft(raw[from:d.InputOffset()], " \t\r\n,")}
		if err := d.Decode(&m.value); err != nil {
			return nil, false
		}
		all = append(all, m)
	}
	if _, err := d.Token(); err != nil {
		return nil, false
	}
	_, err := d.Token()
	return all, err == io.EOF
}

// none reports whether raw is no arguments: nothing, or null.
func none(raw []byte) bool {
	raw = bytes.TrimSpace(raw)
	return len(raw) == 0 || string(raw) == "null"
}
