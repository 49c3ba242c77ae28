package veto

import (
	"context"
	"errors"
	"fmt"

	"github.com/useveto/veto-go/evaluator"
)

// OpenSession begins a session of a project; "" is that of the Authorizer, or
// none. Rules about sessions (sequences, budgets and limits per session, the
// session constraints of tool policies) hold for calls of open sessions, and
// deny in all others with session_unknown: in one that was never opened, that
// was ended, that was idle for a day, or that a restart has forgotten.
//
// Sessions are opened by the host, where a conversation or a task begins, and
// never by the model. Opening an open session changes nothing. An error means
// that the session is not open.
func (a *Authorizer) OpenSession(ctx context.Context, project, session string) error {
	if err := a.ready(ctx, "OpenSession"); err != nil {
		return err
	}
	project, err := a.projectOf(project, "OpenSession")
	if err != nil {
		return err
	}
	if a.shared != nil {
		return a.session(ctx, evaluator.OpOpen, project, session)
	}
	now, err := a.now()
	if err != nil {
		return err
	}
	return a.state.OpenSession(project, session, now)
}

// EndSession forgets a session and what it counted.
func (a *Authorizer) EndSession(ctx context.Context, project, session string) error {
	if err := a.ready(ctx, "EndSession"); err != nil {
		return err
	}
	project, err := a.projectOf(project, "EndSession")
	if err != nil {
		return err
	}
	if a.shared != nil {
		return a.session(ctx, evaluator.OpEnd, project, session)
	}
	a.state.EndSession(project, session)
	return nil
}

// ready reports why the Authorizer can keep no state.
func (a *Authorizer) ready(ctx context.Context, method string) error {
	switch {
	case a == nil || a.state == nil:
		return errors.New("veto: " + method + ": the Authorizer was not made by New")
	case ctx == nil:
		return errors.New("veto: " + method + ": the context is nil")
	default:
		return ctx.Err()
	}
}

// projectOf returns the project of a session. One that the Authorizer is not
// bound to is a mistake: no call of it would be allowed.
func (a *Authorizer) projectOf(project, method string) (string, error) {
	bound := a.opts.Project
	if project == "" {
		return bound, nil
	}
	if bound != "" && project != bound {
		return "", fmt.Errorf("veto: %s: project is %.64q, and Options.Project binds the Authorizer to %q", method, project, bound)
	}
	return project, nil
}
