package main

import (
	"context"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"path/filepath"

	"github.com/useveto/veto-go"
	"github.com/useveto/veto-go/approval"
	"github.com/useveto/veto-go/guard"
)

//go:embed policies.yaml
var policies []byte

// turn is a tool call of the model.
type turn struct {
	id, tool  string
	arguments json.RawMessage
}

// model stands for a model: it wants the same calls every time.
var model = []turn{
	{"call-1", "look_up_order", json.RawMessage(`{"order":"A-1001"}`)},
	{"call-2", "refund", json.RawMessage(`{"order":"A-1001","amount":20}`)},
	{"call-3", "refund", json.RawMessage(`{"order":"A-1002","amount":80}`)},
	{"call-4", "refund", json.RawMessage(`{"order":"A-1003","amount":5000}`)},
	{"call-5", "refund", json.RawMessage(`{"order":"A-1004","amount":60,"AMOUNT":6000}`)},
}

// The tools. They know nothing of policies.

type orderArgs struct {
	Order string `json:"order"`
}

func lookUpOrder(_ context.Context, in orderArgs) (string, error) {
	return in.Order + ": two lamps, returned", nil
}

type refundArgs struct {
	Order  string `json:"order"`
	Amount int    `json:"amount"`
}

func refund(_ context.Context, in refundArgs) (string, error) {
	return fmt.Sprintf("refunded %d for %s", in.Amount, in.Order), nil
}

// tool is a guarded tool, as the loop calls it.
type tool = func(context.Context, json.RawMessage) (string, error)

// guarded wraps the tools. Everything that the loop can call is in here.
func guarded(a *veto.Authorizer, approver approval.Approver) (map[string]tool, error) {
	opts := &guard.Options[string]{Agent: "support-bot", Approver: approver}
	lookUp, err1 := guard.WrapJSON(a, "look_up_order", lookUpOrder, opts)
	refunds, err2 := guard.WrapJSON(a, "refund", refund, opts)
	return map[string]tool{"look_up_order": lookUp, "refund": refunds}, errors.Join(err1, err2)
}

// runAgent makes the calls of the model that are not done yet, and returns how
// many wait for a human.
func runAgent(ctx context.Context, dir string, book *approval.Book, approver approval.Approver, out io.Writer) (waiting int, err error) {
	a, err := newAuthorizer(book)
	if err != nil {
		return 0, err
	}
	tools, err := guarded(a, approver)
	if err != nil {
		return 0, err
	}
	past, err := loadConversation(filepath.Join(dir, "conversation.json"))
	if err != nil {
		return 0, err
	}
	// The host knows whose conversation this is. The model is not asked.
	ctx = guard.WithIdentity(ctx, guard.Identity{Session: past.ID, User: "ann"})
	for _, t := range model {
		if _, done := past.Results[t.id]; done {
			continue
		}
		result, ticket := callTool(ctx, tools[t.tool], t, past.Waiting[t.id])
		fmt.Fprintf(out, "%s %s %s\n  -> %s\n", t.id, t.tool, t.arguments, result)
		if ticket != "" {
			fmt.Fprintf(out, "     ticket %s\n", ticket)
			past.Waiting[t.id] = ticket
			waiting++
		} else {
			past.Results[t.id] = result
			delete(past.Waiting, t.id)
		}
		// After a crash between the call and this line, the call is made again.
		// If it was one that somebody had approved, its ticket is used, and it
		// does not run a second time.
		if err := past.save(); err != nil {
			return waiting, err
		}
	}
	return waiting, nil
}

// callTool makes one call, under the ticket that it waits for, if any. It
// returns what the model gets to read, and the ticket if it waits still.
func callTool(ctx context.Context, f tool, t turn, waitsFor string) (result, ticket string) {
	ctx = guard.WithCallID(ctx, t.id)
	if waitsFor != "" {
		ctx = guard.WithApproval(ctx, waitsFor)
	}
	result, err := f(ctx, t.arguments)
	if blocked := (*guard.BlockedError)(nil); errors.As(err, &blocked) {
		if errors.Is(err, veto.ErrEscalated) {
			ticket = blocked.Result.ApprovalID
		}
		return blocked.Error(), ticket // what it says is meant for the model
	}
	if err != nil {
		return "The tool failed: " + err.Error(), ""
	}
	return result, ""
}
