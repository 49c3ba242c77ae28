package guard_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/useveto/veto-go"
	"github.com/useveto/veto-go/approval"
	"github.com/useveto/veto-go/guard"
)

// refundPolicy asks a human about refunds of more than 50.
const refundPolicy = `
policies:
  - id: refunds
    agentId: support-bot
    rules:
      - type: parameter_constraint
        tools: [refund]
        parameters: {amount: {max: 50}}
        onViolation: require_approval
`

// refund stands for a tool.
func refund(_ context.Context, in map[string]any) (string, error) {
	return fmt.Sprint("refunded ", in["amount"]), nil
}

// newDeskBook returns a book of tickets. In a program, the store is a directory
// (approval.OpenDir), and the key a secret that no tool of the agent can read.
func newDeskBook() *approval.Book {
	key, err := approval.NewKey([]byte("at least 32 bytes, better random"))
	if err != nil {
		panic(err)
	}
	book, err := approval.New(new(approval.Memory), key, nil)
	if err != nil {
		panic(err)
	}
	return book
}

// manager stands for an Approver that asks a human, in a terminal or a chat.
type manager struct{}

func (manager) Ask(_ context.Context, t approval.Ticket) (approval.Answer, error) {
	fmt.Println("May", t.Agent, "call", t.Tool, "with", string(t.Parameters)+"?")
	return approval.Answer{Approve: true, By: "klara"}, nil
}

// With an Approver, the human is asked while the call waits.
func ExampleOptions_approver() {
	a := newAuthorizer(refundPolicy, &veto.Options{Approvals: newDeskBook()})
	tool, err := guard.WrapJSON(a, "refund", refund, &guard.Options[string]{Agent: "support-bot", Approver: manager{}})
	if err != nil {
		panic(err)
	}
	for _, arguments := range []string{`{"amount":20}`, `{"amount":80}`} {
		fmt.Println(tool(context.Background(), json.RawMessage(arguments)))
	}
	// Output:
	// refunded 20 <nil>
	// May support-bot call refund with {"amount":80}?
	// refunded 80 <nil>
}

// Without one, the call returns at once with the id of a ticket, and is made
// again when somebody has approved it: hours later, or in another process with
// the same store and key. It runs once.
func ExampleWithApproval() {
	book := newDeskBook()
	a := newAuthorizer(refundPolicy, &veto.Options{Approvals: book})
	tool, err := guard.WrapJSON(a, "refund", refund, &guard.Options[string]{Agent: "support-bot"})
	if err != nil {
		panic(err)
	}
	ctx, arguments := context.Background(), json.RawMessage(`{"amount":80}`)
	_, err = tool(ctx, arguments)
	fmt.Println(err)
	var blocked *guard.BlockedError
	if !errors.As(err, &blocked) || blocked.Result.ApprovalID == "" {
		return
	}
	ticket := blocked.Result.ApprovalID

	if err := book.Answer(ctx, ticket, approval.Answer{Approve: true, By: "klara"}); err != nil {
		panic(err)
	}

	fmt.Println(tool(guard.WithApproval(ctx, ticket), arguments))
	_, err = tool(guard.WithApproval(ctx, ticket), arguments)
	fmt.Println(err)
	// Output:
	// This call needs the approval of a human, who has not answered yet.
	// refunded 80 <nil>
	// The approval of this call is no longer valid.
}
