package twin

import (
	"encoding/json"
	"testing"

	"github.com/useveto/veto-go/rules"
)

func TestSequenceEdges(t *testing.T) {
	entry := func(e rules.SequenceEntry) []rules.SequenceEntry { return []rules.SequenceEntry{e} }
	for name, x := range map[string]edge{
		"what is required is spelt exactly": {set: ruled(sequenced(rules.Sequence{Requires: entry(rules.SequenceEntry{Tools: tools("read")})})), steps: []edgeStep{
			{0, "s", "s", "t", nil, "sequence_violated"},
			{0, "", "s", "READ", nil, "allowed"},
			{0, "", "s", "t", nil, "sequence_violated"},
			{0, "", "s", "read", nil, "allowed"},
			{0, "", "s", "t", nil, "allowed"},
			{0, "", "", "t", nil, "session_unknown"},
			{0, "-s s", "s", "t", nil, "sequence_violated"},
		}},
		"what blocks is not": {set: ruled(sequenced(rules.Sequence{BlockedBy: entry(rules.SequenceEntry{Tools: tools("read"), WithinSeconds: ptr(5)})})), steps: []edgeStep{
			{0, "s x", "s", "t", nil, "allowed"},
			{0, "", "s", "READ", nil, "allowed"},
			{0, "", "x", "t", nil, "allowed"},
			{4.9, "", "s", "t", nil, "sequence_violated"},
			{5, "", "s", "t", nil, "allowed"},
		}},
		"equal values": {set: ruled(sequenced(rules.Sequence{Requires: entry(rules.SequenceEntry{Tools: tools("read"), Same: map[string]string{"x": "/y/0"}})})), steps: []edgeStep{
			{0, "s", "s", "t", nil, "evaluation_error x"},
			{0, "", "s", "read", `{"y":[{"a":[1e2,null],"b":"\u0061"}]}`, "allowed"},
			{0, "", "s", "read", `{"y":1}`, "allowed"},
			{0, "", "s", "t", `{"x":{"b":"a","a":[100.0,null]}}`, "allowed"},
			{0, "", "s", "t", `{"x":{"b":"a","a":["100",null]}}`, "sequence_violated"},
			{0, "", "s", "t", `{"x":{"b":"a","a":[100,null],"c":1}}`, "sequence_violated"},
			{0, "", "s", "t", `{"x":null}`, "sequence_violated"},
		}},
		"absence is told without a session's past": {set: ruled(soft(sequenced(rules.Sequence{
			Requires:  []rules.SequenceEntry{{Tools: tools("read"), Same: map[string]string{"d": "d"}}, {Tools: tools("read"), Same: map[string]string{"b": "b"}}},
			BlockedBy: entry(rules.SequenceEntry{Tools: tools("read"), Same: map[string]string{"a": "a"}}),
		}))), steps: []edgeStep{
			{0, "", "s", "t", nil, "evaluation_error d"},
			{0, "", "s", "t", `{"d":1}`, "evaluation_error b"},
			{0, "", "s", "t", `{"d":1,"b":1}`, "evaluation_error a"},
			{0, "", "s", "t", `{"d":1,"b":1,"a":1}`, "session_unknown"},
			{0, "s", "s", "t", `{"d":1,"b":1,"a":1}`, "approval_required"},
		}},
		"a condition that fails, where it is asked": {set: ruled(soft(sequenced(rules.Sequence{BlockedBy: entry(rules.SequenceEntry{Tools: tools("read"), When: `args.to == "bob"`, WithinSeconds: ptr(5)})}))), steps: []edgeStep{
			{0, "s", "s", "t", nil, "allowed"},
			{0, "", "s", "read", `{}`, "allowed"},
			{1, "", "s", "read", `{"to":"bob"}`, "allowed"},
			{2, "", "s", "t", nil, "evaluation_error"},
			{5, "", "s", "t", nil, "approval_required"}, // it did not see what has left
			{6, "", "s", "t", nil, "allowed"},
		}},
		"equal calls are one": {set: ruled(sequenced(rules.Sequence{BlockedBy: entry(rules.SequenceEntry{Tools: tools("read"), When: `args.to == "bob"`})})), steps: []edgeStep{
			{0, "s", "s", "read", `{"x":1}`, "allowed"},
			{1, "", "s", "read", `{"to":"bob"}`, "allowed"},
			{2, "", "s", "t", nil, "evaluation_error"},
			{3, "", "s", "read", ` { "x" : 1 } `, "allowed"},
			{4, "", "s", "t", nil, "sequence_violated"}, // the call of bob is the oldest now
		}},
		"what is too large to remember": {set: ruled(sequenced(rules.Sequence{BlockedBy: []rules.SequenceEntry{
			{Tools: tools("read"), Same: map[string]string{"to": "to"}}, {Tools: tools("write")},
		}})), steps: []edgeStep{
			{0, "s", "s", "write", `{"to":"` + long(16<<10, "x") + `"}`, "allowed"},
			{1, "", "s", "t", `{"to":1}`, "sequence_violated"},
			{1, "", "s", "read", `{"to":"` + long(16<<10, "x") + `"}`, "allowed"},
			{1, "", "s", "t", `{"to":1}`, "session_unknown"},
		}},
		"who is asked is not remembered": {set: ruled(rules.Rule{Type: rules.RequireApproval, Tools: tools("read")}, sequenced(rules.Sequence{BlockedBy: entry(rules.SequenceEntry{Tools: tools("read")})})), steps: []edgeStep{
			{0, "s", "s", "read", nil, "approval_required"},
			{0, "", "s", "t", nil, "allowed"},
		}},
	} {
		t.Run(name, x.check)
	}
}

