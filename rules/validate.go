package rules

import (
	"fmt"
	"strconv"

	"github.com/useveto/veto-go/internal/docpath"
)

// Validate returns everything that is wrong with set, in the order of the
// document (members of maps by key), or nil. It checks all that can be known
// without compiling conditions or deciding examples; a set that it passes
// keeps every bound of this package. It reads set and keeps nothing of it.
//
// Policies that are disabled are validated like the others.
func Validate(set *PolicySet) []Fault {
	if set == nil {
		return nil
	}
	v := validator{set: set}
	v.document()
	return v.faults
}

type path = docpath.Path

// validator walks a set. Where it is comes as a path argument; what it is in
// is kept here, for the faults to name.
type validator struct {
	set    *PolicySet
	faults []Fault

	policyID string
	policy   *Policy // nil outside agent policies
	rule     int     // index in policy.Rules, or -1

	regexes map[regexUse]string // what is wrong with it, or ""
	zones   map[string]bool     // name: whether it exists
}

// fault notes that the thing at p is wrong.
func (v *validator) fault(p *path, message, hint string) {
	f := Fault{Path: p.String(), Policy: v.policyID, Message: message, Hint: hint}
	if v.policy != nil && v.rule >= 0 {
		f.Rule = v.policy.RuleID(v.rule)
	}
	v.faults = append(v.faults, f)
}

// wrong notes that the member name of the object at p is wrong.
func (v *validator) wrong(p *path, name, message, hint string) {
	at := p.Member(name)
	v.fault(&at, message, hint)
}

// within checks that the member name of the object at p is in lo..hi.
func (v *validator) within(p *path, name string, n, lo, hi int) {
	if n < lo || n > hi {
		v.wrong(p, name, strconv.Itoa(n)+" is out of range", fmt.Sprintf("the range is %d..%d", lo, hi))
	}
}

// count checks how many there are of something.
func (v *validator) count(p *path, name, what string, n, most int) {
	switch {
	case n == 0:
		v.wrong(p, name, "there are no "+what, fmt.Sprintf("give 1..%d", most))
	case n > most:
		v.wrong(p, name, fmt.Sprintf("there are %d %s", n, what), fmt.Sprintf("at most %d", most))
	}
}

func (v *validator) document() {
	var top path
	set := v.set
	if set.Version != nil && *set.Version != 1 {
		v.wrong(&top, "version", fmt.Sprintf("version %d is not known", *set.Version), "the version of this format is 1")
	}
	v.lists(&top)
	v.agents(&top)
	if n := len(set.Policies) + len(set.ToolPolicies); n > MaxPolicies {
		name := "policies"
		if len(set.ToolPolicies) > len(set.Policies) {
			name = "toolPolicies"
		}
		v.wrong(&top, name, fmt.Sprintf("there are %d policies", n), fmt.Sprintf("a set has at most %d", MaxPolicies))
		return
	}
	v.policies(&top)
	v.toolPolicies(&top)
	v.examples(&top)
}

func (v *validator) lists(p *path) {
	if len(v.set.Lists) == 0 {
		return
	}
	at := p.Member("lists")
	for _, name := range sortedKeys(v.set.Lists) {
		list := at.Member(name)
		v.text(&list, "the name of a list", name, MaxName)
		for i, s := range v.set.Lists[name] {
			if !validUTF8(s) {
				e := list.Element(i)
				v.fault(&e, "the text is not valid UTF-8", "")
			}
		}
	}
}

func (v *validator) agents(p *path) {
	if len(v.set.Agents) == 0 {
		return
	}
	at := p.Member("agents")
	seen := make(map[string]int, len(v.set.Agents))
	for i := range v.set.Agents {
		a, at := &v.set.Agents[i], at.Element(i)
		id := at.Member("id")
		if v.callName(&id, "the id of an agent", a.ID, false) {
			v.unique(&id, "agent", a.ID, seen, i)
		}
		v.optionalText(&at, "name", a.Name, MaxName)
		v.description(&at, a.Description)
		switch a.Status {
		case "", AgentActive, AgentSuspended, AgentRevoked:
		default:
			v.choice(&at, "status", string(a.Status), "active", "suspended", "revoked")
		}
	}
}

