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
// The tool gets exactly what was decided on, in a copy of its own: the caller,
// or somebody that it shares the arguments with, could change them while the
// tool runs. In a map[string]any, values of types that encoding/json does not
// decode into become what their JSON decodes to. Structs, and all that they
// point to, are copied as they are. Where there is a type in them that writes
// or reads itself, or a field of type any, the tool gets what its JSON, which
// was decided on, decodes to; and where that is not the same any more (an
// integer past 2^53 in a field of type any; a type that reads itself otherwise
// than it writes itself) the call is refused. A type in them that is written as
// a text and does not read one, or the reverse, cannot be guarded.
//
// All that the tool gets is in the decision. So a struct cannot be guarded
// that has a field which is in no JSON: one that is not exported or is tagged
// "-", or of two fields with one name, of which encoding/json writes one at
// most. What the host adds to a call goes by the context; [WrapJSON] takes such
// a struct, as nothing but JSON fills it there. What is left out of the JSON
// because of omitempty or omitzero is zero to the tool.
//
// A field of a struct that was left out is decided on as what encoding/json
// writes for it, the zero value, or with omitempty as absent. Fill in defaults
// before the guard.
//
// [WrapJSON] is for callers that have JSON and tools that take a struct: there
// nobody decodes the arguments but the guard, and a key that differs from a
// field in case only, which encoding/json would accept, is refused; so is a
// number that the float which encoding/json makes of it is not
// (99.99999999999999999999 is 100), an array that is not as long as the tool's
// (encoding/json would cut it or fill it up), bytes in another form than the one
// that encoding/json writes, and a string for a json.Number. The reason names
// the parameter and the byte. A null is decided on as null, and is zero to a
// tool whose field cannot be nil.
//
// A struct with the option "string" in a tag, or with a map whose keys are no
// plain strings ("1" and "01" are one to an int), cannot be guarded so: the tool
// could get another value than is decided on.
//
// A type with an UnmarshalJSON of its own reads what it likes. Most read
// themselves as the struct, slice or map that they are, or into a field or an
// element of it, as an option of another type does. So what would be refused
// then is refused: of a struct, with every field to which no tag gives a name. A
// string or a number fits any struct. Where too much is refused so (an ordered
// map whose own nodes have a field Key refuses the key "key"), give the fields
// names by tags, or let the tool take a json.RawMessage. A type that reads itself
// by way of others, which it does not hold, cannot be seen through: what reaches
// the tool may then be another value than is decided on, so do not use such
// types with [WrapJSON].
//
// # Parameters
//
// A rule that names a tool and a parameter that the tool does not have is a
// mistake in one of the two, and an error when the tool is wrapped: also where
// the parameter is optional, as it then constrains nothing. Rules for patterns
// of tools are not held against the tool, since its calls may never come under
// them; where they do, a parameter that is not optional and not there denies.
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
// [WithApproval] runs when it has been approved. An Approver, or Wait, with an
// Authorizer that has no approvals is an error when the tool is wrapped.
//
// # Suspension
//
// The context that a tool of the type func(context.Context, …) gets ends when
// the agent is suspended, with veto.ErrSuspended as its cause. A tool with
// another type of context gets that as it is. No tool begins after that.
package guard
