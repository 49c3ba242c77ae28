// Package approval keeps the tickets by which a human approves a tool call.
//
// A call that a policy escalates opens a ticket in a [Book]. The ticket is
// bound to that one call: project, agent, session, user, tool, a digest of the
// exact arguments, and the policy and rule that escalated it ([Binding]). A
// human answers it, through [Book.Ask] or by a [Resolution] signed elsewhere.
// An approved ticket is used once, by [Book.Use], which returns nil only when
// the use is on disk, so that neither a second process nor a crash can make
// the call run twice:
//
//	ticket, err := book.Open(ctx, request) // pending, or the equal one there is
//	ticket, err = book.Wait(ctx, ticket.ID) // nil error: approved
//	err = book.Use(ctx, ticket.ID, binding) // nil error: run the call, now
//	err = book.Done(ctx, ticket.ID, approval.Ran)
//
// A program that stops between Use and Done leaves a ticket that is used and
// whose outcome is unknown; [Book.List] shows it, and nothing runs it again.
//
// An answer can carry a [Grant]: further calls of the tool, within constraints
// on the arguments, a number and a time. The book stores and counts grants;
// whether arguments keep the constraints is for the caller to find out.
//
// # What protects a ticket
//
// Every entry of the store is authenticated under the [Key], its name
// included, and a resolution moreover under everything that its ticket says.
// What was written or changed by somebody without the key is refused with
// [ErrForged] and approves nothing; nor does what is torn or cut short.
//
// That is no protection against whoever can delete: removing the mark of a use
// or of a revocation while the ticket is valid undoes it, in a process that
// did not see it. Nor does it protect against copying all entries of one store to
// another with the same key: give every store its own. Keep the store and the
// key where the tools of an agent cannot reach; [Dir] refuses a directory that
// others may write to, and [Book.Dirs] says under which names it is reached.
//
// # Time
//
// Times come from [Options].Now and are kept in milliseconds. A ticket is
// valid from its creation until it expires; the moment of expiry is not within.
// One that was created more than a minute in the future is not valid, which is
// what a clock that was set back leaves behind. In one process, a ticket that
// has expired does not become valid again.
package approval
