package guard_test

import (
	"context"
	"encoding/json"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/useveto/veto-go"
	"github.com/useveto/veto-go/guard"
)

type hiding struct {
	To     []string
	tenant string
}

type selfPointer *selfPointer

// readsWord is a number that is read from a word, and written as a number.
type readsWord int

func (*readsWord) UnmarshalText([]byte) error { return nil }

type (
	extraToo   struct{ Note string }
	bothExtras struct {
		Extra
		extraToo
	}
	oneExtra    struct{ Extra }
	embedsTwice struct {
		oneExtra
		Extra
	}
	embedsItself struct {
		*EmbedsMe
		A string
	}
	EmbedsMe struct{ *embedsItself }
)

// cannot checks that a tool cannot be guarded, and that it denies all the same
// to a host that does not look at the error.
func cannot[In any](t *testing.T, why string) {
	t.Helper()
	a := load(t, everything, nil)
	ran := false
	tool, err := guard.Wrap(a, "t", func(context.Context, In) (int, error) { ran = true; return 1, nil }, bot[int]())
	require.ErrorContains(t, err, `guard: tool "t": `)
	require.ErrorContains(t, err, why)
	var none In
	_, err = tool(t.Context(), none)
	require.ErrorIs(t, err, veto.ErrDenied)
	require.ErrorContains(t, blocked(t, err).Err, why)
	require.False(t, ran)
}

func TestTypesThatCannotBeGuarded(t *testing.T) {
	cannot[int](t, "int are no JSON object")
	cannot[bool](t, "no JSON object")
	cannot[[]string](t, "no JSON object")
	cannot[any](t, "no JSON object")
	cannot[fmt.Stringer](t, "no JSON object")
	cannot[*string](t, "no JSON object")
	cannot[color](t, "no JSON object")
	cannot[map[int]string](t, "no JSON object")
	cannot[chan int](t, "no JSON object")
	cannot[func()](t, "no JSON object")
	cannot[selfPointer](t, "no JSON object")

	cannot[struct{ C chan int }](t, "hold chan int, which is never read from JSON")
	cannot[struct{ Done func() }](t, "hold func()")
	cannot[struct{ Z complex128 }](t, "hold complex128")
	cannot[struct{ In []struct{ S fmt.Stringer } }](t, "hold fmt.Stringer")
	cannot[struct{ error }](t, "the field error of ")

	cannot[struct{ Path, PATH string }](t, `the parameters "Path" and "PATH"`)
	cannot[struct {
		A string `json:"kind"`
		B string "json:\"\u212aind\""
	}](t, "differ in case only")
	cannot[struct {
		In map[string][]struct{ A, PATH, Path string }
	}](t, "differ in case only")
	cannot[struct {
		Extra
		NOTE string
	}](t, `the parameters "Note" and "NOTE"`)

	// Of two fields of one name encoding/json takes one at most; the tool would
	// get both.
	cannot[struct {
		A string `json:"B"`
		B string
	}](t, `.A and struct { A string "json:\"B\""; B string }.B are both "B" in JSON, so that one is in no decision and yet in the arguments; rename or remove it`)
	cannot[reverse](t, `the fields guard_test.reverse.File and guard_test.inner.File are both "file" in JSON`)
	cannot[outer](t, `the fields guard_test.inner.File and guard_test.outer.File are both "file" in JSON`)
	cannot[bothExtras](t, `the fields guard_test.Extra.Note and guard_test.extraToo.Note are both "Note" in JSON`)
	cannot[struct{ In []map[string]*bothExtras }](t, `are both "Note" in JSON`)
	cannot[struct {
		*Extra
		Note string
	}](t, `guard_test.Extra.Note and struct`)
	cannot[embedsTwice](t, "guard_test.Extra is embedded more than once")
	cannot[embedsItself](t, "guard_test.embedsItself is embedded more than once")

	// What is written as a text must be read from one.
	cannot[struct{ In []map[string]*readsWord }](t, "the field In of struct { In []map[string]*guard_test.readsWord }: guard_test.readsWord has the method UnmarshalText and not MarshalText, so that it is never read as it is written; add the other, or use WrapJSON")
	cannot[struct{ Sum loggedSum }](t, "the field Sum of struct { Sum guard_test.loggedSum }: guard_test.loggedSum has the method MarshalText and not UnmarshalText")
	cannot[loggedText](t, "guard_test.loggedText has the method MarshalText")
	var word lower = "a"
	passes(t, struct{ Word lower }{word}, `{"Word":"a"}`)

	// A field that is in no JSON would be in no decision, wherever it is.
	cannot[struct {
		A    string
		Skip string `json:"-"`
	}](t, "the field Skip of struct")
	cannot[struct{ A, b string }](t, "the field b of struct")
	cannot[struct {
		color
		A string
	}](t, "the field color of struct")
	cannot[hiding](t, "the field tenant")
	cannot[*struct{ A, b string }](t, "the field b")
	cannot[struct {
		List []string
		Skip string `json:"-"`
	}](t, "the field Skip")
	cannot[struct{ In []hiding }](t, "the field tenant")
	cannot[struct {
		In map[string]*struct{ A [1]hiding }
	}](t, "the field tenant")
	cannot[struct{ p *int }](t, "the field p")
}

