// Package guard wraps tools so that each call of one is decided first, and so
// that what was decided is what runs.
//
//	send, err := guard.Wrap(authorizer, "send_email", sendEmail, &guard.Options[string]{Agent: "support-bot"})
//
// A wrapped tool has the type of the tool, so it fits wherever the tool did.
// Called, it asks the Authorizer with the arguments that the tool would get.
// Where the call is allowed, the tool runs; where not, it does not, and the
// caller gets a [*BlockedError], or what Options.OnBlocked makes of it.
//
// # What the tool gets
//
// The tool gets exactly what was decided on. Raw JSON and maps are copied
// before the decision, since the caller, or somebody that it shares them with,
// could change them while the tool runs; in a map, values of types that
// encoding/json does not decode into become what their JSON decodes to. A
// struct that holds no reference is its own copy; of any other the tool gets
// what its JSON, which was decided on, decodes to, and where that is not the
// same any more (an integer past 2^53 in a field of type any; a type that reads
// itself otherwise than it writes itself) the call is refused.
//
// A field of a struct that was left out is decided on as what encoding/json
// writes for it, the zero value, or with omitempty as absent. Fill in defaults
// before the guard.
//
// [WrapJSON] is for callers that have JSON and tools that take a struct: there
// nobody decodes the arguments but the guard, and a key that differs from a
// field in case only, which encoding/json would accept, is refused; so is a
// number that the float which encoding/json makes of it is not
// (99.99999999999999999999 is 100). A type with an UnmarshalJSON of its own
// reads what it likes: of its keys only those near a name in a tag of its own
// fields are refused.
//
// # Who calls
//
// Agent, project, session, user and call id come from the Options or from the
// context ([WithAgent] and the others), where the context wins: never from the
// arguments, which the model writes. A guard without an agent denies.
//
// # Approvals
//
// Where a call is escalated and the Authorizer has approvals, the guard asks
// Options.Approver, or waits for a human with Options.Wait, or returns at
// once: then the BlockedError has the approval's id, and the same call under
// [WithApproval] runs when it has been approved.
//
// # Suspension
//
// The context that a tool of the type func(context.Context, …) gets ends when
// the agent is suspended, with veto.ErrSuspended as its cause. A tool with
// another type of context gets that as it is. No tool begins after that.
package guard
