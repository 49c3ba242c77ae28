package veto_test

import (
	"context"
	"fmt"
	"log"

	"github.com/useveto/veto-go"
)

const clinic = `
policies:
  - id: assistant
    agentId: assistant
    rules:
      - {type: tool_allowlist, tools: [record.read, web.search, mail.send, identity.check]}
      - {type: sequence, tools: [record.read], sequence: {requires: [{tools: [identity.check], same: {patient: patient}}]}}
      - {type: sequence, tools: [web.search, mail.send], sequence: {blockedBy: [{tools: [record.read]}]}}
      - {type: budget, tools: [web.search], budget: {cost: 1, max: 2, perSession: true}}
`

// The host opens a session where a conversation begins. Then rules can speak
// of what was done in it before: here no record is read unless that patient
// was identified, and nothing goes out once one was read.
func ExampleAuthorizer_OpenSession() {
	set, err := veto.Load("clinic.yaml", []byte(clinic))
	if err != nil {
		log.Fatal(err)
	}
	a, err := veto.New(set, nil)
	if err != nil {
		log.Fatal(err)
	}
	ctx := context.Background()
	ask := func(session, tool, patient string) {
		r, _ := a.Decide(ctx, veto.Call{
			AgentID: "assistant", Session: session, Tool: tool,
			Parameters: map[string]any{"patient": patient},
		})
		fmt.Println(session, tool, patient, r.Code)
	}

	ask("monday", "web.search", "")
	for _, session := range []string{"monday", "tuesday"} {
		if err := a.OpenSession(ctx, "", session); err != nil {
			log.Fatal(err)
		}
	}
	ask("monday", "web.search", "")
	ask("monday", "record.read", "ann")
	ask("monday", "identity.check", "ann")
	ask("monday", "record.read", "bob")
	ask("monday", "record.read", "ann")
	ask("monday", "mail.send", "")
	ask("tuesday", "web.search", "")
	if err := a.EndSession(ctx, "", "monday"); err != nil {
		log.Fatal(err)
	}
	ask("monday", "mail.send", "")
	// Output:
	// monday web.search  session_unknown
	// monday web.search  allowed
	// monday record.read ann sequence_violated
	// monday identity.check ann allowed
	// monday record.read bob sequence_violated
	// monday record.read ann allowed
	// monday mail.send  sequence_violated
	// tuesday web.search  allowed
	// monday mail.send  session_unknown
}
