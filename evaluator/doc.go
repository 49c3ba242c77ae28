// Package evaluator decides calls: [Compile] turns policies into an immutable
// [Program], and [Program.Decide] gives a verdict on one call at one time.
//
// The package has no clock, no context and does no I/O. Time is an argument,
// and so is history: a Program knows no counters. Its verdict names the
// limits on which it rests, and [Evaluation.Settle] takes them from a [State],
// all of them or none.
//
//	p, err := evaluator.Compile(set, nil)
//	var e evaluator.Evaluation
//	v := p.Decide(&e, &call, now)
//	v = e.Settle(state)
//
// # How a call is decided
//
// The input is checked first, then the status of the agent. Then the scope is
// found: the policies of the call's project where one of them is about this
// agent and tool, and else the organisation-wide ones; floor policies count
// in both. The policies in scope are walked from the highest priority to the
// lowest, those of equal priority as one group, in which any denial wins over
// any escalation, which wins over any grant. The first group with an opinion
// decides; if none has one, the call is denied.
//
// # Cost
//
// Policies are indexed by project, agent and tool, so a decision looks only
// at rules that concern the call. The allow path and the deny path allocate
// nothing.
package evaluator
