package audit_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/useveto/veto-go/audit"
	"github.com/useveto/veto-go/rules"
)

func TestRecord_JSON(t *testing.T) {
	r := full(t)
	const want = `{"id":"01020300-0000-0000-0000-000000000000","timestamp":"2025-07-01T07:30:00.123Z","agentId":"agt_1",` +
		`"action":"authorize","toolName":"send_email","parameters":{"to":"ann@example.com","password":"[REDACTED]"},` +
		`"parametersDigest":"%s","result":"escalated","code":"approval_required","policyId":"ask","ruleId":"r",` +
		`"reason":"Tool 'send_email' requires approval by policy \"Ask\"","latencyMs":1.235,"projectId":"acme",` +
		`"sessionId":"s1","userId":"u1","callId":"c1","policyRevision":"rev","policyDigest":"pd","mode":"log",` +
		`"approvalId":"apr_1","shadow":[{"policyId":"trial","ruleId":"x","outcome":"denied","code":"tool_denied"}]}`
	text := fmt.Sprintf(want, r.Parameters.Digest())
	require.Equal(t, text, marshal(t, r))
	require.Equal(t, text, marshal(t, *r), "a Record is the same as a *Record")
	require.Equal(t, text, marshal(t, r.Clone()))

	require.Equal(t, `{"id":"00000000-0000-0000-0000-000000000000","timestamp":"0001-01-01T00:00:00.000Z","agentId":"",`+
		`"action":"","toolName":"","parameters":{},"result":"denied","code":"default_deny","policyId":null,`+
		`"reason":"No policy explicitly allows this action (default deny)","latencyMs":0}`, marshal(t, audit.Record{}))
}

func TestRecord_JSONReadsBack(t *testing.T) {
	for _, r := range []*audit.Record{full(t), {}, {Parameters: audit.Capture(tree(t, `{"a":"<&>\u2028"}`), nil, nil)}} {
		text := marshal(t, r)
		var back audit.Record
		require.NoError(t, json.Unmarshal([]byte(text), &back))
		require.Equal(t, text, marshal(t, &back))
		require.True(t, r.Timestamp.Truncate(1e6).Equal(back.Timestamp))
		require.Equal(t, r.Parameters.Digest(), back.Parameters.Digest())
		require.InDelta(t, r.Latency, back.Latency, 500)
	}
	for _, text := range []string{
		`{`, `[]`, `{"timestamp":"yesterday"}`, `{"timestamp":"2025-07-01T07:30:00.123Z","result":"maybe"}`,
		`{"timestamp":"2025-07-01T07:30:00.123Z","mode":"lenient"}`, `{"timestamp":"2025-07-01T07:30:00.123Z","code":"x"}`,
	} {
		require.Error(t, json.Unmarshal([]byte(text), new(audit.Record)), text)
	}
}

// A clone outlives the memory that the record was made from.
func TestRecord_Clone(t *testing.T) {
	r := full(t)
	params := tree(t, `{"a":1}`)
	r.Parameters = audit.Capture(params, nil, key)
	want := marshal(t, r)
	c := r.Clone()
	params.Reset()
	r.Shadow[0].PolicyID, r.AgentID = "changed", "changed"
	require.Equal(t, want, marshal(t, c))

	cc := c.Clone()
	c.Shadow[0].PolicyID = "changed"
	require.Equal(t, want, marshal(t, cc))
}

// An invalid request is recorded too, with an agent or a tool of any size.
func TestRecord_CloneClipsTexts(t *testing.T) {
	for text, want := range map[string]string{
		strings.Repeat("a", 255):        strings.Repeat("a", 255),
		strings.Repeat("a", 256):        strings.Repeat("a", 252) + "…",
		strings.Repeat("é", 1_000_000):  strings.Repeat("é", 126) + "…",
		strings.Repeat("aé", 200):       strings.Repeat("aé", 84) + "…",
		strings.Repeat("€", 90):         strings.Repeat("€", 84) + "…",
		"a" + strings.Repeat("😀", 90):   "a" + strings.Repeat("😀", 62) + "…",
		strings.Repeat("\x80", 300):     strings.Repeat("\x80", 249) + "…",
		strings.Repeat("a\x00b", 1_000): strings.Repeat("a\x00b", 84) + "…",
	} {
		r := audit.Record{AgentID: text, ToolName: text, ProjectID: text, SessionID: text, UserID: text, CallID: text}
		c := r.Clone()
		for _, got := range []string{c.AgentID, c.ToolName, c.ProjectID, c.SessionID, c.UserID, c.CallID} {
			require.Equal(t, want, got)
		}
		require.Equal(t, c, c.Clone())
		require.Less(t, len(marshal(t, r)), 20_000)
	}
}

func TestZeroRecordDenies(t *testing.T) {
	require.Equal(t, rules.Denied, audit.Record{}.Result)
}
