// Package condition is the expression language of policies: CEL, the Common
// Expression Language (https://cel.dev), strict and bounded.
//
// A rule's "when" reads these variables:
//
//	args      the parameters of the call, a map; empty where there are none
//	tool      the name of the tool, a string
//	agent     the id of the agent, a string
//	project, session, user
//	          strings; reading one that the call lacks is an error
//	context   what the host vouches for, a map
//	now       the time of the decision, a timestamp
//
// A constraint's "expression" reads value, the value that the constraint
// selects, and args.
//
// # Functions
//
// There is CEL's standard library, with its macros has, all, exists,
// exists_one, map and filter; but no messages can be made, the pattern of
// matches and the time zone of an accessor such as getHours are literals, and
// a zone is an IANA name or an offset such as +05:30. Numbers of different
// types compare. From the "strings" extension of cel-go come charAt, indexOf,
// lastIndexOf, join, lowerAscii, upperAscii, replace, reverse, split,
// substring and trim; its format and quote do not. Ours are:
//
//	host(url)           the host of an http or https URL
//	emailDomain(addr)   the domain of an e-mail address
//	within(path, dir)   whether a path is dir or below it
//	inList(name, text)  whether a text is in a named list
//
// host and emailDomain fail on what is not well formed: an empty string in its
// place would be different from every host that a policy refuses. within is
// false for a path that is not well formed, so write !within(path, dir) to
// refuse what is outside. The name of a list is a literal.
//
// # Values
//
// An integer, however it is written (100, 1e2 and 100.0 are one), is an int
// where it fits int64, else a uint where it fits uint64; any other number is a
// double. Comparing an integer with a double where either is beyond 2^53 is an
// error, for the double may stand for a number that was not written. A loop
// over a map visits the keys in order.
//
// # Errors
//
// An error is never absorbed. In CEL "fails || true" is true, and all and
// exists overlook elements that fail; here ||, && and ?: run from left to
// right and stop as soon as the answer is known, and an operand that was
// evaluated and failed fails the whole. What a condition reads and is absent,
// or has the wrong type, is an error; has(args.x) asks first.
//
// A condition must be a boolean to the type checker. What comes out of args
// can be anything, so it is compared: args.x == true.
//
// # Bounds
//
// A condition has at most [MaxSource] bytes. A string of more than [MaxString]
// bytes or a list of more than [MaxList] elements fails the condition that
// reads it, and no other; none longer is made either. A regular expression has
// at most 256 characters and 1,000 instructions, and fails where bytes ×
// instructions pass 100,000. At most four macros loop within or after each
// other. Every evaluation has a [Budget], which is a bound on time and memory:
// any condition on any input takes less than 5 ms and 4 MiB. All this is
// deterministic; no clock is read.
package condition
