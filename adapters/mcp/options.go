package vetomcp

import (
	"context"

	"github.com/modelcontextprotocol/go-sdk/mcp"

	"github.com/useveto/veto-go/approval"
	"github.com/useveto/veto-go/guard"
)

// MetaKey is the key in _meta of the approval of a call: in a result an object
// with the members id, state and expires, in a request the state, a string.
const MetaKey = "com.github.useveto/approval"

// MinStateKeyBytes is the least length of Options.StateKey.
const MinStateKeyBytes = 32

// Options are the options of a Guard. The zero value of each field is its
// default. The functions may be called from several goroutines.
type Options struct {
	// Agent, Project, Session and User say who calls, where neither Identity
	// nor the context does (guard.WithIdentity).
	Agent   string
	Project string
	Session string
	User    string
	// Identity says who calls by the connection: its session, the token that
	// an HTTP server has verified (req.GetExtra). What it leaves open, the
	// context and the fields above say. It must not go by arguments, _meta or
	// the client's name.
	Identity func(ctx context.Context, req mcp.Request) guard.Identity
	// Values returns values for conditions to read as context, which the
	// host vouches for; nil for none.
	Values func(ctx context.Context, req mcp.Request) any

	// Name returns the name that policies have for a tool; default: the
	// tool's own. See [Prefix].
	Name func(tool string) string
	// Dispatchers are the tools that run other tools, by their names: a call
	// of one is decided as one of the inner tool.
	Dispatchers map[string]Dispatcher
	// UndecidedMethods are methods of the protocol, other than tools/call,
	// that pass without a decision; see [Guard.Middleware].
	UndecidedMethods []string
	// ListAllTools leaves tools in tools/list that the agent can never use.
	// Without it, they are left out also where the Authorizer only shadows
	// or logs.
	ListAllTools bool

	// Approver is asked, there and then, about calls that are escalated.
	Approver approval.Approver
	// Wait makes an escalated call wait for its approval. Clients give up
	// after a minute or so.
	Wait bool
	// RepeatResumes lets a call that is made again run when its approval has
	// been given, also without the signed state, which most clients do not
	// send: an agent tells its user the id, and tries again. The approval is
	// for that call alone all the same, and for once.
	RepeatResumes bool
	// TrustClientUserAsApprover returns the name of the human at the client,
	// who may then approve what the agent asks, or "" where answers of the
	// client are not to count. Default: they never count. The name must not
	// be that of the agent.
	//
	// Set it only where the client is one that shows its user every
	// elicitation. One that runs without a user, or answers for them,
	// approves whatever its agent does.
	TrustClientUserAsApprover func(ctx context.Context, req mcp.Request) (approver string)
	// StateKey signs the state of calls that wait for an approval; at least
	// 32 bytes, and the same in all processes of a server. Default: a random
	// one, so that after a restart a client gets a new state for the approval
	// that is there.
	StateKey []byte
}

// Dispatcher says where a tool that runs other tools has the name and the
// arguments of the inner one. Every other parameter is refused, since nothing
// would decide on it.
type Dispatcher struct {
	// Tool is the parameter with the inner tool's name. Required.
	Tool string
	// Arguments is the parameter with the inner arguments, an object or a
	// text with the JSON of one. Required.
	Arguments string
	// Undecided are further parameters that are permitted, whatever they say.
	// An approval is all the same for the call with exactly these, and for
	// the dispatcher that it was called through.
	Undecided []string
}

// Prefix returns an Options.Name by which policies know the tool list of the
// server github as mcp__github__list.
func Prefix(server string) func(tool string) string {
	prefix := "mcp__" + server + "__"
	return func(tool string) string { return prefix + tool }
}
