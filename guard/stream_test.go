package guard_test

import (
	"context"
	"errors"
	"iter"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/useveto/veto-go"
	"github.com/useveto/veto-go/approval"
	"github.com/useveto/veto-go/audit"
	"github.com/useveto/veto-go/guard"
	"github.com/useveto/veto-go/rules"
)

// streamOf is a tool that yields these values.
func streamOf[In, Out any](values ...Out) func(context.Context, In) iter.Seq2[Out, error] {
	return func(context.Context, In) iter.Seq2[Out, error] {
		return func(yield func(Out, error) bool) {
			for _, v := range values {
				if !yield(v, nil) {
					return
				}
			}
		}
	}
}

// panicOf is a tool that yields one value and panics.
func panicOf[In, Out any]() func(context.Context, In) iter.Seq2[Out, error] {
	return func(context.Context, In) iter.Seq2[Out, error] {
		return func(yield func(Out, error) bool) {
			var v Out
			yield(v, nil)
			panic("mine")
		}
	}
}

func stream[In, Out any](t *testing.T, a *veto.Authorizer, tool string, fn func(context.Context, In) iter.Seq2[Out, error], opts *guard.Options[Out]) func(context.Context, In) iter.Seq2[Out, error] {
	t.Helper()
	guarded, err := guard.WrapStream(a, tool, fn, opts)
	require.NoError(t, err)
	return guarded
}

// collect ranges over a stream to its end.
func collect[Out any](seq iter.Seq2[Out, error]) (all []Out, errs []error) {
	for out, err := range seq {
		all, errs = append(all, out), append(errs, err)
	}
	return all, errs
}

func TestStreamIsHandedOn(t *testing.T) {
	a := load(t, everything, nil)
	mine := errors.New("mine")
	tool := stream(t, a, "t", func(context.Context, flat) iter.Seq2[int, error] {
		return func(yield func(int, error) bool) {
			_ = yield(1, nil) && yield(2, mine) && yield(3, nil)
		}
	}, bot[int]())
	all, errs := collect(tool(t.Context(), flat{}))
	require.Equal(t, []int{1, 2, 3}, all)
	require.Equal(t, []error{nil, mine, nil}, errs)
	all, _ = collect(stream(t, a, "t", streamOf[flat, int](), bot[int]())(t.Context(), flat{}))
	require.Empty(t, all)
}

// Nothing is decided, and nothing runs, before somebody ranges; each time it is
// decided anew.
func TestStreamIsDecidedEachTime(t *testing.T) {
	records := audit.NewMemory(nil)
	a := load(t, `
policies:
  - id: p
    agentId: bot
    rules:
      - {type: tool_allowlist, tools: [t]}
      - {type: rate_limit, tools: [t], rateLimit: {maxCalls: 2, windowSeconds: 60}}
`, &veto.Options{Sink: records})
	tool := stream(t, a, "t", streamOf[flat](1, 2), bot[int]())
	seq := tool(t.Context(), flat{})
	require.Empty(t, codes(records))
	for range 2 {
		all, errs := collect(seq)
		require.Equal(t, []int{1, 2}, all)
		require.Equal(t, []error{nil, nil}, errs)
	}
	all, errs := collect(seq)
	require.Equal(t, []int{0}, all)
	require.Len(t, errs, 1)
	require.Equal(t, rules.CodeRateLimited, code(t, errs[0]))
	require.Equal(t, []string{"allowed", "allowed", "rate_limited"}, codes(records))
}

// A stream that is not permitted yields one error, or what OnBlocked makes of
// it.
func TestStreamDenied(t *testing.T) {
	a := load(t, asking, nil)
	never := func(context.Context, flat) iter.Seq2[string, error] { panic("it ran") }
	all, errs := collect(stream(t, a, "t", never, bot[string]())(t.Context(), flat{}))
	require.Equal(t, []string{""}, all)
	require.Equal(t, rules.CodeDefaultDeny, code(t, errs[0]))
	all, errs = collect(stream(t, a, "t", never, &guard.Options[string]{
		OnBlocked: func(_ context.Context, b *guard.BlockedError) (string, error) { return b.Error(), nil },
	})(t.Context(), flat{}))
	require.Equal(t, []string{"This call is not valid as it stands."}, all)
	require.Equal(t, []error{nil}, errs)

	unguarded, err := guard.WrapStream(a, "t", func(context.Context, int) iter.Seq2[string, error] { panic("it ran") }, bot[string]())
	require.ErrorContains(t, err, "no JSON object")
	_, errs = collect(unguarded(t.Context(), 1))
	require.Len(t, errs, 1)
	require.ErrorIs(t, errs[0], veto.ErrDenied)
	_, err = guard.WrapStream[context.Context, flat, string](a, "t", nil, nil)
	require.ErrorContains(t, err, "the function is nil")
}

// outcomes are those of all used tickets.
func outcomes(t *testing.T, book *approval.Book) (all []approval.Outcome) {
	t.Helper()
	tickets, err := book.List(t.Context(), approval.Used)
	require.NoError(t, err)
	for _, ticket := range tickets {
		all = append(all, ticket.Outcome)
	}
	return all
}

