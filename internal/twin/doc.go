// Package twin decides calls a second time, slowly.
//
// It is written from the documentation, without the evaluator: no indexes, no
// compile step, plain maps, big rationals, and a state that is a list of what
// was allowed. It should be checked against the documentation by reading. The
// tests of this package give random policies and calls to both, and the two
// must agree; only [Generator] knows what is worth asking.
//
// It leaves out token buckets, the end of sessions that nobody uses, the bounds
// on what a State keeps, approvals and the kill switch.
package twin
