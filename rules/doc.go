// Package rules is the vocabulary of Veto: what a tool call, a policy, a rule
// and a decision are.
//
// It holds plain types with their JSON names, and [Validate], which enforces
// every bound of a policy document. It knows no file format beyond JSON tags,
// does no I/O and reads no clock. Package evaluator compiles these types into
// a program that decides; package veto gives the few that most users need as
// aliases.
//
// The zero value of everything here denies: the zero [Outcome] is Denied, the
// zero [Result] is a denial, the zero [PolicySet] allows nothing.
package rules