// unique notes where the id at p was used before, and enters it.
func (v *validator) unique(p *path, what, id string, seen map[string]int, i int) {
	if first, ok := seen[id]; ok {
		v.fault(p, fmt.Sprintf("%s %q is there twice", what, id), fmt.Sprintf("the first is number %d", first+1))
		return
	}
	seen[id] = i
}

func (v *validator) policies(p *path) {
	if len(v.set.Policies) == 0 {
		return
	}
	type scope struct{ project, agent string }
	at := p.Member("policies")
	seen := make(map[string]int, len(v.set.Policies))
	perAgent := make(map[scope]int)
	for i := range v.set.Policies {
		policy, at := &v.set.Policies[i], at.Element(i)
		v.policyID, v.policy, v.rule = policy.ID, policy, -1
		id := at.Member("id")
		if v.text(&id, "the id of a policy", policy.ID, MaxName) {
			v.unique(&id, "policy", policy.ID, seen, i)
		}
		key := scope{agent: policy.AgentID}
		if policy.ProjectID != nil {
			key.project = *policy.ProjectID
		}
		perAgent[key]++
		if perAgent[key] == MaxPoliciesPerAgent+1 {
			v.fault(&at, fmt.Sprintf("there are more than %d policies of one project for agent %q", MaxPoliciesPerAgent, policy.AgentID), "merge policies, or name agents more exactly")
		}
		v.checkPolicy(&at, policy)
	}
	v.policyID, v.policy = "", nil
}

func (v *validator) checkPolicy(p *path, policy *Policy) {
	agent := p.Member("agentId")
	v.callName(&agent, "the agent of a policy", policy.AgentID, true)
	v.project(p, policy.ProjectID)
	if policy.Floor && policy.ProjectID != nil {
		v.wrong(p, "floor", "a floor policy is organisation-wide", "leave projectId out, or floor")
	}
	v.optionalText(p, "name", policy.Name, MaxName)
	v.description(p, policy.Description)
	v.within(p, "priority", policy.Priority, 0, MaxPriority)
	v.count(p, "rules", "rules", len(policy.Rules), MaxRules)
	rules := p.Member("rules")
	for i := range policy.Rules {
		v.rule = i
		at := rules.Element(i)
		v.checkRule(&at, &policy.Rules[i])
		if i < MaxRules { // past that it is wrong anyway, and the search is long
			v.ruleID(&at, policy, i)
		}
	}
	v.rule = -1
}

// ruleID checks that rule i has an id of its own in its policy, counting the
// ids that rules have by default.
func (v *validator) ruleID(p *path, policy *Policy, i int) {
	id := policy.Rules[i].ID
	if id == "" {
		return
	}
	at := p.Member("id")
	if !v.text(&at, "the id of a rule", id, MaxName) {
		return
	}
	for j := range policy.Rules {
		other := policy.Rules[j].ID
		if other == id && j < i || other == "" && id[len(id)-1] == ']' && policy.RuleID(j) == id {
			v.fault(&at, fmt.Sprintf("rule %q is there twice in this policy", id), fmt.Sprintf("the other is number %d", j+1))
			return
		}
	}
}

// RuleID returns the id of rule i: its own, or the type and the ordinal among
// the rules of that type, as in "rate_limit[0]". It panics if there is no
// rule i.
func (p *Policy) RuleID(i int) string {
	r := &p.Rules[i]
	if r.ID != "" {
		return r.ID
	}
	ordinal := 0
	for j := range i {
		if p.Rules[j].Type == r.Type {
			ordinal++
		}
	}
	if ordinal == 0 {
		if id := firstIDs[r.Type]; id != "" {
			return id // shared by the many policies that have one
		}
	}
	return string(r.Type) + "[" + strconv.Itoa(ordinal) + "]"
}

// firstIDs are the default ids of the first rule of each type.
var firstIDs = func() map[RuleType]string {
	ids := make(map[RuleType]string, len(RuleTypes))
	for _, t := range RuleTypes {
		ids[t] = string(t) + "[0]"
	}
	return ids
}()
