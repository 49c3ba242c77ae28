// Package value holds the JSON values that a decision looks at: the
// parameters of a call, or a policy document, in one flat tree.
//
// A [Tree] is filled from a Go value or from JSON bytes, in one pass that also
// enforces the input bounds, and is then read by the evaluator, the condition
// language and the audit record. Trees are reused, so that a decision
// allocates nothing.
package value
