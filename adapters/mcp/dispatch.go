package vetomcp

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"
	"unicode/utf8"
)

// target is what a call is decided as.
type target struct {
	tool   string // as policies know it
	params json.RawMessage

	outer  string // digest of what is around it, and decided by nobody
	around string // that for a human
}

func (t *target) is(other *target) bool {
	return t.tool == other.tool && t.outer == other.outer && bytes.Equal(t.params, other.params)
}

// notJSON are arguments that every decision refuses and records.
var notJSON = json.RawMessage("\x00")

// maxNesting is how many dispatchers may stand around a tool.
const maxNesting = 4

// target finds out what a call of a tool of this server comes to.
func (g *Guard) target(tool string, args json.RawMessage) target {
	var around []layer
	for range maxNesting {
		d, ok := g.dispatcher(tool)
		if !ok {
			outer, ok := digest(around)
			if !ok {
				break
			}
			return target{g.name(tool), args, outer, through(around)}
		}
		l := layer{Tool: tool}
		if tool, args, l.Undecided, ok = d.open(args); !ok {
			tool = l.Tool
			break
		}
		around = append(around, l)
	}
	return target{tool: g.name(tool), params: notJSON}
}

// dispatcher finds a dispatcher also under a name that differs in case only:
// the name may be one that another dispatcher looks up in its own way.
func (g *Guard) dispatcher(tool string) (Dispatcher, bool) {
	if d, ok := g.opts.Dispatchers[tool]; ok {
		return d, true
	}
	for name, d := range g.opts.Dispatchers {
		if strings.EqualFold(name, tool) {
			return d, true
		}
	}
	return Dispatcher{}, false
}

// open returns the inner call. It refuses whatever a dispatcher's own reading
// of the arguments could take for something else: a key that is repeated, and
// any that is not exactly one of those that are known.
func (d *Dispatcher) open(args json.RawMessage) (tool string, params json.RawMessage, undecided map[string]json.RawMessage, ok bool) {
	all, ok := members(args)
	if !ok || !utf8.Valid(args) || len(all) > len(d.Undecided)+2 {
		return "", nil, nil, false
	}
	undecided = make(map[string]json.RawMessage)
	for i, m := range all {
		if slices.ContainsFunc(all[:i], func(n member) bool { return n.key == m.key }) {
			return "", nil, nil, false
		}
		switch {
		case m.key == d.Tool:
			if json.Unmarshal(m.value, &tool) != nil {
				return "", nil, nil, false
			}
		case m.key == d.Arguments:
			if params, ok = unquoted(m.value); !ok {
				return "", nil, nil, false
			}
		case slices.Contains(d.Undecided, m.key):
			undecided[m.key] = m.value
		default:
			return "", nil, nil, false
		}
	}
	return tool, params, undecided, tool != ""
}

// unquoted returns JSON that may be written as a text.
func unquoted(value json.RawMessage) (json.RawMessage, bool) {
	if value[0] != '"' {
		return value, true
	}
	var text string
	if json.Unmarshal(value, &text) != nil {
		return nil, false
	}
	return json.RawMessage(text), true
}
