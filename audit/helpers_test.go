package audit_test

import (
	"bytes"
	"context"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/useveto/veto-go/audit"
	"github.com/useveto/veto-go/audit/audittest"
	"github.com/useveto/veto-go/internal/value"
	"github.com/useveto/veto-go/rules"
)

var (
	ctx = context.Background()
	at  = time.Date(2025, time.July, 1, 9, 30, 0, 123456789, time.FixedZone("", 2*3600))
	key = audit.NewDigestKey([]byte("a secret of the tests"))
)

func tree(t testing.TB, text string) *value.Tree {
	t.Helper()
	tree := new(value.Tree)
	problem, pos := tree.SetJSON([]byte(text), value.Limits{Bytes: 1 << 20, Depth: 32})
	require.Equal(t, value.OK, problem, "at %d of %s", pos, text)
	return tree
}

// render returns the parameters as a record with this redactor has them.
func render(t testing.TB, r *audit.Redactor, text string) string {
	t.Helper()
	return audit.Capture(tree(t, text), r, nil).String()
}

// full returns a record with every field set.
func full(t testing.TB) *audit.Record {
	return &audit.Record{
		ID: rules.ID{1, 2, 3}, Timestamp: at, AgentID: "agt_1", Action: "authorize", ToolName: "send_email",
		Parameters: audit.Capture(tree(t, `{"to":"ann@example.com","password":"x"}`), nil, key),
		Result:     rules.Escalated, Code: rules.CodeApprovalRequired, PolicyID: "ask", RuleID: "r",
		Reason:  rules.NewReason(rules.CodeApprovalRequired, "send_email", &rules.Basis{PolicyName: "Ask"}),
		Latency: 1234567, ProjectID: "acme", SessionID: "s1", UserID: "u1", CallID: "c1",
		PolicyRevision: "rev", PolicyDigest: "pd", Mode: rules.Log, ApprovalID: "apr_1",
		Shadow: []rules.ShadowResult{{PolicyID: "trial", RuleID: "x", Code: rules.CodeToolDenied}},
	}
}

// lines is a writer of lines that can be read back.
type lines struct{ bytes.Buffer }

func (l *lines) read() []string {
	return strings.FieldsFunc(l.String(), func(r rune) bool { return r == '\n' })
}

// conforms runs both kits of audittest on the sinks that open returns.
func conforms(t *testing.T, open func() audittest.Subject) {
	s := open()
	audittest.Run(t, s.Sink, func() []string {
		var ids []string
		for _, line := range s.Read() {
			var r struct{ ID string }
			require.NoError(t, json.Unmarshal([]byte(line), &r))
			ids = append(ids, r.ID)
		}
		return ids
	})
	audittest.RunJSON(t, func(*testing.T) audittest.Subject { return open() })
}

func marshal(t testing.TB, v any) string {
	t.Helper()
	text, err := json.Marshal(v)
	require.NoError(t, err)
	return string(text)
}
