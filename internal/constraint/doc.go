// Package constraint decides whether parameters are what a policy says they
// must be.
//
// A [Set] is compiled from the parameters of a rule and evaluated on a
// [value.Tree]. Evaluation allocates nothing and is bounded. Its verdict tells
// a value that failed a check, which may be put to a human, from one that is
// absent, null or of the wrong type, which never passes.
//
// # Types
//
// Each check demands a type: text for regex, notRegex, match, lengths, lists,
// within, hosts and emailDomains; numbers for min, max, greaterThan and
// lessThan; arrays for minItems and maxItems; a boolean for mustBe; and for
// enum and notEnum a type that one of the listed values has. A value of
// another type is a mismatch: a number in a string is not a number, and a
// notEnum of strings is not passed by wrapping the string in an array.
//
// # The worst counts
//
// A name can select many values, and a value has many checks. Of all of them
// the worst verdict counts, so that nobody is asked to approve a violation that
// has an error, or a value that never passes, behind it.
package constraint
