package twin

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/useveto/veto-go/rules"
)

// shrink drops calls, policies, rules and parameters while a difference
// remains, and describes what is left.
func (h *history) shrink(engine, twin said) string {
	small := h.clone()
	differs := func(h *history) bool {
		at, e, w, err := h.run()
		if err != nil || at < 0 {
			return false
		}
		h.calls = h.calls[:at+1]
		engine, twin = e, w
		return true
	}
	differs(small)
	for again := true; again; {
		again = false
		for _, smaller := range small.smaller() {
			if differs(smaller) {
				small, again = smaller, true
				break
			}
		}
	}
	var b strings.Builder
	fmt.Fprintf(&b, "they differ\nengine: %s\ntwin:   %s\noptions: %+v\n%s\n", engine, twin, small.opts, dump(small.set))
	if small.reload >= 0 {
		fmt.Fprintf(&b, "before call %d replaced by\n%s\n", small.reload, dump(small.later))
	}
	for _, c := range small.calls {
		for _, step := range c.before {
			fmt.Fprintf(&b, "%s session: %+v\n", c.now.Format(time.RFC3339Nano), step)
		}
		fmt.Fprintf(&b, "%s %s\n", c.now.Format(time.RFC3339Nano), describe(c.call))
	}
	return b.String()
}

func (h *history) clone() *history {
	c := *h
	c.codes, c.each = nil, nil
	c.set, c.later = cloneSet(h.set), cloneSet(h.later)
	c.calls = slices.Clone(h.calls)
	return &c
}

func cloneSet(set *rules.PolicySet) *rules.PolicySet {
	c := *set
	c.Policies = slices.Clone(set.Policies)
	for i := range c.Policies {
		c.Policies[i].Rules = slices.Clone(c.Policies[i].Rules)
	}
	c.ToolPolicies = slices.Clone(set.ToolPolicies)
	for i := range c.ToolPolicies {
		c.ToolPolicies[i].Constraints = slices.Clone(c.ToolPolicies[i].Constraints)
	}
	return &c
}

// smaller lists the histories that have one thing less than h.
func (h *history) smaller() []*history {
	var out []*history
	try := func(edit func(h *history)) {
		c := h.clone()
		edit(c)
		out = append(out, c)
	}
	if h.reload >= 0 {
		try(func(c *history) { c.later, c.reload = c.set, -1 })
		try(func(c *history) { c.set, c.reload = c.later, -1 })
	}
	for n := len(h.calls) / 2; n > 0; n /= 2 {
		for i := 0; i+n < len(h.calls); i += n {
			try(func(c *history) {
				var steps []sessionStep
				for _, call := range c.calls[i : i+n+1] {
					steps = append(steps, call.before...)
				}
				c.calls[i+n].before = steps
				c.calls = slices.Delete(c.calls, i, i+n)
				if i < c.reload {
					c.reload = max(0, c.reload-n)
				}
			})
		}
	}
	for i := range h.calls {
		for j := range h.calls[i].before {
			try(func(c *history) { c.calls[i].before = slices.Delete(slices.Clone(c.calls[i].before), j, j+1) })
		}
	}
	sets := []func(*history) *rules.PolicySet{func(h *history) *rules.PolicySet { return h.set }}
	if h.reload >= 0 {
		sets = append(sets, func(h *history) *rules.PolicySet { return h.later })
	}
	for _, of := range sets {
		trySet := func(edit func(*rules.PolicySet)) {
			try(func(c *history) {
				edit(of(c))
				if c.reload < 0 {
					c.later = c.set
				}
			})
		}
		set := of(h)
		for i := range set.Policies {
			trySet(func(s *rules.PolicySet) { s.Policies = slices.Delete(s.Policies, i, i+1) })
			for j := range set.Policies[i].Rules {
				if len(set.Policies[i].Rules) > 1 {
					trySet(func(s *rules.PolicySet) { s.Policies[i].Rules = slices.Delete(s.Policies[i].Rules, j, j+1) })
				}
				if set.Policies[i].Rules[j].When != "" {
					trySet(func(s *rules.PolicySet) { s.Policies[i].Rules[j].When = "" })
				}
				if set.Policies[i].Rules[j].Sequence != nil {
					lessSequence(set.Policies[i].Rules[j].Sequence, func(less *rules.Sequence) {
						trySet(func(s *rules.PolicySet) { s.Policies[i].Rules[j].Sequence = less })
					})
				}
				if ps := set.Policies[i].Rules[j].Parameters; len(ps) > 1 {
					for name := range ps {
						trySet(func(s *rules.PolicySet) {
							s.Policies[i].Rules[j].Parameters = map[string]rules.Constraint{name: ps[name]}
						})
					}
				}
			}
		}
		for i := range set.ToolPolicies {
			if c := set.ToolPolicies[i].SessionConstraints; c != nil {
				lessConstraints(c, func(less *rules.SessionConstraints) {
					trySet(func(s *rules.PolicySet) { s.ToolPolicies[i].SessionConstraints = less })
				})
			}
			trySet(func(s *rules.PolicySet) { s.ToolPolicies = slices.Delete(s.ToolPolicies, i, i+1) })
			for j := range set.ToolPolicies[i].Constraints {
				trySet(func(s *rules.PolicySet) {
					s.ToolPolicies[i].Constraints = slices.Delete(s.ToolPolicies[i].Constraints, j, j+1)
				})
			}
		}
		if set.Agents != nil {
			trySet(func(s *rules.PolicySet) { s.Agents = nil })
		}
	}
	last := len(h.calls) - 1
	if args, ok := h.calls[last].call.Parameters.(map[string]any); ok {
		for name := range args {
			try(func(c *history) {
				less := map[string]any{}
				for k, v := range args {
					if k != name {
						less[k] = v
					}
				}
				c.calls[last].call.Parameters = less
			})
		}
	} else if text, ok := rawText(h.calls[last].call.Parameters); ok {
		var args map[string]any
		if d := json.NewDecoder(strings.NewReader(text)); text != "" {
			d.UseNumber()
			if d.Decode(&args) == nil && args != nil {
				try(func(c *history) { c.calls[last].call.Parameters = args })
			}
		}
	}
	return out
}

