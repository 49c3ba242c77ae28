package guard_test

import (
	"context"
	"encoding/json"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/useveto/veto-go"
	"github.com/useveto/veto-go/approval"
	"github.com/useveto/veto-go/audit"
	"github.com/useveto/veto-go/guard"
)

const toAnn = `
policies:
  - id: p
    agentId: bot
    rules: [{type: parameter_constraint, tools: [send], parameters: {/to/*: {enum: [ann]}}}]
`

// meddler spoils the arguments between the decision and the tool: while the
// decision is recorded.
type meddler struct {
	spoil func()
	audit.Memory
}

func (m *meddler) Record(ctx context.Context, r *audit.Record) error {
	m.spoil()
	return m.Memory.Record(ctx, r)
}

type letter struct {
	To []string `json:"to"`
}

// B4: the caller changes what it gave after the decision, or before it from
// within: the tool gets what was decided on.
func TestAttack_B4_CallerMutates(t *testing.T) {
	m := &meddler{}
	a := load(t, toAnn, &veto.Options{Sink: m})
	ctx := t.Context()

	any1 := map[string]any{"to": []any{"ann"}}
	m.spoil = func() { any1["to"].([]any)[0] = "eve"; any1["bcc"] = "eve" }
	got1, err := wrap(t, a, "send", echo[map[string]any], bot[map[string]any]())(ctx, any1)
	require.NoError(t, err)
	require.Equal(t, map[string]any{"to": []any{"ann"}}, got1)

	own := named{"to": []string{"ann"}}
	m.spoil = func() { own["to"].([]string)[0] = "eve" }
	gotOwn, err := wrap(t, a, "send", echo[named], bot[named]())(ctx, own)
	require.NoError(t, err)
	require.Equal(t, named{"to": []string{"ann"}}, gotOwn)

	lists := map[string][]string{"to": {"ann"}}
	m.spoil = func() { lists["to"][0] = "eve" }
	got2, err := wrap(t, a, "send", echo[map[string][]string], bot[map[string][]string]())(ctx, lists)
	require.NoError(t, err)
	require.Equal(t, map[string][]string{"to": {"ann"}}, got2)

	value := letter{[]string{"ann"}}
	m.spoil = func() { value.To[0] = "eve" }
	got3, err := wrap(t, a, "send", echo[letter], bot[letter]())(ctx, value)
	require.NoError(t, err)
	require.Equal(t, letter{[]string{"ann"}}, got3)

	pointer := &letter{[]string{"ann"}}
	m.spoil = func() { *pointer = letter{[]string{"eve"}} }
	got4, err := wrap(t, a, "send", echo[*letter], bot[*letter]())(ctx, pointer)
	require.NoError(t, err)
	require.Equal(t, &letter{[]string{"ann"}}, got4)

	// A clause is in a filter, which is in a clause: both hold memory of others.
	nested := filter{And: []clause{{Filter: filter{Values: []string{"ann"}}}}}
	m.spoil = func() { nested.And[0].Filter.Values[0] = "eve" }
	gotNested, err := wrap(t, load(t, everything, &veto.Options{Sink: m}), "t", echo[filter], bot[filter]())(ctx, nested)
	require.NoError(t, err)
	require.Equal(t, filter{And: []clause{{Filter: filter{Values: []string{"ann"}}}}}, gotNested)
	tree := tiles{Kids: [][1]tiles{{{Kids: [][1]tiles{{{Name: "ann"}}}}}}}
	m.spoil = func() { tree.Kids[0][0].Kids[0][0].Name = "eve" }
	gotTree, err := wrap(t, load(t, everything, &veto.Options{Sink: m}), "t", echo[tiles], bot[tiles]())(ctx, tree)
	require.NoError(t, err)
	require.Equal(t, "ann", gotTree.Kids[0][0].Kids[0][0].Name)

	embeds := struct{ *Extra }{&Extra{"ann"}}
	m.spoil = func() { embeds.Note = "eve" }
	gotEmbeds, err := wrap(t, load(t, everything, &veto.Options{Sink: m}), "t", echo[struct{ *Extra }], bot[struct{ *Extra }]())(ctx, embeds)
	require.NoError(t, err)
	require.Equal(t, "ann", gotEmbeds.Note)

	const text, evil = `{"to":["ann"]}`, `{"to":["eve"]}`
	bytes := []byte(text)
	m.spoil = func() { copy(bytes, evil) }
	got5, err := wrap(t, a, "send", echo[[]byte], bot[[]byte]())(ctx, bytes)
	require.NoError(t, err)
	require.Equal(t, text, string(got5))

	raw := json.RawMessage(text)
	m.spoil = func() { copy(raw, evil) }
	got6, err := wrap(t, a, "send", echo[json.RawMessage], bot[json.RawMessage]())(ctx, raw)
	require.NoError(t, err)
	require.Equal(t, text, string(got6))

	copy(raw, text)
	decoded, err := guard.WrapJSON(a, "send", echo[letter], bot[letter]())
	require.NoError(t, err)
	got7, err := decoded(ctx, raw)
	require.NoError(t, err)
	require.Equal(t, letter{[]string{"ann"}}, got7)
	copy(raw, text)
	plain, err := guard.WrapJSON(a, "send", echo[json.RawMessage], bot[json.RawMessage]())
	require.NoError(t, err)
	got8, err := plain(ctx, raw)
	require.NoError(t, err)
	require.Equal(t, text, string(got8))
}

