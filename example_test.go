package veto_test

import (
	"context"
	"errors"
	"fmt"
	"log"

	"github.com/useveto/veto-go"
	"github.com/useveto/veto-go/audit"
)

const shop = `
policies:
  - id: support
    agentId: support-bot
    rules:
      - {type: tool_allowlist, tools: [get_order, issue_refund, mail.*]}
      - {type: tool_denylist, tools: [mail.purge]}
      - {type: parameter_constraint, tools: [issue_refund], parameters: {amount: {greaterThan: 0, max: 200}}}
      - {type: require_approval, tools: [issue_refund], when: args.amount > 50}
`

func shopAuthorizer(opts *veto.Options) *veto.Authorizer {
	set, err := veto.Load("shop.yaml", []byte(shop))
	if err != nil {
		log.Fatal(err)
	}
	a, err := veto.New(set, opts)
	if err != nil {
		log.Fatal(err)
	}
	return a
}

// Ask before the tool runs; the error is nil exactly when it may.
func ExampleAuthorizer_Authorize() {
	a := shopAuthorizer(nil)
	for _, amount := range []any{20, 80, 800, "20"} {
		_, err := a.Authorize(context.Background(), "support-bot", "issue_refund", map[string]any{"amount": amount})
		switch {
		case err == nil:
			fmt.Println(amount, "runs")
		case errors.Is(err, veto.ErrEscalated):
			fmt.Println(amount, "asks a human")
		default:
			fmt.Println(amount, "is refused")
		}
	}
	// Output:
	// 20 runs
	// 80 asks a human
	// 800 is refused
	// 20 is refused
}

// A denial says what refused, as values and as a sentence.
func ExampleDeniedError() {
	r, err := shopAuthorizer(nil).Authorize(context.Background(), "support-bot", "issue_refund", nil)
	var denied *veto.DeniedError
	if errors.As(err, &denied) {
		d := denied.Denial()
		fmt.Println(d.Code, d.PolicyID, d.Parameter)
	}
	fmt.Println(r.Reason)
	// Output:
	// constraint_violated support amount
	// Tool 'issue_refund' parameter 'amount' violates constraint
}

// Offer a model only the tools that it can use at all.
func ExampleAuthorizer_Tools() {
	for _, tool := range shopAuthorizer(nil).Tools(context.Background(), "support-bot", []string{"get_order", "mail.purge", "drop_table"}) {
		fmt.Println(tool.Name, tool.Access)
	}
	// Output:
	// get_order may
	// mail.purge never
	// drop_table never
}

// Why is this call decided as it is?
func ExampleAuthorizer_Explain() {
	x := shopAuthorizer(nil).Explain(context.Background(), veto.Call{
		AgentID: "support-bot", Tool: "issue_refund", Parameters: map[string]any{"amount": 900},
	}, &veto.ExplainOptions{Values: true})
	fmt.Println(x.Result.Reason)
	fmt.Println(x.Trace)
	// Output:
	// Tool 'issue_refund' parameter 'amount' violates constraint
	// policy "support" (priority 0) denies: tool_allowlist[0] passes, parameter_constraint[0] denies (parameter "amount" is 900), require_approval[0] escalates
}

// A document with faults says all of them, and where.
func ExampleLoad_faults() {
	_, err := veto.Load("broken.yaml", []byte(`policies:
  - id: p
    agentId: bot
    rules:
      - {type: tool_allowlst, tools: [a]}
      - {type: rate_limit, rateLimit: {maxCalls: 0, windowSeconds: 60}}
`))
	fmt.Println(err)
	// Output:
	// veto: policies cannot be used:
	// broken.yaml:5:10: policies[0].rules[0].type: policy "p", rule "tool_allowlst[0]": there is no rule type "tool_allowlst"; did you mean "tool_allowlist"?
	// broken.yaml:6:40: policies[0].rules[1].rateLimit.maxCalls: policy "p", rule "rate_limit[0]": 0 is out of range; the range is 1..1000000
}

// Replace the policies while calls are decided. A bad set changes nothing.
func ExampleAuthorizer_SetPolicies() {
	a := shopAuthorizer(nil)
	set, err := veto.Load("next.yaml", []byte(`policies: [{id: p, agentId: "*", rules: [{type: tool_allowlist, tools: [get_order]}]}]`))
	if err == nil {
		err = a.SetPolicies(set)
	}
	if err != nil {
		log.Print(err) // the old ones stay
	}
	_, err = a.Authorize(context.Background(), "support-bot", "mail.send", nil)
	fmt.Println(errors.Is(err, veto.ErrDenied))
	// Output: true
}

// Keep the policies those of a file, until the context ends.
func ExampleWatch() {
	a := shopAuthorizer(nil)
	ctx, cancel := context.WithCancel(context.Background())
	loaded, done := make(chan string, 1), make(chan error)
	go func() {
		done <- veto.Watch(ctx, a, "examples/quickstart/policies.yaml", &veto.WatchOptions{
			OnLoad:  func(*veto.PolicySet) { loaded <- "loaded" },
			OnError: func(err error) { log.Print(err) }, // the old policies stay
		})
	}()
	fmt.Println(<-loaded)
	cancel()
	fmt.Println(<-done)
	// Output:
	// loaded
	// <nil>
}

// Keep the records in memory, and look at them.
func ExampleOptions_sink() {
	memory := audit.NewMemory(nil)
	a := shopAuthorizer(&veto.Options{Sink: memory})
	a.Authorize(context.Background(), "support-bot", "mail.send", map[string]any{"to": "ann@example.com", "password": "hunter2"})
	records, _ := memory.Query(audit.Query{AgentID: "support-bot"})
	fmt.Println(records[0].ToolName, records[0].Result)
	// Output: mail.send allowed
}
