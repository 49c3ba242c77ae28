package veto_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"os"
	"path/filepath"

	"github.com/useveto/veto-go"
)

const travel = `
policies:
  - id: travel
    agentId: travel-bot
    rules:
      - {type: tool_allowlist, tools: [book]}
      - {type: budget, tools: [book], budget: {parameter: price, max: 500, windowSeconds: 86400}}
`

func travelAuthorizer(opts *veto.Options) *veto.Authorizer {
	set, err := veto.Load("travel.yaml", []byte(travel))
	if err != nil {
		log.Fatal(err)
	}
	a, err := veto.New(set, opts)
	if err != nil {
		log.Fatal(err)
	}
	return a
}

// Reserve what a call may cost, and say what it did cost when that is known.
func ExampleAuthorizer_Reserve() {
	ctx := context.Background()
	a := travelAuthorizer(nil)
	book := func(price any) veto.Call {
		return veto.Call{AgentID: "travel-bot", Tool: "book", Parameters: map[string]any{"price": price}}
	}
	left := func() {
		all, err := a.Usage(ctx, book(0))
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(all[0].Used, "of", all[0].Limit)
	}

	reservation, _, err := a.Reserve(ctx, book(400))
	if err != nil {
		log.Fatal(err)
	}
	left()
	_, r, err := a.Reserve(ctx, book(200))
	fmt.Println(errors.Is(err, veto.ErrDenied), r.Reason)

	// The booking came to less.
	if err := reservation.Commit(ctx, "250.50"); err != nil {
		log.Fatal(err)
	}
	left()
	reservation, _, err = a.Reserve(ctx, book(200))
	if err != nil {
		log.Fatal(err)
	}
	left()
	// The seat was gone.
	if err := reservation.Refund(ctx); err != nil {
		log.Fatal(err)
	}
	left()
	// Output:
	// 400 of 500
	// true Tool 'book' exceeds the budget of 500
	// 250.5 of 500
	// 450.5 of 500
	// 250.5 of 500
}

// Keep counters and sessions over a restart. Where there is no file, that is
// said, so that it is the host who begins with nothing counted.
func ExampleLoadState() {
	dir, err := os.MkdirTemp("", "veto")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "state")
	start := func() *veto.Authorizer {
		state, err := veto.LoadState(path, nil)
		if errors.Is(err, os.ErrNotExist) {
			fmt.Println("the first start")
		} else if err != nil {
			log.Fatal(err)
		}
		return travelAuthorizer(&veto.Options{State: state})
	}
	book := veto.Call{AgentID: "travel-bot", Tool: "book", Parameters: map[string]any{"price": 400}}

	a := start()
	r, _ := a.Decide(context.Background(), book)
	fmt.Println(r.Code)
	if err := a.SaveState(path); err != nil {
		log.Print(err)
		return
	}
	a = start()
	r, _ = a.Decide(context.Background(), book)
	fmt.Println(r.Code)
	// Output:
	// the first start
	// allowed
	// budget_exceeded
}
