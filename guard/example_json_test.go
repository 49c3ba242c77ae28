package guard_test

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/useveto/veto-go/guard"
)

// WrapJSON is for the usual place of a guard: the model has written JSON, and
// the tool takes a struct. What encoding/json would read otherwise than the
// policy does, such as a key in other letters, is refused.
func ExampleWrapJSON() {
	a := newAuthorizer(mailPolicy, nil)
	send, err := guard.WrapJSON(a, "send_email", sendMail, &guard.Options[string]{Agent: "support-bot"})
	if err != nil {
		panic(err)
	}
	for _, arguments := range []string{
		`{"to": "ann@example.com", "subject": "Your order"}`,
		`{"to": "ann@example.com", "subject": "Your order", "TO": "eve@example.net"}`,
		`{"To": "eve@example.net", "subject": "Your order"}`,
		`{"to": "ann@example.com", "subject": 7}`,
	} {
		out, err := send(context.Background(), json.RawMessage(arguments))
		if err != nil {
			out = err.Error()
		}
		fmt.Println(out)
	}
	// Output:
	// sent to ann@example.com
	// This call is not valid as it stands.
	// This call is not valid as it stands.
	// This call is not valid as it stands.
}
