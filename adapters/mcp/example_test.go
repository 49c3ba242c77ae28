package vetomcp_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log"

	"github.com/modelcontextprotocol/go-sdk/mcp"

	"github.com/useveto/veto-go"
	"github.com/useveto/veto-go/guard"

	vetomcp "github.com/useveto/veto-go/adapters/mcp"
)

const document = `
policies:
  - id: small-refunds
    agentId: support-bot
    rules:
      - type: parameter_constraint
        tools: [issue_refund]
        parameters: {order: {match: 'A-[0-9]{4}'}, amount: {greaterThan: 0, max: 200}}
      - {type: tool_allowlist, tools: [mcp__shop__list_orders]}`

func exampleAuthorizer() *veto.Authorizer {
	set, err := veto.Load("policies.yaml", []byte(document))
	if err != nil {
		log.Fatal(err)
	}
	a, err := veto.New(set, nil)
	if err != nil {
		log.Fatal(err)
	}
	return a
}

type refund struct {
	Order  string  `json:"order"`
	Amount float64 `json:"amount"`
}

// A server with a guarded tool, and a client that calls it.
func Example() {
	g, err := vetomcp.New(exampleAuthorizer(), &vetomcp.Options{Agent: "support-bot"})
	if err != nil {
		log.Fatal(err)
	}
	server := mcp.NewServer(&mcp.Implementation{Name: "shop"}, nil)
	server.AddReceivingMiddleware(g.Middleware)
	err = vetomcp.AddTool(server, g, &mcp.Tool{Name: "issue_refund"}, func(_ context.Context, _ *mcp.CallToolRequest, in refund) (*mcp.CallToolResult, any, error) {
		return &mcp.CallToolResult{Content: []mcp.Content{&mcp.TextContent{Text: fmt.Sprintf("%.2f for %s", in.Amount, in.Order)}}}, nil, nil
	})
	if err != nil {
		log.Fatal(err)
	}

	ctx := context.Background()
	ours, theirs := mcp.NewInMemoryTransports()
	if _, err := server.Connect(ctx, ours, nil); err != nil {
		log.Fatal(err)
	}
	session, err := mcp.NewClient(&mcp.Implementation{Name: "client"}, nil).Connect(ctx, theirs, nil)
	if err != nil {
		log.Fatal(err)
	}
	defer session.Close()
	for _, args := range []string{`{"order":"A-1001","amount":25}`, `{"order":"A-1001","amount":5000}`, `{"order":"A-1001","amount":25,"Amount":5000}`} {
		r, err := session.CallTool(ctx, &mcp.CallToolParams{Name: "issue_refund", Arguments: json.RawMessage(args)})
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(r.IsError, r.Content[0].(*mcp.TextContent).Text)
	}
	// Output:
	// false 25.00 for A-1001
	// true This call is not permitted with these arguments.
	// true This call is not valid as it stands.
}

// A client whose calls are decided before they are sent.
func ExampleGuard_Middleware_client() {
	g, err := vetomcp.New(exampleAuthorizer(), &vetomcp.Options{Agent: "support-bot", Name: vetomcp.Prefix("shop")})
	if err != nil {
		log.Fatal(err)
	}
	client := mcp.NewClient(&mcp.Implementation{Name: "client"}, nil)
	client.AddSendingMiddleware(g.Middleware)

	server := mcp.NewServer(&mcp.Implementation{Name: "shop"}, nil) // somebody else's
	for _, name := range []string{"list_orders", "drop_orders"} {
		mcp.AddTool(server, &mcp.Tool{Name: name}, func(context.Context, *mcp.CallToolRequest, any) (*mcp.CallToolResult, any, error) {
			return nil, name, nil
		})
	}
	ctx := context.Background()
	ours, theirs := mcp.NewInMemoryTransports()
	if _, err := server.Connect(ctx, ours, nil); err != nil {
		log.Fatal(err)
	}
	session, err := client.Connect(ctx, theirs, nil)
	if err != nil {
		log.Fatal(err)
	}
	defer session.Close()
	for tool := range session.Tools(ctx, nil) {
		fmt.Println("offered to the model:", tool.Name)
	}
	r, err := session.CallTool(ctx, &mcp.CallToolParams{Name: "drop_orders"})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("for the model:", r.Content[0].(*mcp.TextContent).Text)
	var blocked *guard.BlockedError
	if errors.As(r.GetError(), &blocked) {
		fmt.Println("for operators:", blocked.Tool, blocked.Result.Reason)
	}
	// Output:
	// offered to the model: list_orders
	// for the model: This call is not permitted.
	// for operators: mcp__shop__drop_orders No policy explicitly allows this action (default deny)
}

// A server of many agents: who calls is in the token that was verified.
func ExampleOptions_identity() {
	_, err := vetomcp.New(exampleAuthorizer(), &vetomcp.Options{
		Identity: func(_ context.Context, req mcp.Request) guard.Identity {
			extra := req.GetExtra()
			if extra == nil || extra.TokenInfo == nil {
				return guard.Identity{} // nobody, who may do nothing
			}
			return guard.Identity{Agent: extra.TokenInfo.UserID, Session: req.GetSession().ID()}
		},
	})
	fmt.Println(err)
	// Output: <nil>
}
