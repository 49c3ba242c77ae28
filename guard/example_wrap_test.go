package guard_test

import (
	"context"
	"errors"
	"fmt"

	"github.com/useveto/veto-go"
	"github.com/useveto/veto-go/guard"
)

// mailPolicy lets the agent send mail within the company.
const mailPolicy = `
policies:
  - id: mail
    name: Mail within the company
    agentId: support-bot
    rules:
      - type: parameter_constraint
        tools: [send_email]
        parameters:
          to: {emailDomains: [example.com]}
          subject: {maxLength: 80}
`

// newAuthorizer returns an Authorizer by a document.
func newAuthorizer(document string, opts *veto.Options) *veto.Authorizer {
	set, err := veto.Load("policies.yaml", []byte(document))
	if err != nil {
		panic(err)
	}
	a, err := veto.New(set, opts)
	if err != nil {
		panic(err)
	}
	return a
}

type mail struct {
	To      string `json:"to"`
	Subject string `json:"subject"`
}

// sendMail stands for a tool.
func sendMail(_ context.Context, m mail) (string, error) {
	return "sent to " + m.To, nil
}

// A wrapped tool is called as the tool was. There are two texts about a call
// that does not run: the error's, which may be shown to the model, and the
// reason, which is for operators.
func ExampleWrap() {
	a := newAuthorizer(mailPolicy, nil)
	send, err := guard.Wrap(a, "send_email", sendMail, &guard.Options[string]{Agent: "support-bot"})
	if err != nil {
		panic(err) // the tool cannot be guarded
	}

	out, err := send(context.Background(), mail{To: "ann@example.com", Subject: "Your order"})
	fmt.Println(out, err)

	_, err = send(context.Background(), mail{To: "eve@example.net", Subject: "Your order"})
	fmt.Println(err)
	var blocked *guard.BlockedError
	if errors.As(err, &blocked) {
		fmt.Println(blocked.Result.Reason)
	}
	// Output:
	// sent to ann@example.com <nil>
	// This call is not permitted with these arguments.
	// Tool 'send_email' parameter 'to' violates constraint
}

// Where one process serves many, the context says who calls.
func ExampleWithIdentity() {
	a := newAuthorizer(mailPolicy, nil)
	send, err := guard.Wrap(a, "send_email", sendMail, nil)
	if err != nil {
		panic(err)
	}
	for _, agent := range []string{"support-bot", "sales-bot"} {
		ctx := guard.WithIdentity(context.Background(), guard.Identity{Agent: agent, Session: "chat-7", User: "ann"})
		_, err := send(ctx, mail{To: "ann@example.com"})
		fmt.Println(agent, errors.Is(err, veto.ErrDenied))
	}
	// Output:
	// support-bot false
	// sales-bot true
}

// Frameworks that stop at an error get a result of the tool instead, which the
// model reads.
func ExampleOptions_onBlocked() {
	a := newAuthorizer(mailPolicy, nil)
	send, err := guard.Wrap(a, "send_email", sendMail, &guard.Options[string]{
		Agent: "support-bot",
		OnBlocked: func(_ context.Context, b *guard.BlockedError) (string, error) {
			return "Not sent. " + b.Error(), nil
		},
	})
	if err != nil {
		panic(err)
	}
	out, err := send(context.Background(), mail{To: "eve@example.net"})
	fmt.Println(out, err)
	// Output:
	// Not sent. This call is not permitted with these arguments. <nil>
}

// Several tools of one type are wrapped at once.
func ExampleSet() {
	a := newAuthorizer(mailPolicy, nil)
	tools, err := guard.Set(a, map[string]func(context.Context, mail) (string, error){
		"send_email":  sendMail,
		"draft_email": sendMail,
	}, &guard.Options[string]{Agent: "support-bot"})
	if err != nil {
		panic(err)
	}
	for _, name := range []string{"send_email", "draft_email"} {
		_, err := tools[name](context.Background(), mail{To: "ann@example.com"})
		fmt.Println(name, err)
	}
	// Output:
	// send_email <nil>
	// draft_email This call is not permitted.
}