func TestTypesThatCannotBeDecoded(t *testing.T) {
	a := load(t, everything, nil)
	wrapJSON := func(err error) error { return err }
	_, err := guard.WrapJSON(a, "t", echo[int], bot[int]())
	require.ErrorContains(t, wrapJSON(err), "no JSON object")
	_, err = guard.WrapJSON(a, "t", echo[string], bot[string]())
	require.ErrorContains(t, err, "no JSON object")
	_, err = guard.WrapJSON(a, "t", echo[struct{ Path, PATH string }], bot[struct{ Path, PATH string }]())
	require.ErrorContains(t, err, "differ in case only")

	// What is in no JSON is the host's, and does no harm here.
	tool, err := guard.WrapJSON(a, "t", echo[hiding], bot[hiding]())
	require.NoError(t, err)
	out, err := tool(t.Context(), json.RawMessage(`{"To":["a"],"tenant":"evil"}`))
	require.NoError(t, err)
	require.Equal(t, hiding{To: []string{"a"}, tenant: ""}, out)
}

func TestWhatIsMissing(t *testing.T) {
	a := load(t, everything, nil)
	for name, wrap := range map[string]func(*veto.Authorizer, func(context.Context, flat) (int, error)) (func(context.Context) (int, error), error){
		"Wrap": func(a *veto.Authorizer, fn func(context.Context, flat) (int, error)) (func(context.Context) (int, error), error) {
			tool, err := guard.Wrap(a, "t", fn, nil)
			return func(ctx context.Context) (int, error) { return tool(ctx, flat{}) }, err
		},
		"WrapJSON": func(a *veto.Authorizer, fn func(context.Context, flat) (int, error)) (func(context.Context) (int, error), error) {
			tool, err := guard.WrapJSON(a, "t", fn, nil)
			return func(ctx context.Context) (int, error) { return tool(ctx, json.RawMessage(`{}`)) }, err
		},
	} {
		tool, err := wrap(nil, func(context.Context, flat) (int, error) { panic("it ran") })
		require.ErrorContains(t, err, `guard: tool "t": there is no Authorizer`, name)
		_, err = tool(t.Context())
		require.ErrorIs(t, err, veto.ErrDenied, name)
		require.Equal(t, "This call is not permitted.", err.Error())

		tool, err = wrap(a, nil)
		require.ErrorContains(t, err, "the function is nil", name)
		_, err = tool(t.Context())
		require.ErrorIs(t, err, veto.ErrDenied, name)

		// Without options there is an agent only where the context has one.
		tool, err = wrap(a, func(context.Context, flat) (int, error) { return 7, nil })
		require.NoError(t, err)
		_, err = tool(t.Context())
		require.ErrorContains(t, blocked(t, err).Err, "there is no agent")
		out, err := tool(guard.WithAgent(t.Context(), "bot"))
		require.NoError(t, err)
		require.Equal(t, 7, out)
	}
	_, err := guard.WrapJSON[context.Context, json.RawMessage, int](a, "t", nil, nil)
	require.ErrorContains(t, err, "the function is nil")
	// An Authorizer without policies is one that denies.
	tool, err := guard.Wrap(&veto.Authorizer{}, "t", echo[flat], bot[flat]())
	require.NoError(t, err)
	_, err = tool(t.Context(), flat{})
	require.ErrorIs(t, err, veto.ErrUnavailable)
}
