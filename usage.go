package veto

import (
	"context"

	"github.com/useveto/veto-go/evaluator"
)

// Usage says how much is used up of every limit and budget on which the
// decision on a call like this one would rest, in the order of evaluation. It
// takes nothing and is not recorded. Limits that the call would not reach are
// not among them.
func (a *Authorizer) Usage(ctx context.Context, call Call) ([]evaluator.Usage, error) {
	if err := a.ready(ctx, "Usage"); err != nil {
		return nil, err
	}
	project, err := a.projectOf(call.Project, "Usage")
	if err != nil {
		return nil, err
	}
	now, err := a.now()
	if err != nil {
		return nil, err
	}
	d := pool.Get().(*decision)
	defer d.release()
	d.call = call
	d.call.Project = project
	a.current.Load().get().program.Decide(&d.eval, &d.call, now)
	if a.shared != nil {
		return d.eval.UsageShared(func(b *evaluator.Batch) error { return a.ask(ctx, b) })
	}
	return d.eval.Usage(a.state), nil
}
