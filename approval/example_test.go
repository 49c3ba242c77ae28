package approval_test

import (
	"context"
	"fmt"
	"time"

	"github.com/useveto/veto-go/approval"
)

// console stands for a program that asks a human.
type console struct{}

func (console) Ask(_ context.Context, t approval.Ticket) (approval.Answer, error) {
	fmt.Println(t.Agent, "wants to call", t.Tool, string(t.Parameters))
	fmt.Println(t.Message)
	return approval.Answer{Approve: true, By: "klara"}, nil
}

// A call is asked about, approved, used and run. In a program, the store is a
// directory (OpenDir) and the key a secret that the agent's tools cannot read.
func Example() {
	ctx := context.Background()
	key, err := approval.NewKey([]byte("at least 32 bytes, better random"))
	if err != nil {
		panic(err)
	}
	book, err := approval.New(new(approval.Memory), key, nil)
	if err != nil {
		panic(err)
	}

	arguments := []byte(`{"amount":80,"order":7}`)
	digest, err := book.Digest(arguments)
	if err != nil {
		panic(err)
	}
	call := approval.Binding{
		Agent: "support-bot", Tool: "refund", Arguments: digest,
		PolicyDigest: "sha256:1f3a", PolicyID: "small-refunds",
	}
	ticket, err := book.Open(ctx, approval.Request{
		Binding: call, TTL: time.Hour, Message: "Check the order first.", Parameters: arguments,
	})
	if err != nil {
		panic(err)
	}
	if _, err := book.Ask(ctx, console{}, ticket.ID); err != nil {
		fmt.Println("not approved:", err)
		return
	}
	if err := book.Use(ctx, ticket.ID, call); err != nil {
		fmt.Println("not run:", err)
		return
	}
	fmt.Println("refunded")
	if err := book.Done(ctx, ticket.ID, approval.Ran); err != nil {
		fmt.Println(err)
	}
	fmt.Println("again:", book.Use(ctx, ticket.ID, call) == nil)
	// Output:
	// support-bot wants to call refund {"amount":80,"order":7}
	// Check the order first.
	// refunded
	// again: false
}
