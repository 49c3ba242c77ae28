package twin

import (
	"encoding"
	"encoding/json"
	"math"
	"reflect"
	"strings"
	"unicode"
	"unicode/utf8"
)

const (
	maxDepth = 32
	maxBytes = 64 << 10
)

// read checks the call and reads its parameters.
func (r *request) read() bool {
	c, o := &r.call, &r.twin.opts
	if !isTool(c.Tool) || !isID(c.AgentID) || c.AgentID == "*" {
		return false
	}
	for _, id := range []string{c.Project, c.Session, c.User, c.CallID} {
		if id != "" && !isID(id) {
			return false
		}
	}
	if o.Project != "" && c.Project != o.Project ||
		o.RequireProject && c.Project == "" || o.RequireSession && c.Session == "" {
		return false
	}
	limit := o.MaxParameterBytes
	if limit == 0 {
		limit = maxBytes
	}
	args, size, ok := object(c.Parameters)
	if !ok {
		return false
	}
	_, more, ok := object(c.Context)
	r.args = args
	return ok && size+more <= limit
}

func isTool(s string) bool {
	return len(s) >= 1 && len(s) <= 255 && !strings.ContainsFunc(s, func(c rune) bool { return c <= ' ' || c > '~' })
}

func isID(s string) bool {
	return len(s) >= 1 && len(s) <= 255 && utf8.ValidString(s) && !strings.ContainsFunc(s, unicode.IsControl)
}

// object reads what a caller gives as parameters, and how many bytes it
// counts as. There may be none.
func object(v any) (members map[string]any, size int, ok bool) {
	switch raw := v.(type) {
	case nil:
		return nil, 0, true
	case json.RawMessage:
		return rawObject(string(raw))
	case []byte:
		return rawObject(string(raw))
	case string:
		return rawObject(raw)
	}
	value, ok := fromGo(reflect.ValueOf(v), 0)
	if !ok || !unfolded(value) {
		return nil, 0, false
	}
	if value == nil {
		return nil, 0, true
	}
	members, ok = value.(map[string]any)
	return members, compactSize(value), ok
}

func rawObject(text string) (members map[string]any, size int, ok bool) {
	if text == "" {
		return nil, 0, true
	}
	value, ok := parse(text, 0)
	if !ok || !unfolded(value) {
		return nil, 0, false
	}
	if value == nil {
		return nil, len(text), true
	}
	members, ok = value.(map[string]any)
	return members, len(text), ok
}

// fromGo makes a JSON value of a Go value that sits in depth containers.
func fromGo(v reflect.Value, depth int) (any, bool) {
	for v.IsValid() && v.Kind() == reflect.Interface {
		v = v.Elem()
	}
	if !v.IsValid() {
		return nil, true
	}
	switch special := v.Interface().(type) {
	case json.Number:
		return number(special), isNumber(string(special))
	case json.RawMessage:
		if len(special) == 0 {
			return nil, true
		}
		return parse(string(special), depth)
	case json.Marshaler, encoding.TextMarshaler:
		return marshalled(special, depth)
	}
	switch v.Kind() {
	case reflect.Bool:
		return v.Bool(), true
	case reflect.String:
		return v.String(), utf8.ValidString(v.String())
	case reflect.Float32, reflect.Float64:
		if math.IsNaN(v.Float()) || math.IsInf(v.Float(), 0) {
			return nil, false
		}
		return marshalled(v.Interface(), depth)
	case reflect.Map:
		if v.IsNil() {
			return nil, true
		}
		if v.Type().Key().Kind() != reflect.String {
			return marshalled(v.Interface(), depth)
		}
		if depth >= maxDepth {
			return nil, false
		}
		out := map[string]any{}
		for _, key := range v.MapKeys() {
			e, ok := fromGo(v.MapIndex(key), depth+1)
			if !ok || !utf8.ValidString(key.String()) {
				return nil, false
			}
			out[key.String()] = e
		}
		return out, true
	case reflect.Slice, reflect.Array:
		if v.Kind() == reflect.Slice && v.IsNil() {
			return nil, true
		}
		if v.Type().Elem().Kind() == reflect.Uint8 {
			return marshalled(v.Interface(), depth) // base64
		}
		if depth >= maxDepth {
			return nil, false
		}
		out := []any{}
		for i := range v.Len() {
			e, ok := fromGo(v.Index(i), depth+1)
			if !ok {
				return nil, false
			}
			out = append(out, e)
		}
		return out, true
	default:
		return marshalled(v.Interface(), depth)
	}
}

func marshalled(v any, depth int) (any, bool) {
	text, err := json.Marshal(v)
	if err != nil {
		return nil, false
	}
	return parse(string(text), depth)
}

// unfolded reports whether no object in v has two keys that are equal under
// simple folding.
func unfolded(v any) bool {
	switch v := v.(type) {
	case map[string]any:
		for a, e := range v {
			for b := range v {
				if a != b && strings.EqualFold(a, b) {
					return false
				}
			}
			if !unfolded(e) {
				return false
			}
		}
	case []any:
		for _, e := range v {
			if !unfolded(e) {
				return false
			}
		}
	}
	return true
}

// compactSize is the length of v as compact JSON.
func compactSize(v any) int {
	switch v := v.(type) {
	case nil:
		return len("null")
	case bool:
		if v {
			return len("true")
		}
		return len("false")
	case number:
		return len(v)
	case string:
		return stringSize(v)
	case []any:
		n := 2 + max(0, len(v)-1)
		for _, e := range v {
			n += compactSize(e)
		}
		return n
	case map[string]any:
		n := 2 + max(0, len(v)-1)
		for key, e := range v {
			n += stringSize(key) + 1 + compactSize(e)
		}
		return n
	}
	panic("twin: no JSON value")
}

func stringSize(s string) int {
	n := 2
	for _, c := range s {
		switch {
		case strings.ContainsRune("\"\\\b\f\n\r\t", c):
			n += 2
		case c < ' ':
			n += len(`\u0000`)
		default:
			n += utf8.RuneLen(c)
		}
	}
	return n
}