func TestSessionConstraintEdges(t *testing.T) {
	constrained := func(c rules.SessionConstraints) *rules.PolicySet {
		set := ruled()
		set.ToolPolicies = []rules.ToolPolicy{{ToolName: "t", Mode: "deterministic", SessionConstraints: &c}}
		return set
	}
	counted := func(c rules.SessionCounter) *rules.PolicySet {
		return constrained(rules.SessionConstraints{Counters: map[string]rules.SessionCounter{"n": c}})
	}
	for name, x := range map[string]edge{
		"a number of calls": {set: constrained(rules.SessionConstraints{MaxCalls: ptr(1)}), steps: []edgeStep{
			{0, "", "", "t", nil, "session_unknown"},
			{0, "", "s", "T", nil, "session_unknown"},
			{0, "", "s", "other", nil, "allowed"},
			{0, "s", "s", "T", nil, "allowed"},
			{0, "", "s", "t", nil, "budget_exceeded"},
			{0, "", "s", "other", nil, "allowed"},
		}},
		"sums": {set: constrained(rules.SessionConstraints{
			Budget: ptr(json.Number("3")), SpendArgument: "amount", CumulativeLimits: []rules.CumulativeLimit{{ArgumentName: "/n", MaxValue: ptr(json.Number("1"))}},
		}), steps: []edgeStep{
			{0, "s", "s", "t", `{"amount":3}`, "evaluation_error /n"},
			{0, "", "s", "t", `{"n":-1}`, "evaluation_error amount"},
			{0, "", "s", "t", `{"amount":1,"n":-1}`, "budget_exceeded /n"},
			{0, "", "s", "t", `{"amount":2,"n":1}`, "allowed"},
			{0, "", "s", "t", `{"amount":2,"n":0}`, "budget_exceeded"},
			{0, "", "s", "t", `{"amount":1,"n":0}`, "allowed"},
		}},
		"a counter is not below zero": {set: counted(rules.SessionCounter{Increment: tools("up", "both"), Decrement: tools("down", "both"), Max: ptr(1)}), steps: []edgeStep{
			{0, "s", "s", "down", nil, "allowed"},
			{0, "", "s", "both", nil, "allowed"},
			{0, "", "s", "UP", nil, "allowed"},
			{0, "", "s", "t", nil, "allowed"},
			{0, "", "s", "both", nil, "allowed"},
			{0, "", "s", "t", nil, "allowed"},
			{0, "", "s", "up", nil, "allowed"}, // it denies its own tool only
			{0, "", "s", "t", nil, "budget_exceeded"},
			{0, "", "s", "down", nil, "allowed"},
			{0, "", "s", "t", nil, "allowed"},
			{0, "", "x", "up", nil, "allowed"},
		}},
		"a counter counts this call": {set: counted(rules.SessionCounter{Increment: tools("*"), Max: ptr(1), MaxAction: rules.EscalateOnViolation}), steps: []edgeStep{
			{0, "s", "s", "t", nil, "allowed"},
			{0, "", "s", "t", nil, "approval_required"},
			{0, "", "", "t", nil, "session_unknown"},
		}},
	} {
		t.Run(name, x.check)
	}
}
