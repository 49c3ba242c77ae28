package veto

import (
	"context"
	"errors"
	"sync"
)

// ErrSuspended is the cause of a context of UntilSuspended that has ended
// because the agent was suspended or revoked.
var ErrSuspended = errors.New("veto: the agent was suspended while its tool was running")

// UntilSuspended returns a context that ends with ctx, and with [ErrSuspended]
// as its cause when the agent is suspended: by Suspend, SuspendAll, or policies
// that say so. Ask for it before the call is decided and give it to the tool;
// then no suspension falls between the two. release is to be called when the
// tool has returned.
func (a *Authorizer) UntilSuspended(ctx context.Context, agentID string) (_ context.Context, release func()) {
	if a == nil || ctx == nil {
		return ctx, func() {}
	}
	w := a.running.acquire(ctx, agentID)
	if a.stopped(agentID) {
		a.running.end(w)
	}
	return w.ctx, w.release
}

// stopped reports whether the agent may not call at all.
func (a *Authorizer) stopped(agentID string) bool {
	return a.kill.Load().stops(agentID) || a.current.Load().get().program.AgentStopped(agentID)
}

// running are the contexts of tools that run, by agent. One that nobody uses
// is kept for the next tool of the same agent and context, as agents run many
// in turn: so that does not allocate.
type running struct {
	mu     sync.Mutex
	agents map[string]map[context.Context]*runningContext
	last   *runningContext // found last: mostly the next is the same
	idle   int
}

// maxIdle is the most contexts that are kept for the next tool.
const maxIdle = 1024

type runningContext struct {
	in      *running
	parent  context.Context
	agent   string
	ctx     context.Context
	cancel  context.CancelCauseFunc
	release func()
	forget  func() bool // takes back what waits for the end of parent
	users   int         // guarded by running.mu
	gone    bool
	ends    <-chan struct{} // that of the parent, when this was made
}

func (r *running) acquire(parent context.Context, agent string) *runningContext {
	if w := r.again(parent, agent); w != nil {
		return w
	}
	key := parent
	if !keepable(parent) {
		key = nil // it is not kept
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	var w *runningContext
	if key != nil {
		w = r.agents[agent][key]
		r.last = w
	}
	if w != nil && (w.ctx.Err() != nil || w.ends != parent.Done()) {
		// A framework has used the same context again, for another request.
		if w.users > 0 && w.ctx.Err() == nil {
			r.keepApart(w)
		} else {
			r.drop(w)
		}
	} else if w != nil {
		w.use()
		return w
	}
	w = &runningContext{in: r, parent: key, agent: agent, users: 1, ends: parent.Done()}
	w.ctx, w.cancel = context.WithCancelCause(parent)
	w.release = w.done
	if key == nil {
		w.parent = w.ctx // of its own
	}
	if r.agents == nil {
		r.agents = make(map[string]map[context.Context]*runningContext)
	}
	if r.agents[agent] == nil {
		r.agents[agent] = make(map[context.Context]*runningContext)
	}
	r.agents[agent][w.parent] = w
	if parent.Done() != nil {
		w.forget = context.AfterFunc(parent, func() {
			r.mu.Lock()
			defer r.mu.Unlock()
			r.drop(w)
		})
	}
	return w
}

// again is acquire of what was found last, or nil. What is kept can be compared
// with any context.
func (r *running) again(parent context.Context, agent string) *runningContext {
	r.mu.Lock()
	defer r.mu.Unlock()
	w := r.last
	if w == nil || w.agent != agent || w.parent != parent || w.ctx.Err() != nil || w.ends != parent.Done() {
		return nil
	}
	w.use()
	return w
}

// use counts a user. The caller holds r.mu.
func (w *runningContext) use() {
	if w.users++; w.users == 1 {
		w.in.idle--
	}
}

// keepable reports whether ctx can be compared, and so be found again, and will
// be forgotten when it ends. Types of contexts that cannot be compared are
// rare, and comparing them panics. One that never ends would be kept for ever,
// with the values in it, unless it is one that has none.
func keepable(ctx context.Context) (ok bool) {
	defer func() { ok = recover() == nil && ok }()
	same := ctx
	return same == ctx && (ctx.Done() != nil || ctx == context.Background() || ctx == context.TODO())
}

// keepApart makes w, which is in use, one that is not found any more. The
// caller holds r.mu.
func (r *running) keepApart(w *runningContext) {
	delete(r.agents[w.agent], w.parent)
	r.last = nil
	w.parent = w.ctx
	r.agents[w.agent][w.parent] = w
}

func (w *runningContext) done() {
	r := w.in
	r.mu.Lock()
	defer r.mu.Unlock()
	if w.users--; w.users > 0 || w.gone {
		return
	}
	r.idle++
	if r.idle > maxIdle || w.parent == w.ctx || w.ctx.Err() != nil {
		r.drop(w)
	}
}

// drop forgets w. The caller holds r.mu.
func (r *running) drop(w *runningContext) {
	if w.gone {
		return
	}
	w.gone = true
	if r.last == w {
		r.last = nil
	}
	if w.forget != nil {
		w.forget()
	}
	if w.users == 0 {
		r.idle--
		w.cancel(nil)
	}
	if delete(r.agents[w.agent], w.parent); len(r.agents[w.agent]) == 0 {
		delete(r.agents, w.agent)
	}
}

// stop ends the contexts of the agents that are stopped now.
func (r *running) stop(stopped func(agentID string) bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for agent, all := range r.agents {
		if !stopped(agent) {
			continue
		}
		for _, w := range all {
			w.cancel(ErrSuspended)
			r.drop(w)
		}
	}
}

// end ends w and forgets it, so that no call gets it after the agent was
// resumed.
func (r *running) end(w *runningContext) {
	r.mu.Lock()
	defer r.mu.Unlock()
	w.cancel(ErrSuspended)
	r.drop(w)
}
