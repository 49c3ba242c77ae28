// Package twin decides calls a second time, slowly.
//
// It is written from the documentation, without the evaluator: no indexes, no
// compile step, plain maps, big rationals, and limits that are a list of what
// was allowed. It should be checked against the documentation by reading. The
// tests of this package give random policies and calls to both, and the two
// must agree; only [Generator] knows what is worth asking.
//
// It leaves out budgets, sequences, session constraints, token buckets,
// approvals and the kill switch.
package twin
