// Package veto decides the tool calls of AI agents.
//
// An agent proposes a call: a tool name and parameters. The host asks
// [Authorizer.Authorize] before it runs the tool:
//
//	set, err := veto.LoadFile("policies.yaml")
//	…
//	a, err := veto.New(set, nil)
//	…
//	if _, err := a.Authorize(ctx, "support-bot", "send_email", params); err != nil {
//		return err // the call must not run
//	}
//
// Decisions are made in the process, from policies that were compiled when
// they were loaded. What no policy allows is denied; so is everything that
// goes wrong. The error is nil exactly when the call is allowed.
//
// # Policies
//
// A policy is a named set of rules for one agent, or all of them. Allowlists,
// and constraints that name their tools, grant; everything else only
// restricts. Policies are walked from the highest priority to the lowest, and
// the first group of equal priority with an opinion decides: a denial before
// an escalation before a grant. See package rules for the vocabulary, and
// docs/policies.md in the repository for the language.
//
// # Concurrency
//
// An [Authorizer] is safe for concurrent use. Policies may be replaced at any
// time with [Authorizer.SetPolicies]; each decision is made under one
// revision, which its [Result] names.
package veto
