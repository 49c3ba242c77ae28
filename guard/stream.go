package guard

import (
	"context"
	"encoding/json"
	"iter"

	"github.com/useveto/veto-go"
)

// WrapStream returns the streaming tool fn, guarded. The call is decided when
// somebody begins to range over the stream, and each time anew. A stream that
// is not permitted yields one error, or the one value that Options.OnBlocked
// makes; one that is running ends with the cause of its context when the agent
// is suspended. The call has succeeded when the stream has ended by itself,
// without an error.
func WrapStream[C context.Context, In, Out any](a *veto.Authorizer, tool string, fn func(C, In) iter.Seq2[Out, error], opts *Options[Out]) (func(C, In) iter.Seq2[Out, error], error) {
	g, err := newGuard(a, tool, opts, fn == nil)
	freeze, names, codecErr := codecOf[In]()
	if err = g.begin(err, codecErr, names); err != nil {
		return func(c C, _ In) iter.Seq2[Out, error] {
			return func(yield func(Out, error) bool) { yield(g.refuse(c, err)) }
		}, err
	}
	return func(c C, in In) iter.Seq2[Out, error] {
		// Frozen now: the caller may change what it gave before it ranges.
		args, frozenErr := freezeSafely(freeze, in, new(json.RawMessage))
		return func(yield func(Out, error) bool) {
			var private frozen[In] // for this time only, as the tool may change it
			run := g.enter(c)
			defer run.leave()
			if run.prepare(func() (any, error) {
				if frozenErr != nil {
					return nil, frozenErr
				}
				var err error
				private, err = freeze(args.value, &run.raw)
				return private.params, err
			}) {
				yield(run.blocked())
				return
			}
			run.stream(fn(within(c, run.ctx), private.value), yield)
		}
	}, nil
}

// freezeSafely freezes arguments whose methods may panic.
func freezeSafely[In any](freeze codec[In], in In, raw *json.RawMessage) (f frozen[In], err error) {
	defer func() {
		if recover() != nil {
			err = errForeign
		}
	}()
	return freeze(in, raw)
}

// stream hands on what the tool yields.
func (r *run[Out]) stream(seq iter.Seq2[Out, error], yield func(Out, error) bool) {
	var failed error
	for out, err := range seq {
		if r.stopped() {
			break
		}
		if err != nil {
			failed = err
		}
		if !yield(out, err) {
			return
		}
	}
	if r.stopped() {
		var none Out
		yield(none, veto.ErrSuspended)
		return
	}
	r.returned(failed)
}

// stopped reports whether the agent was suspended since the call began.
func (r *run[Out]) stopped() bool { return context.Cause(r.ctx) == veto.ErrSuspended }
