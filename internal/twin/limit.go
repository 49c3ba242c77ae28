package twin

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/useveto/veto-go/rules"
)

// rateLimit is a rate_limit.
type rateLimit struct {
	*rules.RateLimit
	key   string
	keyed bool // the call has all parts of the key
}

func (r *request) rateLimit(s stateRule, l *rules.RateLimit) (rule stateful, session bool) {
	if l.Algorithm == "token_bucket" {
		panic("twin: token buckets are not decided here")
	}
	parts, keyed := r.keyParts(l.Per)
	return rateLimit{l, r.key(s, "calls", fmt.Sprint(l.WindowSeconds), parts), keyed}, slices.Contains(l.Per, "session")
}

func (l rateLimit) window() time.Duration { return time.Duration(l.WindowSeconds) * time.Second }

func (l rateLimit) missing(*request) ruleVerdict { return needsKey(l.keyed) }

func (l rateLimit) look(r *request) standing {
	calls, now := r.live(l.key, l.window())
	if len(calls) < l.MaxCalls {
		return standing{}
	}
	leaves := calls[len(calls)-l.MaxCalls].time.Add(l.window())
	return standing{violated: true, code: rules.CodeRateLimited, wait: leaves.Sub(now)}
}

func (l rateLimit) count(r *request) { r.enter(entry{key: l.key}) }

// needsKey is what a rule says whose key the call has, or has not.
func needsKey(keyed bool) ruleVerdict {
	if !keyed {
		return deny(rules.CodeEvaluationError)
	}
	return ruleVerdict{}
}

// keyParts returns the parts of a counter's key with what the call has for
// them; ok is false where it lacks one.
func (r *request) keyParts(per []string) (parts []string, ok bool) {
	if per == nil {
		per = []string{"agent"}
	}
	for _, part := range per {
		value, ok := r.keyPart(part)
		if !ok {
			return nil, false
		}
		parts = append(parts, part, value)
	}
	return parts, true
}

func (r *request) keyPart(part string) (value string, ok bool) {
	switch part {
	case "global":
		return "", true
	case "agent":
		return r.call.AgentID, true
	case "tool":
		return strings.ToLower(r.call.Tool), true
	case "user":
		return r.call.User, r.call.User != ""
	case "project":
		return r.call.Project, r.call.Project != ""
	case "session":
		return r.call.Session, r.call.Session != ""
	}
	return r.keyValue(strings.TrimPrefix(part, "param:"))
}

// keyValue returns the value of a parameter with its kind, where it is one
// that can be counted by: a short string, a number or a boolean.
func (r *request) keyValue(parameter string) (value string, ok bool) {
	values, f := r.selectValues(parameter)
	if f != holds {
		return "", false
	}
	switch v := values[0].(type) {
	case string:
		return "string " + v, len(v) <= 256
	case number:
		return "number " + v.rat().RatString(), true
	case bool:
		return fmt.Sprint("boolean ", v), true
	default:
		return "", false
	}
}