// lessSequence lists the sequences that have one entry less, or one part of
// an entry.
func lessSequence(s *rules.Sequence, try func(*rules.Sequence)) {
	less := func(entries []rules.SequenceEntry, set func(*rules.Sequence, []rules.SequenceEntry)) {
		with := func(entries []rules.SequenceEntry) {
			c := *s
			set(&c, entries)
			try(&c)
		}
		for i := range entries {
			if len(entries) > 1 {
				with(slices.Delete(slices.Clone(entries), i, i+1))
			}
			change := func(edit func(*rules.SequenceEntry)) {
				c := slices.Clone(entries)
				edit(&c[i])
				with(c)
			}
			if entries[i].WithinSeconds != nil {
				change(func(e *rules.SequenceEntry) { e.WithinSeconds = nil })
			}
			if entries[i].When != "" {
				change(func(e *rules.SequenceEntry) { e.When = "" })
			}
			if entries[i].Same != nil {
				change(func(e *rules.SequenceEntry) { e.Same = nil })
			}
		}
	}
	less(s.Requires, func(s *rules.Sequence, e []rules.SequenceEntry) { s.Requires = e })
	less(s.BlockedBy, func(s *rules.Sequence, e []rules.SequenceEntry) { s.BlockedBy = e })
	if s.Requires != nil && s.BlockedBy != nil {
		try(&rules.Sequence{Requires: s.Requires})
		try(&rules.Sequence{BlockedBy: s.BlockedBy})
	}
}

// lessConstraints lists the session constraints without one of them.
func lessConstraints(c *rules.SessionConstraints, try func(*rules.SessionConstraints)) {
	with := func(given bool, edit func(*rules.SessionConstraints)) {
		if given {
			less := *c
			edit(&less)
			try(&less)
		}
	}
	with(c.MaxCalls != nil, func(c *rules.SessionConstraints) { c.MaxCalls = nil })
	with(c.Budget != nil, func(c *rules.SessionConstraints) { c.Budget, c.SpendArgument = nil, "" })
	with(c.CumulativeLimits != nil, func(c *rules.SessionConstraints) { c.CumulativeLimits = nil })
	for name := range c.Counters {
		with(true, func(c *rules.SessionConstraints) {
			c.Counters = maps.Clone(c.Counters)
			delete(c.Counters, name)
		})
	}
}

func dump(set *rules.PolicySet) string {
	text, err := json.MarshalIndent(struct {
		*rules.PolicySet
		Lists any `json:"lists,omitempty"`
	}{PolicySet: set}, "", " ")
	if err != nil {
		return err.Error()
	}
	return string(text)
}

func rawText(v any) (string, bool) {
	switch v := v.(type) {
	case json.RawMessage:
		return string(v), true
	case []byte:
		return string(v), true
	case string:
		return v, true
	}
	return "", false
}

// describe shows a call on one line, with the Go types of its parameters.
func describe(c rules.Call) string {
	args := fmt.Sprintf("%#v", c.Parameters)
	if text, ok := rawText(c.Parameters); ok {
		args = fmt.Sprintf("%T(%q)", c.Parameters, text)
	}
	if len(args) > 2000 {
		args = args[:2000] + "…"
	}
	return fmt.Sprintf("agent=%q tool=%q project=%q session=%q user=%q parameters=%s context=%#v", c.AgentID, c.Tool, c.Project, c.Session, c.User, args, c.Context)
}
