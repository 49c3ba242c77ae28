package twin

import (
	"cmp"
	"slices"
	"strings"

	"github.com/useveto/veto-go/rules"
)

// policy is an agent policy, a tool policy, or the grant of a tool policy,
// which stands at another place than its constraints.
type policy struct {
	id, name string
	rank     int // of its group; higher first
	agent    *rules.Policy
	tool     *rules.ToolPolicy
	grants   bool
}

// The ranks of what stands before and after every priority.
const (
	rankTool  = 1001
	rankGrant = -1
)

type scope struct{ live, shadow []policy }

// scope returns the policies that decide this call.
func (r *request) scope() scope {
	inProject := r.inProject()
	var s scope
	for i := range r.twin.set.Policies {
		p := &r.twin.set.Policies[i]
		if !enabled(p) || !matchName(p.AgentID, r.call.AgentID) {
			continue
		}
		used := p.Floor || r.owner(p.ProjectID, inProject)
		if p.Shadow && p.ProjectID != nil {
			// It is used where it would be were it live.
			used = *p.ProjectID == r.call.Project
		}
		if !used {
			continue
		}
		entry := policy{id: p.ID, name: cmp.Or(p.Name, p.ID), rank: p.Priority, agent: p}
		if p.Shadow {
			s.shadow = append(s.shadow, entry)
		} else {
			s.live = append(s.live, entry)
		}
	}
	for i := range r.twin.set.ToolPolicies {
		p := &r.twin.set.ToolPolicies[i]
		if !active(p) || !matchFolded(p.ToolName, r.call.Tool) || !r.owner(p.ProjectID, inProject) {
			continue
		}
		entry := policy{id: p.PolicyID(), name: p.PolicyID(), rank: rankTool, tool: p}
		s.live = append(s.live, entry)
		if p.ToolName == r.call.Tool && !r.twin.strict() && !r.anyAgentPolicy() {
			entry.rank, entry.grants = rankGrant, true
			s.live = append(s.live, entry)
		}
	}
	return s
}

// owner reports whether what belongs to a project (or, nil, to the
// organisation) is used in this scope.
func (r *request) owner(project *string, inProject bool) bool {
	if project == nil {
		return !inProject
	}
	return inProject && *project == r.call.Project
}

// inProject reports whether the call is in project scope.
func (r *request) inProject() bool {
	if r.call.Project == "" {
		return false
	}
	for i := range r.twin.set.Policies {
		p := &r.twin.set.Policies[i]
		if enabled(p) && !p.Shadow && p.ProjectID != nil && *p.ProjectID == r.call.Project &&
			matchName(p.AgentID, r.call.AgentID) && anyRule(p, r.call.Tool) {
			return true
		}
	}
	for i := range r.twin.set.ToolPolicies {
		p := &r.twin.set.ToolPolicies[i]
		if active(p) && p.ProjectID != nil && *p.ProjectID == r.call.Project && matchFolded(p.ToolName, r.call.Tool) {
			return true
		}
	}
	return false
}

// anyRuleForTool reports whether any policy that could concern this call has
// a rule for its tool; else the policy was not found.
func (r *request) anyRuleForTool() bool {
	for i := range r.twin.set.Policies {
		p := &r.twin.set.Policies[i]
		if enabled(p) && r.mine(p.ProjectID) && matchName(p.AgentID, r.call.AgentID) && anyRule(p, r.call.Tool) {
			return true
		}
	}
	for i := range r.twin.set.ToolPolicies {
		p := &r.twin.set.ToolPolicies[i]
		if active(p) && r.mine(p.ProjectID) && matchFolded(p.ToolName, r.call.Tool) {
			return true
		}
	}
	return false
}

// anyAgentPolicy reports whether an agent policy applies to this agent, for
// whatever tool: then tool policies do not grant.
func (r *request) anyAgentPolicy() bool {
	for i := range r.twin.set.Policies {
		p := &r.twin.set.Policies[i]
		if enabled(p) && !p.Shadow && r.mine(p.ProjectID) && matchName(p.AgentID, r.call.AgentID) {
			return true
		}
	}
	return false
}

// mine reports whether a policy is organisation-wide or of the call's project.
func (r *request) mine(project *string) bool {
	return project == nil || *project == r.call.Project
}

func enabled(p *rules.Policy) bool    { return p.Enabled == nil || *p.Enabled }
func active(p *rules.ToolPolicy) bool { return p.IsActive == nil || *p.IsActive }

func (t *Twin) strict() bool { return t.opts.StrictGrant || t.set.StrictGrant }

// groups sorts policies by rank and id, and cuts them where the rank changes.
func groups(policies []policy) [][]policy {
	sorted := slices.Clone(policies)
	slices.SortFunc(sorted, before)
	var out [][]policy
	for i, p := range sorted {
		if i == 0 || p.rank != sorted[i-1].rank {
			out = append(out, nil)
		}
		out[len(out)-1] = append(out[len(out)-1], p)
	}
	return out
}

// before is the order of policies: rank descending, id ascending.
func before(a, b policy) int {
	return cmp.Or(cmp.Compare(b.rank, a.rank), strings.Compare(a.id, b.id))
}

func anyRule(p *rules.Policy, tool string) bool {
	return slices.ContainsFunc(p.Rules, func(rule rules.Rule) bool { return toolsMatch(rule.Tools, tool) })
}

// toolsMatch matches the tools of a restriction.
func toolsMatch(patterns []string, tool string) bool {
	return patterns == nil || slices.ContainsFunc(patterns, func(p string) bool { return matchFolded(p, tool) })
}

// matchName matches a name, or a prefix that ends in "*", byte for byte.
func matchName(pattern, name string) bool {
	if prefix, ok := strings.CutSuffix(pattern, "*"); ok {
		return strings.HasPrefix(name, prefix)
	}
	return pattern == name
}

// matchFolded is matchName where the case of ASCII letters does not count.
// Tool names have no other letters.
func matchFolded(pattern, name string) bool {
	return matchName(strings.ToLower(pattern), strings.ToLower(name))
}