// A stream has succeeded when it ended by itself, without an error.
func TestStreamSuccess(t *testing.T) {
	mine := errors.New("mine")
	fails := func(context.Context, string) iter.Seq2[int, error] {
		return func(yield func(int, error) bool) { _ = yield(1, mine) && yield(2, nil) }
	}
	for name, c := range map[string]struct {
		tool func(context.Context, string) iter.Seq2[int, error]
		most int // values that are taken
		want approval.Outcome
	}{
		"to the end":                         {streamOf[string](1, 2, 3), 9, approval.Ran},
		"early break":                        {streamOf[string](1, 2, 3), 2, approval.Failed},
		"error":                              {fails, 9, approval.Failed},
		"all taken, and a break at the last": {streamOf[string](1, 2, 3), 3, approval.Failed},
	} {
		t.Run(name, func(t *testing.T) {
			book := newBook(t, nil, nil)
			a := load(t, asking, &veto.Options{Approvals: book})
			cleaned := false
			tool := stream(t, a, "pay", func(ctx context.Context, in string) iter.Seq2[int, error] {
				return func(yield func(int, error) bool) {
					defer func() { cleaned = true }()
					c.tool(ctx, in)(yield)
				}
			}, &guard.Options[int]{Agent: "bot", Approver: &human{answer: yes}})
			n := 0
			for range tool(t.Context(), `{"amount":5}`) {
				if n++; n == c.most {
					break
				}
			}
			require.True(t, cleaned)
			require.Equal(t, []approval.Outcome{c.want}, outcomes(t, book))
		})
	}
}

// A suspension ends a stream, whether the tool goes on, hands on the end of
// its context, or stops without a word.
func TestStreamSuspendedMidway(t *testing.T) {
	for name, after := range map[string]func(ctx context.Context, yield func(int, error) bool){
		"it goes on": func(_ context.Context, yield func(int, error) bool) {
			for yield(2, nil) {
			}
		},
		"it says why":        func(ctx context.Context, yield func(int, error) bool) { yield(0, ctx.Err()) },
		"it says nothing":    func(context.Context, func(int, error) bool) {},
		"it had no more yet": func(ctx context.Context, yield func(int, error) bool) { <-ctx.Done(); yield(7, nil) },
	} {
		t.Run(name, func(t *testing.T) {
			book := newBook(t, nil, nil)
			a := load(t, asking, &veto.Options{Approvals: book})
			tool := stream(t, a, "pay", func(ctx context.Context, _ string) iter.Seq2[int, error] {
				return func(yield func(int, error) bool) {
					if yield(1, nil) {
						require.Equal(t, veto.ErrSuspended, context.Cause(ctx))
						after(ctx, yield)
					}
				}
			}, &guard.Options[int]{Agent: "bot", Approver: &human{answer: yes}})
			var all []int
			var errs []error
			for n, err := range tool(t.Context(), `{"amount":5}`) {
				all, errs = append(all, n), append(errs, err)
				a.Suspend("bot")
			}
			require.Equal(t, []int{1, 0}, all)
			require.Equal(t, []error{nil, veto.ErrSuspended}, errs)
			require.Equal(t, []approval.Outcome{approval.Failed}, outcomes(t, book))
		})
	}
}

// B4: what the stream is called with is frozen when it is called, not when
// somebody ranges; and each time the tool has its own.
func TestAttack_B4_StreamArgumentsAreFrozenAtTheCall(t *testing.T) {
	a := load(t, everything, nil)
	spoils := func(_ context.Context, in map[string]any) iter.Seq2[any, error] {
		return func(yield func(any, error) bool) {
			v := in["to"].([]any)[0]
			in["to"].([]any)[0] = "eve"
			yield(v, nil)
		}
	}
	in := map[string]any{"to": []any{"ann"}}
	seq := stream(t, a, "t", spoils, bot[any]())(t.Context(), in)
	in["to"].([]any)[0] = "eve"
	for range 2 {
		all, _ := collect(seq)
		require.Equal(t, []any{"ann"}, all)
	}

	raw := []byte(`{"to":"ann"}`)
	bytes := stream(t, a, "t", func(_ context.Context, in []byte) iter.Seq2[string, error] {
		return func(yield func(string, error) bool) {
			s := string(in)
			copy(in, `{"to":"eve"}`)
			yield(s, nil)
		}
	}, bot[string]())(t.Context(), raw)
	copy(raw, `{"to":"eve"}`)
	for range 2 {
		all, _ := collect(bytes)
		require.Equal(t, []string{`{"to":"ann"}`}, all)
	}

	list := &struct{ To []string }{[]string{"ann"}}
	structs := stream(t, a, "t", func(_ context.Context, in *struct{ To []string }) iter.Seq2[string, error] {
		return func(yield func(string, error) bool) {
			s := in.To[0]
			in.To[0] = "eve"
			yield(s, nil)
		}
	}, bot[string]())(t.Context(), list)
	list.To[0] = "eve"
	for range 2 {
		all, _ := collect(structs)
		require.Equal(t, []string{"ann"}, all)
	}
}
