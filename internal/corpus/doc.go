// Package corpus reads and runs cases: policies, calls and the answers that
// the calls must get, in text files that people who know no Go can read and
// write.
//
// A case is one file. It begins with prose that says what it guards, and with
// the sections of the documentation that it is about:
//
//	A denylist never grants.
//
//	Section: 2.1 Rules
//
// Files follow, each after a line with its name between "-- " and " --" (the
// format is that of txtar). The names are
//
//	*.yaml, *.yml, *.json
//	          policy documents; together they are the set that is loaded,
//	          but for those that a line of calls loads later
//	options   strictGrant, project, requireProject, requireSession, mode and
//	          maxParameterBytes, one a line, as in "mode: shadow"
//	calls     the calls, and below each, indented, its answer
//	faults    in the place of calls: what is wrong with the documents, one
//	          fault a line, as in "policy.yaml:3: policies[0].id: is missing";
//	          the path is "-" where the fault has none, the text is a part of
//	          the message, and no other fault may be there
//
// A line of calls is one of
//
//	AGENT TOOL [project=P] [session=S] [user=U] [call=C] [context=JSON] [PARAMETERS]
//	          a call; the parameters are the rest of the line, passed as they
//	          are: they need not be JSON, nor the context, which has no space
//	{"agent": …, "tool": …, "raw": …, …}
//	          the same for names that do not fit that form; raw is the
//	          parameters as a text, hex as bytes in hexadecimal
//	@ TIME    the time of the calls that follow (RFC 3339); "@ +90s" and
//	          "@ -1h" move it. It starts at noon UTC of Monday, 1 January 2024
//	! ACTION  what an operator does: "suspend AGENT", "resume AGENT", with "*"
//	          for all agents; "load FILE…", which replaces the policies, and
//	          "refuse FILE…", which must fail; "list NAME VALUE…", which
//	          replaces a named list; "cancel", after which the caller no
//	          longer waits; "open SESSION [PROJECT]" and "end SESSION
//	          [PROJECT]", by which a session begins and ends
//	# …       a comment
//
// and an answer is one of
//
//	allowed POLICY [RULE]
//	escalated POLICY RULE
//	denied CODE [POLICY [RULE]]
//
// followed, where it matters, by indented lines "reason: TEXT", "retry: 30s",
// "shadow: POLICY RULE OUTCOME CODE" (one for each; none means none), "runs:
// yes" or "no" (whether a guard runs the tool) and "json: RESULT" (the result
// as it travels, without decision id and revision).
//
// Everywhere in a case <<TEXT*N>> stands for N times TEXT.
package corpus
