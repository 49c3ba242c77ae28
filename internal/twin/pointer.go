package twin

import (
	"slices"
	"strconv"
	"strings"
)

// absent is the finding of a name that leads to nothing.
const absent finding = -1

// selectValues returns the values that a parameter's name selects, and
// besides absent or mistyped where a way of the name ends early.
func (r *request) selectValues(name string) ([]any, finding) {
	if !strings.HasPrefix(name, "/") {
		v, ok := r.args[name]
		if !ok {
			return nil, absent
		}
		return []any{v}, holds
	}
	if r.args == nil {
		return nil, absent
	}
	return step(r.args, strings.Split(name[1:], "/"))
}

// step follows the segments of a JSON Pointer from v.
func step(v any, segments []string) ([]any, finding) {
	if len(segments) == 0 {
		return []any{v}, holds
	}
	segment, rest := segments[0], segments[1:]
	var next []any
	switch v := v.(type) {
	case map[string]any:
		if segment == "*" {
			for _, e := range v {
				next = append(next, e)
			}
		} else if e, ok := v[unescape(segment)]; ok {
			next = append(next, e)
		}
	case []any:
		if segment == "*" {
			next = v
		} else if i := slices.IndexFunc(indexes(len(v)), func(s string) bool { return s == segment }); i >= 0 {
			next = v[i : i+1]
		} else {
			return nil, mistyped
		}
	default:
		return nil, mistyped
	}
	if len(next) == 0 {
		return nil, absent
	}
	var values []any
	missing, wrong := false, false
	for _, e := range next {
		found, f := step(e, rest)
		values = append(values, found...)
		missing, wrong = missing || f == absent, wrong || f == mistyped
	}
	switch {
	case wrong:
		return values, mistyped
	case missing:
		return values, absent
	default:
		return values, holds
	}
}

// indexes lists the segments that name the elements of an array.
func indexes(n int) []string {
	out := make([]string, n)
	for i := range out {
		out[i] = strconv.Itoa(i)
	}
	return out
}

func unescape(segment string) string {
	return strings.ReplaceAll(strings.ReplaceAll(segment, "~1", "/"), "~0", "~")
}

// topLevel returns the top-level key that a parameter's name begins with. A
// name that begins with every key names none.
func topLevel(name string) (key string, ok bool) {
	if !strings.HasPrefix(name, "/") {
		return name, true
	}
	first, _, _ := strings.Cut(name[1:], "/")
	return unescape(first), first != "*"
}
