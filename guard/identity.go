package guard

import (
	"context"
	"slices"
	"sync/atomic"
)

// Identity is who makes a call. It comes from the host, never from arguments.
type Identity struct {
	Agent, Project, Session, User, CallID string
}

// or returns i, and where a part is empty that of j.
func (i Identity) or(j Identity) Identity {
	if i == (Identity{}) {
		return j // as most often
	}
	for _, p := range []struct{ a, b *string }{
		{&i.Agent, &j.Agent}, {&i.Project, &j.Project}, {&i.Session, &j.Session}, {&i.User, &j.User}, {&i.CallID, &j.CallID},
	} {
		if *p.a == "" {
			*p.a = *p.b
		}
	}
	return i
}

type (
	identityKey struct{}
	approvalKey struct{}
)

// WithIdentity returns a context in which guarded tools are called by id;
// parts that are empty stay those of ctx.
func WithIdentity(ctx context.Context, id Identity) context.Context {
	return context.WithValue(ctx, identityKey{}, id.or(IdentityOf(ctx)))
}

// IdentityOf returns the identity that ctx has.
func IdentityOf(ctx context.Context) Identity {
	id, _ := ctx.Value(identityKey{}).(Identity)
	return id
}

// WithAgent returns a context in which guarded tools are called by the agent.
func WithAgent(ctx context.Context, id string) context.Context {
	return WithIdentity(ctx, Identity{Agent: id})
}

// WithProject returns a context in which guarded tools are called in the
// project.
func WithProject(ctx context.Context, id string) context.Context {
	return WithIdentity(ctx, Identity{Project: id})
}

// WithSession returns a context in which guarded tools are called in the
// session.
func WithSession(ctx context.Context, id string) context.Context {
	return WithIdentity(ctx, Identity{Session: id})
}

// WithUser returns a context in which guarded tools are called for the user.
func WithUser(ctx context.Context, id string) context.Context {
	return WithIdentity(ctx, Identity{User: id})
}

// WithCallID returns a context for one call, by the id that the framework or
// the model gave it.
func WithCallID(ctx context.Context, id string) context.Context {
	return WithIdentity(ctx, Identity{CallID: id})
}

// WithApproval returns a context in which the next guarded call is one that
// was escalated before, and that a human has approved since: it runs, once, if
// it is the same call and nothing else stands against it now. Several ids are
// for a call that several policies escalated.
//
// The first call that runs under the context has used the ids up: those that
// its tool makes under the same context, as a context of a framework's may be,
// and those that come after it are decided without them. A call that is blocked
// leaves them to the next, so it may be made again under the same context, when
// the human has answered. Of calls at the same time one has them.
func WithApproval(ctx context.Context, ids ...string) context.Context {
	return context.WithValue(ctx, approvalKey{}, &approvals{ids: slices.Clone(ids)})
}

// approvals are tickets for one call.
type approvals struct {
	ids   []string
	taken atomic.Bool
}

// takeApprovals returns those of ctx, for a call to use or give back; nil where
// there are none, or another call has them.
func takeApprovals(ctx context.Context) *approvals {
	a, _ := ctx.Value(approvalKey{}).(*approvals)
	if a == nil || len(a.ids) == 0 || !a.taken.CompareAndSwap(false, true) {
		return nil
	}
	return a
}

func (a *approvals) giveBack() { a.taken.Store(false) }
