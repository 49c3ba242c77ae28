package evaluator

import (
	"github.com/useveto/veto-go/internal/constraint"
	"github.com/useveto/veto-go/internal/decimal"
	"github.com/useveto/veto-go/internal/value"
)

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
		case ofAgent:
			e.keys = appendPart(e.keys, e.call.AgentID)
		case ofAll:
		case ofTool:
			e.keys = appendPart(e.keys, e.tool)
		case ofSession:
			if e.call.Session == "" {
				return false
			}
			e.keys = appendPart(e.keys, e.call.Session)
		case ofUser:
			if e.call.User == "" {
				return false
			}
			e.keys = appendPart(e.keys, e.call.User)
		case ofProject:
			if e.call.Project == "" {
				return false
			}
		case ofParameter:
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

// number appends the text of the parameter to dst, where it is a number.
func (e *Evaluation) number(name *constraint.Selector, dst []byte) ([]byte, bool) {
	i := name.Find(&e.args)
	if i == value.None || e.args.Nodes[i].Kind != value.Number {
		return nil, false
	}
	return e.args.Nodes[i].AppendNumber(dst), true
}
