// Package vetomcp guards the tools of Model Context Protocol servers, and the
// calls of their clients, for the official Go SDK.
//
//	g, err := vetomcp.New(authorizer, &vetomcp.Options{Agent: "desktop"})
//	…
//	server.AddReceivingMiddleware(g.Middleware)
//	err = vetomcp.AddTool(server, g, &mcp.Tool{Name: "read_file"}, readFile)
//
// [AddTool] and [AddRawTool] take the place of the SDK's functions of these
// names; each call of a tool that they add is decided before the handler runs.
// [Guard.Middleware] is the second net: it decides the calls of every other
// tool of the server as well, and requests that are no tool calls, and leaves
// out of tools/list what the agent can never use. A call that both of them see
// is decided, recorded and counted once. The middleware of a client guards the
// calls that the client sends.
//
// # What the handler gets
//
// The decision is on the arguments as they came, to which the defaults of the
// tool's input schema have been added; and these bytes, in a private copy, are
// what the handler gets, or what its input is decoded from, where a key counts
// for a field only if it is spelt as that. Numbers keep their digits, which
// they do not in the SDK's own decoding.
//
// The SDK looks at the input schema of a typed tool first. What does not fit
// it is answered there, without a decision, unless the Middleware is there.
//
// # Who calls
//
// Agent, project, session and user come from the context or from the Options,
// never from arguments, and never from _meta or the client's name, which the
// client writes; see Options.Identity. Lists of tools and resources are of one
// agent, and marked so that no cache gives them to another.
//
// # What a caller sees
//
// A tool call that is not permitted is a result with IsError and a sentence
// for the model, without a policy's name, a bound or a value. On the side
// where it was decided, GetError of the result is a *guard.BlockedError with
// the reason for operators.
//
// # Approvals
//
// A call that a policy escalates is an error result too. Under [MetaKey] its
// _meta has the id of the approval, and a signed state. When a human has
// approved, the client makes the same call with that state under the same key,
// and it runs, once. The state is good for no other call, agent or session. Of a
// call that one of Options.Dispatchers runs, it is for the dispatcher and its
// undecided parameters too.
//
// With Options.TrustClientUserAsApprover the client's own user is asked, by an
// elicitation: as a request for input that the call's result carries, with the
// signed state as its request state, or, where client and server speak a
// version of the protocol before 2026-07-28, while the call waits. A client
// can answer an elicitation without showing it to anybody, so without that
// option no such answer counts, and nobody is asked.
package vetomcp
