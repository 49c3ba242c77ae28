package audittest

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/useveto/veto-go/audit"
	"github.com/useveto/veto-go/internal/value"
	"github.com/useveto/veto-go/rules"
)

// Subject is a sink that keeps nothing yet, and can be read back.
type Subject struct {
	Sink audit.Sink
	// Read returns what the sink keeps, in the order in which it was recorded:
	// a JSON object for each record, with its members under the names that
	// audit.Record has in JSON. There may be others beside them.
	Read func() []string
}

// RunJSON tests what [Run] does not see, on sinks that keep whole records:
//
//   - a record is kept whole, and records in their order;
//   - nothing that Record was given is used after it returned, or changed;
//   - parameters are kept as redacted, large ones by their size and digest;
//   - texts of any length and content make one record like any other.
//
// It calls open for each of them.
func RunJSON(t *testing.T, open func(t *testing.T) Subject) {
	for _, check := range []struct {
		name string
		run  func(*testing.T, Subject)
	}{
		{"Whole", whole},
		{"KeepsNothingOfTheCaller", keepsNothingOfTheCaller},
		{"ChangesNothing", changesNothing},
		{"Redacted", redacted},
		{"HostileTexts", hostileTexts},
	} {
		t.Run(check.name, func(t *testing.T) { check.run(t, open(t)) })
	}
}

// newRecord returns a record with every field set, and the tree of its
// parameters, which shares the memory of the text.
func newRecord(t *testing.T, call int, parameters []byte) (*audit.Record, *value.Tree) {
	t.Helper()
	tree := new(value.Tree)
	if problem, pos := tree.SetJSON(parameters, value.DefaultLimits); problem != value.OK {
		t.Fatalf("the parameters at %d %v", pos, problem)
	}
	when := time.Date(2025, time.July, 1, 9, 30, call, 123456789, time.UTC)
	return &audit.Record{
		ID: rules.NewID(when), Timestamp: when, AgentID: "agt_1", Action: "authorize", ToolName: "file.read",
		Parameters: audit.Capture(tree, nil, audit.NewDigestKey([]byte("the key of audittest"))),
		Result:     rules.Escalated, Code: rules.CodeApprovalRequired, PolicyID: "ask", RuleID: "require_approval[0]",
		Reason:  rules.NewReason(rules.CodeApprovalRequired, "file.read", &rules.Basis{PolicyName: "Ask first"}),
		Latency: 1500 * time.Microsecond, ProjectID: "acme", SessionID: "s1", UserID: "u1", CallID: fmt.Sprint("call-", call),
		PolicyRevision: "rev", PolicyDigest: "digest", Mode: rules.Shadow, ApprovalID: "apr_1",
		Shadow: []rules.ShadowResult{{PolicyID: "trial", RuleID: "tool_denylist[0]", Code: rules.CodeToolDenied}},
	}, tree
}

func record(t *testing.T, s Subject, r *audit.Record) {
	t.Helper()
	if err := s.Sink.Record(context.Background(), r); err != nil {
		t.Fatalf("Record: %v", err)
	}
}

func marshal(t *testing.T, r *audit.Record) string {
	t.Helper()
	text, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// compare checks that the sink keeps these records, which are in JSON, and no
// others.
func compare(t *testing.T, s Subject, want ...string) {
	t.Helper()
	kept := s.Read()
	if len(kept) != len(want) {
		t.Fatalf("the sink keeps %d records, not %d", len(kept), len(want))
	}
	for i := range want {
		var w, k map[string]any
		if err := json.Unmarshal([]byte(want[i]), &w); err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal([]byte(kept[i]), &k); err != nil {
			t.Fatalf("record %d is not a JSON object: %v: %s", i, err, kept[i])
		}
		for name, v := range w {
			// encoding/json sorts members, so equal values have equal texts.
			a, _ := json.Marshal(v)
			b, _ := json.Marshal(k[name])
			if string(a) != string(b) {
				t.Errorf("%s of record %d is kept as %s, not %s", name, i, b, a)
			}
		}
	}
}

func whole(t *testing.T, s Subject) {
	compare(t, s)
	want := make([]string, 20)
	for i := range want {
		r, _ := newRecord(t, i, fmt.Appendf(nil, `{"path":"/tmp/%d","deep":[{"a":null},1e2,true,"<&>"]}`, i))
		if i%2 == 1 { // allowed, and most fields empty
			*r = audit.Record{ID: r.ID, Timestamp: r.Timestamp, AgentID: "agt_2", Action: "authorize", ToolName: "t", Result: rules.Allowed, Code: rules.CodeAllowed}
		}
		want[i] = marshal(t, r)
		record(t, s, r)
	}
	compare(t, s, want...)
}

func keepsNothingOfTheCaller(t *testing.T, s Subject) {
	parameters := []byte(`{"path":"/tmp/a","list":["one"]}`)
	r, tree := newRecord(t, 0, parameters)
	want := marshal(t, r)
	record(t, s, r)

	for i := range parameters {
		parameters[i] = '#'
	}
	if problem, _ := tree.SetJSON([]byte(`{"path":"another call"}`), value.DefaultLimits); problem != value.OK {
		t.Fatal(problem)
	}
	r.Shadow[0] = rules.ShadowResult{PolicyID: "another policy"}
	*r = audit.Record{AgentID: "another agent"}
	compare(t, s, want)
}

func changesNothing(t *testing.T, s Subject) {
	r, _ := newRecord(t, 0, []byte(`{"path":"/tmp/a"}`))
	before := marshal(t, r)
	record(t, s, r)
	if after := marshal(t, r); before != after {
		t.Errorf("the record was changed from %s to %s", before, after)
	}
}

func redacted(t *testing.T, s Subject) {
	const secret = "hunter-2-hunter-2"
	small, _ := newRecord(t, 0, []byte(`{"password":"`+secret+`","deep":[{"X-Api-Key":{"v":"`+secret+`"}}]}`))
	large, _ := newRecord(t, 1, []byte(`{"text":"`+strings.Repeat(secret, 1000)+`"}`))
	record(t, s, small)
	record(t, s, large)
	compare(t, s, marshal(t, small), marshal(t, large))
	if strings.Contains(strings.Join(s.Read(), "\n"), secret) {
		t.Error("what the sink keeps has a secret in it")
	}
}

func hostileTexts(t *testing.T, s Subject) {
	texts := []string{
		"", "\n", "\r\n{\"id\":1}\n", "\x00", "\x1b[31m", `"`, `\`, "\xff\xfe", "\u2028", "\ufeff", "%d%s", "'; drop table records; --",
		strings.Repeat("long ", 100_000), strings.Repeat("\xff", 1000),
	}
	want := make([]string, len(texts))
	for i, text := range texts {
		r, _ := newRecord(t, i, []byte(`{}`))
		r.AgentID, r.ToolName, r.ProjectID, r.SessionID, r.UserID, r.CallID = text, text, text, text, text, text
		want[i] = marshal(t, r)
		record(t, s, r)
	}
	compare(t, s, want...)
}
