package twin

import (
	"maps"
	"reflect"
	"slices"
	"time"

	"github.com/useveto/veto-go/rules"
)

// earlier is a call that was allowed in a session.
type earlier struct {
	session       int
	call          rules.Call
	args, context map[string]any
	time          time.Time
}

// maxEarlier is up to how many bytes of parameters and context values are
// remembered of a call. Of larger ones it is only known that they were made.
const maxEarlier = 16 << 10

func (e earlier) unread() bool { return compactSize(e.args)+compactSize(e.context) > maxEarlier }

// remember remembers the call, for the sequences of later ones. Equal calls
// are one: the last.
func (r *request) remember() {
	context, _, _ := object(r.call.Context)
	now := earlier{r.session(), r.call, r.args, context, r.sessionTime()}
	r.twin.earlier = slices.DeleteFunc(r.twin.earlier, func(e earlier) bool {
		return e.session == now.session && e.call.Tool == now.call.Tool && e.call.AgentID == now.call.AgentID && e.call.User == now.call.User &&
			reflect.DeepEqual(e.args, now.args) && reflect.DeepEqual(e.context, now.context)
	})
	r.twin.earlier = append(r.twin.earlier, now)
}

// sessionTime is the time that it is in the session, where it never goes back.
func (r *request) sessionTime() time.Time {
	now := r.now
	for _, e := range r.twin.earlier {
		if e.session == r.session() && e.time.After(now) {
			now = e.time
		}
	}
	return now
}

// sequence is a sequence.
type sequence struct{ *rules.Sequence }

// missing asks for the parameters of this call that those of earlier calls
// must be equal to.
func (s sequence) missing(r *request) ruleVerdict {
	for _, entry := range slices.Concat(s.Requires, s.BlockedBy) {
		for _, name := range slices.Sorted(maps.Keys(entry.Same)) {
			if _, f := r.selectValues(name); f != holds {
				return about(name, deny(rules.CodeEvaluationError))
			}
		}
	}
	return ruleVerdict{}
}

func (s sequence) look(r *request) standing {
	var says []standing
	for _, entry := range s.BlockedBy {
		found, trouble := r.find(entry, anyTool)
		if found {
			trouble = standing{violated: true, code: rules.CodeSequenceViolated, earlier: true}
		}
		says = append(says, trouble)
	}
	for _, entry := range s.Requires {
		found, trouble := r.find(entry, namesTool)
		if !found && !trouble.violated {
			trouble = standing{violated: true, code: rules.CodeSequenceViolated}
		}
		says = append(says, trouble)
	}
	for _, code := range []rules.Code{rules.CodeEvaluationError, rules.CodeSessionUnknown, rules.CodeSequenceViolated} {
		for _, x := range says {
			if x.violated && x.code == code {
				return x
			}
		}
	}
	return standing{}
}

func (s sequence) count(*request) {} // every call in a session is remembered

// namesTool matches the tools of what is required, byte for byte.
func namesTool(patterns []string, tool string) bool {
	return slices.ContainsFunc(patterns, func(p string) bool { return matchName(p, tool) })
}

// find looks for an earlier call of the session that an entry matches, oldest
// first. The entry's condition is asked last; where that or an earlier call
// cannot be read, that is trouble.
func (r *request) find(entry rules.SequenceEntry, matches func(patterns []string, tool string) bool) (found bool, trouble standing) {
	for _, e := range r.twin.earlier {
		if e.session != r.session() || !matches(entry.Tools, e.call.Tool) {
			continue
		}
		if w := entry.WithinSeconds; w != nil && !e.time.After(r.sessionTime().Add(-time.Duration(*w)*time.Second)) {
			continue
		}
		if e.unread() && (entry.When != "" || entry.Same != nil) {
			return false, standing{violated: true, hard: true, code: rules.CodeSessionUnknown}
		}
		if !r.sameParameters(entry.Same, e) {
			continue
		}
		if entry.When == "" {
			return true, standing{}
		}
		ok, err := r.twin.condition(entry.When, Vars{Call: e.call, Args: e.args})
		if err != nil {
			return false, standing{violated: true, hard: true, code: rules.CodeEvaluationError}
		}
		if ok {
			return true, standing{}
		}
	}
	return false, standing{}
}

// sameParameters reports whether each parameter of this call has the value of
// its parameter of the earlier call.
func (r *request) sameParameters(same map[string]string, e earlier) bool {
	then := request{args: e.args}
	for name, other := range same {
		a, _ := r.selectValues(name)
		b, f := then.selectValues(other)
		if f != holds || !equal(a[0], b[0]) {
			return false
		}
	}
	return true
}

// equal compares JSON values: numbers by what they are, not by their text.
func equal(a, b any) bool {
	switch a := a.(type) {
	case number:
		b, ok := b.(number)
		return ok && a.rat().Cmp(b.rat()) == 0
	case []any:
		b, ok := b.([]any)
		return ok && slices.EqualFunc(a, b, equal)
	case map[string]any:
		b, ok := b.(map[string]any)
		return ok && maps.EqualFunc(a, b, equal)
	default:
		switch b.(type) {
		case number, []any, map[string]any:
			return false // not comparable with ==, or of another kind
		}
		return a == b
	}
}
