package audit_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/useveto/veto-go/audit"
	"github.com/useveto/veto-go/rules"
)

// decisions stand for the records that an Authorizer makes.
func decisions() []*audit.Record {
	start := time.Date(2025, time.July, 1, 9, 30, 0, 0, time.UTC)
	record := func(second int, tool string, outcome rules.Outcome, code rules.Code) *audit.Record {
		return &audit.Record{
			Timestamp: start.Add(time.Duration(second) * time.Second), AgentID: "support-bot", Action: "authorize",
			ToolName: tool, Result: outcome, Code: code, Latency: 4 * time.Microsecond,
			Reason: rules.NewReason(code, tool, &rules.Basis{PolicyName: "Support"}),
		}
	}
	return []*audit.Record{
		record(0, "web.search", rules.Allowed, rules.CodeAllowed),
		record(1, "refund", rules.Escalated, rules.CodeApprovalRequired),
		record(2, "=shell", rules.Denied, rules.CodeDefaultDeny),
	}
}

func ExampleMemory_Query() {
	m := audit.NewMemory(&audit.MemoryOptions{Capacity: 500})
	for _, r := range decisions() { // an Authorizer with Options.Sink: m
		m.Record(context.Background(), r)
	}

	denied := rules.Denied
	records, total := m.Query(audit.Query{AgentID: "support-bot", Result: &denied, Limit: 10})
	fmt.Println(total)
	for _, r := range records {
		fmt.Println(r.Timestamp.Format(time.TimeOnly), r.ToolName, r.Code)
	}
	// Output:
	// 1
	// 09:30:02 =shell default_deny
}

func ExampleWriteCSV() {
	var b strings.Builder
	audit.WriteCSV(&b, decisions()) // or to a file
	fmt.Print(strings.ReplaceAll(b.String(), "\r\n", "\n"))
	// Output:
	// "Timestamp","Agent ID","Tool","Result","Reason","Latency (ms)","Parameters"
	// "2025-07-01T09:30:00.000Z","support-bot","web.search","allowed","Allowed by policy ""Support""","0.004","{}"
	// "2025-07-01T09:30:01.000Z","support-bot","refund","escalated","Tool 'refund' requires approval by policy ""Support""","0.004","{}"
	// "2025-07-01T09:30:02.000Z","support-bot","'=shell","denied","No policy explicitly allows this action (default deny)","0.004","{}"
}

func ExampleRedactor_Secret() {
	r := audit.NewRedactor(&audit.RedactOptions{Keys: []string{"iban"}})
	for _, key := range []string{"password", "X-Api-Key", "customerIBAN", "monkey"} {
		fmt.Println(key, r.Secret(key))
	}
	// Output:
	// password true
	// X-Api-Key true
	// customerIBAN true
	// monkey false
}

// alarm is a sink that rings when a call was denied.
type alarm struct{ ring func(text string) error }

func (a alarm) Record(_ context.Context, r *audit.Record) error {
	if r.Result != rules.Denied {
		return nil
	}
	return a.ring(r.AgentID + ": " + r.Reason.String())
}

// A sink that fails makes the call a denial; the others of a Multi have the
// record all the same.
func ExampleMulti() {
	m := audit.NewMemory(nil)
	sink := audit.Multi(
		alarm{func(text string) error {
			if strings.Contains(text, "default deny") {
				return errors.New("the bell is broken")
			}
			return nil
		}},
		m,
	)
	for _, r := range decisions() {
		if err := sink.Record(context.Background(), r); err != nil {
			fmt.Println(err)
		}
	}
	_, total := m.Query(audit.Query{})
	fmt.Println(total)
	// Output:
	// the bell is broken
	// 3
}