// The other way around: what the tool does to its arguments is not seen by the
// caller, nor by another call.
func TestAttack_B4_ToolMutates(t *testing.T) {
	a := load(t, toAnn, nil)
	given := map[string]any{"to": []any{"ann"}}
	spoils := wrap(t, a, "send", func(_ context.Context, in map[string]any) (int, error) {
		in["to"].([]any)[0] = "eve"
		in["more"] = 1
		return 0, nil
	}, bot[int]())
	for range 3 {
		_, err := spoils(t.Context(), given)
		require.NoError(t, err)
	}
	require.Equal(t, map[string]any{"to": []any{"ann"}}, given)

	// Raw JSON that a tool keeps is its own, also when the next call comes.
	var kept []json.RawMessage
	keeps, err := guard.WrapJSON(a, "send", func(_ context.Context, in struct {
		To json.RawMessage `json:"to"`
	}) (int, error) {
		kept = append(kept, in.To)
		return 0, nil
	}, bot[int]())
	require.NoError(t, err)
	for _, raw := range []string{`{"to":["ann"],"n":1}`, `{"n":222222,"to":[ "ann" ]}`, `{"to":[]}`} {
		_, err := keeps(t.Context(), json.RawMessage(raw))
		require.Equal(t, raw != `{"to":[]}`, err == nil)
	}
	require.Equal(t, `["ann"]`, string(kept[0]))
	require.Equal(t, `[ "ann" ]`, string(kept[1]))
}

// The arguments change while a human is asked about them: what the human saw
// and approved is what runs.
func TestAttack_B4_MutationWhileAHumanIsAsked(t *testing.T) {
	given := map[string]any{"amount": 5, "to": []any{"ann"}}
	a := load(t, asking, &veto.Options{Approvals: newBook(t, nil, nil)})
	tool := wrap(t, a, "pay", echo[map[string]any], &guard.Options[map[string]any]{Agent: "bot", Approver: asker(func(ticket approval.Ticket) approval.Answer {
		require.JSONEq(t, `{"amount":5,"to":["ann"]}`, string(ticket.Parameters))
		given["to"].([]any)[0] = "eve"
		given["amount"] = 100
		return yes
	})})
	got, err := tool(t.Context(), given)
	require.NoError(t, err)
	require.Equal(t, map[string]any{"amount": 5, "to": []any{"ann"}}, got)
}

// asker answers by a function.
type asker func(approval.Ticket) approval.Answer

func (f asker) Ask(_ context.Context, t approval.Ticket) (approval.Answer, error) { return f(t), nil }

// A tool that runs is not disturbed by another goroutine that changes what it
// was called with (under the race detector, this would say so).
func TestAttack_B4_AnotherGoroutineMutates(t *testing.T) {
	a := load(t, toAnn, nil)
	given, raw, pointer := map[string]any{"to": []any{"ann"}}, []byte(`{"to":["ann"]}`), &letter{[]string{"ann"}}
	var ready, done sync.WaitGroup
	check := func(to string) { require.Equal(t, "ann", to) }
	run := func(read func()) (int, error) {
		ready.Done()
		done.Wait()
		read()
		return 0, nil
	}
	ready.Add(3)
	done.Add(1)
	var all sync.WaitGroup
	all.Go(func() {
		_, _ = wrap(t, a, "send", func(_ context.Context, in map[string]any) (int, error) {
			return run(func() { check(in["to"].([]any)[0].(string)) })
		}, bot[int]())(t.Context(), given)
	})
	all.Go(func() {
		_, _ = wrap(t, a, "send", func(_ context.Context, in []byte) (int, error) {
			return run(func() { check(string(in[8:11])) })
		}, bot[int]())(t.Context(), raw)
	})
	all.Go(func() {
		_, _ = wrap(t, a, "send", func(_ context.Context, in *letter) (int, error) {
			return run(func() { check(in.To[0]) })
		}, bot[int]())(t.Context(), pointer)
	})
	ready.Wait()
	given["to"].([]any)[0] = "eve"
	copy(raw, `{"to":["eve"]}`)
	pointer.To[0] = "eve"
	done.Done()
	all.Wait()
}
