package evaluator

import (
	"crypto/sha256"
	"encoding/binary"
	"slices"
	"strings"
	"time"

	"github.com/useveto/veto-go/internal/constraint"
	"github.com/useveto/veto-go/internal/decimal"
	"github.com/useveto/veto-go/internal/value"
	"github.com/useveto/veto-go/rules"
)

// limit is a rate_limit rule with a rolling window.
type limit struct {
	identity [16]byte
	max      int
	window   time.Duration
	per      []keyPart
}

// keyPart is a part of a counter's key.
type keyPart struct {
	kind  string // agent, global, tool, user, project or param
	param constraint.Selector
}

// take is one limit on which a verdict rests.
type take struct {
	limit      *limit
	rule       *rule
	key        []byte // of the counter; part of Evaluation.keys
	exhausted  bool
	retryAfter time.Duration
	at         int64 // the time that the call counts for, once taken
}

var (
	perAgent = []string{"agent"}
	byAgent  = []keyPart{{kind: "agent"}}
)

func keyParts(per []string) []keyPart {
	if slices.Equal(per, perAgent) {
		return byAgent // shared: most limits are so
	}
	parts := make([]keyPart, len(per))
	for i, text := range per {
		parts[i].kind = text
		if name, ok := strings.CutPrefix(text, "param:"); ok {
			parts[i] = keyPart{"param", constraint.NewSelector(name)}
		}
	}
	return parts
}

// compileLimit compiles a valid block. The identity of a counter is what the
// limit is about (project, policy, rule, window, key parts), not how much it
// permits: a reload that changes the number, the tools or the condition keeps
// what was counted.
func compileLimit(projectID *string, r *rule, b *rules.RateLimit) *limit {
	per := b.Per
	if per == nil {
		per = perAgent
	}
	project := ""
	if projectID != nil {
		project = *projectID
	}
	var buf []byte
	for _, part := range []string{project, r.policy.id, r.id} {
		buf = appendPart(buf, part)
	}
	for _, part := range per {
		buf = appendPart(buf, part)
	}
	buf = binary.AppendUvarint(buf, uint64(b.WindowSeconds))
	sum := sha256.Sum256(buf)
	l := &limit{max: b.MaxCalls, window: time.Duration(b.WindowSeconds) * time.Second, per: keyParts(per)}
	copy(l.identity[:], sum[:])
	return l
}

func (l *limit) judge(e *Evaluation, r *rule) judgement {
	start := len(e.keys)
	if !e.appendKey(l) {
		e.keys = e.keys[:start]
		e.why = "the call lacks a part of the counter's key"
		return judgement{outcome: failed}
	}
	if r.policy.flags.shadow {
		e.keys = e.keys[:start]
		return judgement{outcome: passes} // a shadow counts nothing
	}
	e.takes = append(e.takes, take{limit: l, rule: r, key: e.keys[start:len(e.keys):len(e.keys)]})
	return judgement{outcome: passes}
}

// maxKeyPart is the most bytes of a parameter that is part of a key.
const maxKeyPart = 256

// appendKey appends the key of the call's counter for l. Every part is
// preceded by its length, so that no two calls share a key unless they share
// every part. It reports false where the call lacks a part.
func (e *Evaluation) appendKey(l *limit) bool {
	e.keys = append(e.keys, l.identity[:]...)
	e.keys = appendPart(e.keys, e.call.Project)
	for i := range l.per {
		switch l.per[i].kind {
		case "agent":
			e.keys = appendPart(e.keys, e.call.AgentID)
		case "global":
		case "tool":
			e.keys = appendPart(e.keys, e.tool)
		case "user":
			if e.call.User == "" {
				return false
			}
			e.keys = appendPart(e.keys, e.call.User)
		case "project":
			if e.call.Project == "" {
				return false
			}
		case "param":
			if !e.appendParameter(&l.per[i].param) {
				return false
			}
		default:
			return false
		}
	}
	return true
}

// appendParameter appends a string of at most 256 bytes, a number in
// canonical form or a boolean, with its kind.
func (e *Evaluation) appendParameter(name *constraint.Selector) bool {
	t := &e.args
	i := name.Find(t)
	if i == value.None {
		return false
	}
	n := &t.Nodes[i]
	e.keys = append(e.keys, byte(n.Kind))
	switch n.Kind {
	case value.String:
		if len(n.Text) > maxKeyPart {
			return false
		}
		e.keys = appendPart(e.keys, n.Text)
	case value.Bool:
		e.keys = append(e.keys, byte(n.Bits))
	case value.Number:
		var text, canonical [512]byte
		number := decimal.Canonical(canonical[:0], string(n.AppendNumber(text[:0])))
		e.keys = appendPart(e.keys, string(number))
	default:
		return false
	}
	return true
}

func appendPart(dst []byte, part string) []byte {
	dst = binary.AppendUvarint(dst, uint64(len(part)))
	return append(dst, part...)
}
