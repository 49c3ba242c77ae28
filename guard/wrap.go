package guard

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"github.com/useveto/veto-go"
)

// Wrap returns the tool fn, guarded: the policies of a know it as tool, which
// may differ from the name that the framework has. In is a struct, a map with
// string keys, a string of JSON or raw JSON (json.RawMessage or []byte); C is
// context.Context or a framework's own context type. opts may be nil.
//
// An error says that the tool cannot be guarded: a type of arguments that no
// policy can see, or not all of it, or a rule that names the tool and a
// parameter which it does not have, or somebody to ask for approvals and no
// approvals. The function that comes with it denies every call.
func Wrap[C context.Context, In, Out any](a *veto.Authorizer, tool string, fn func(C, In) (Out, error), opts *Options[Out]) (func(C, In) (Out, error), error) {
	g, err := newGuard(a, tool, opts, fn == nil)
	freeze, names, codecErr := codecOf[In]()
	if err = g.begin(err, codecErr, names); err != nil {
		return func(c C, _ In) (Out, error) { return g.refuse(c, err) }, err
	}
	return func(c C, in In) (Out, error) {
		var args frozen[In]
		run := g.enter(c)
		defer run.leave()
		if run.prepare(func() (any, error) {
			var err error
			args, err = freeze(in, &run.raw)
			return args.params, err
		}) {
			return run.blocked()
		}
		args.decided()
		out, err := fn(within(c, run.ctx), args.value)
		run.returned(err)
		return out, err
	}, nil
}

// WrapJSON returns the tool fn, guarded, for callers that have the arguments
// as JSON: the guard decides on these bytes, and decodes them for the tool as
// encoding/json does. What that would take for a field although its key
// differs in case, for another number, for other bytes or for another array, is
// refused, and so is what is not of type In. In is a struct, a map with string
// keys, json.RawMessage or any.
func WrapJSON[C context.Context, In, Out any](a *veto.Authorizer, tool string, fn func(C, In) (Out, error), opts *Options[Out]) (func(C, json.RawMessage) (Out, error), error) {
	if plain, ok := any(fn).(func(C, json.RawMessage) (Out, error)); ok {
		return Wrap(a, tool, plain, opts)
	}
	g, err := newGuard(a, tool, opts, fn == nil)
	decode, names, codecErr := decoderOf[In]()
	if err = g.begin(err, codecErr, names); err != nil {
		return func(c C, _ json.RawMessage) (Out, error) { return g.refuse(c, err) }, err
	}
	return func(c C, raw json.RawMessage) (Out, error) {
		run := g.enter(c)
		defer run.leave()
		private := bufferOf(raw)
		defer private.free()
		var in In
		if run.prepare(func() (any, error) {
			return &private.raw, decode.into(private.raw, &in)
		}) {
			return run.blocked()
		}
		out, err := fn(within(c, run.ctx), in)
		run.returned(err)
		return out, err
	}, nil
}

// Set wraps tools of one type by their names. The error is of all that cannot
// be guarded.
func Set[C context.Context, In, Out any](a *veto.Authorizer, tools map[string]func(C, In) (Out, error), opts *Options[Out]) (map[string]func(C, In) (Out, error), error) {
	guarded := make(map[string]func(C, In) (Out, error), len(tools))
	var errs []error
	for name, fn := range tools {
		var err error
		guarded[name], err = Wrap(a, name, fn, opts)
		errs = append(errs, err)
	}
	slices.SortFunc(errs, func(a, b error) int { return compareText(a, b) })
	return guarded, errors.Join(errs...)
}

func compareText(a, b error) int {
	x, y := fmt.Sprint(a), fmt.Sprint(b)
	switch {
	case x < y:
		return -1
	case x > y:
		return +1
	default:
		return 0
	}
}

// within returns ctx as a C where that is possible, and else c.
func within[C context.Context](c C, ctx context.Context) C {
	if inner, ok := any(&ctx).(*C); ok {
		return *inner
	}
	return c
}
