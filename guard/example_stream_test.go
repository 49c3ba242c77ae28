package guard_test

import (
	"context"
	"fmt"
	"iter"

	"github.com/useveto/veto-go"
	"github.com/useveto/veto-go/guard"
)

// count stands for a tool that streams.
func count(_ context.Context, in struct {
	To int `json:"to"`
}) iter.Seq2[int, error] {
	return func(yield func(int, error) bool) {
		for n := range in.To {
			if !yield(n+1, nil) {
				return
			}
		}
	}
}

// A stream is decided when somebody ranges over it. A suspension of the agent
// ends it midway.
func ExampleWrapStream() {
	a := newAuthorizer(`
policies:
  - id: counting
    agentId: support-bot
    rules: [{type: parameter_constraint, tools: [count], parameters: {to: {max: 1000}}}]
`, nil)
	counting, err := guard.WrapStream(a, "count", count, &guard.Options[int]{Agent: "support-bot"})
	if err != nil {
		panic(err)
	}
	type to = struct {
		To int `json:"to"`
	}
	for n, err := range counting(context.Background(), to{1000}) {
		if err != nil {
			fmt.Println(err == veto.ErrSuspended, err)
			break
		}
		fmt.Println(n)
		if n == 2 {
			a.Suspend("support-bot") // somebody pulls the plug
		}
	}
	a.Resume("support-bot")
	for _, err := range counting(context.Background(), to{1001}) {
		fmt.Println(err)
	}
	// Output:
	// 1
	// 2
	// true veto: the agent was suspended while its tool was running
	// This call is not permitted with these arguments.
}
