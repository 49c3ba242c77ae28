package audit

import (
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"time"
	"unicode/utf8"

	"github.com/useveto/veto-go/rules"
)

// Record is what is kept of one decision. The texts of the call (agent, tool,
// project, session, user and call id) are as the host gave them: of an invalid
// request they can be of any length and content.
type Record struct {
	ID             rules.ID
	Timestamp      time.Time // the time that the decision is about
	AgentID        string
	Action         string // "authorize"
	ToolName       string
	Parameters     Parameters // none where they were invalid
	Result         rules.Outcome
	Code           rules.Code
	PolicyID       string // "" where no policy decided
	RuleID         string
	Reason         rules.Reason
	Latency        time.Duration // until the record was made
	ProjectID      string
	SessionID      string
	UserID         string
	CallID         string
	PolicyRevision string
	PolicyDigest   string // of the deciding policy
	Mode           rules.Mode
	ApprovalID     string
	Shadow         []rules.ShadowResult
}

// Clone returns a copy that may be kept: its parameters are rendered, and
// texts of the call that are longer than a valid call may have are cut to 255
// bytes, the last of which show an ellipsis.
func (r *Record) Clone() *Record {
	c := *r
	c.Parameters = r.Parameters.detach()
	c.Shadow = slices.Clone(r.Shadow)
	for _, s := range [...]*string{&c.AgentID, &c.ToolName, &c.ProjectID, &c.SessionID, &c.UserID, &c.CallID} {
		*s = clip(*s)
	}
	return &c
}

// maxText is the most bytes of a text of the call in a record that is kept.
const maxText = 255

// clip cuts s to maxText bytes.
func clip(s string) string {
	const ellipsis = "…"
	if len(s) <= maxText {
		return s
	}
	n := maxText - len(ellipsis)
	for i := 1; i < utf8.UTFMax && !utf8.RuneStart(s[n]); i++ {
		n-- // not inside a character
	}
	return s[:n] + ellipsis
}

type recordJSON struct {
	ID               rules.ID             `json:"id"`
	Timestamp        string               `json:"timestamp"`
	AgentID          string               `json:"agentId"`
	Action           string               `json:"action"`
	ToolName         string               `json:"toolName"`
	Parameters       json.RawMessage      `json:"parameters"`
	ParametersDigest string               `json:"parametersDigest,omitempty"`
	Result           rules.Outcome        `json:"result"`
	Code             rules.Code           `json:"code"`
	PolicyID         *string              `json:"policyId"`
	RuleID           string               `json:"ruleId,omitempty"`
	Reason           rules.Reason         `json:"reason"`
	LatencyMs        float64              `json:"latencyMs"`
	ProjectID        string               `json:"projectId,omitempty"`
	SessionID        string               `json:"sessionId,omitempty"`
	UserID           string               `json:"userId,omitempty"`
	CallID           string               `json:"callId,omitempty"`
	PolicyRevision   string               `json:"policyRevision,omitempty"`
	PolicyDigest     string               `json:"policyDigest,omitempty"`
	Mode             string               `json:"mode,omitempty"`
	ApprovalID       string               `json:"approvalId,omitempty"`
	Shadow           []rules.ShadowResult `json:"shadow,omitempty"`
}

const timeLayout = "2006-01-02T15:04:05.000Z07:00"

// milliseconds returns d in milliseconds, with three decimals.
func milliseconds(d time.Duration) float64 {
	return math.Round(float64(d.Nanoseconds())/1e3) / 1e3
}

// MarshalJSON writes a [Record.Clone] as it travels: times in UTC with
// milliseconds, the latency in milliseconds with three decimals, members in a
// fixed order, and those that are empty left out, except for policyId, which
// is null, and parameters, which are {}.
func (r Record) MarshalJSON() ([]byte, error) {
	r = *r.Clone()
	out := recordJSON{
		ID: r.ID, Timestamp: r.Timestamp.UTC().Format(timeLayout), AgentID: r.AgentID,
		Action: r.Action, ToolName: r.ToolName, Parameters: r.Parameters.AppendJSON(nil),
		ParametersDigest: r.Parameters.Digest(), Result: r.Result, Code: r.Code, RuleID: r.RuleID,
		Reason: r.Reason, LatencyMs: milliseconds(r.Latency),
		ProjectID: r.ProjectID, SessionID: r.SessionID, UserID: r.UserID, CallID: r.CallID,
		PolicyRevision: r.PolicyRevision, PolicyDigest: r.PolicyDigest, ApprovalID: r.ApprovalID,
		Shadow: r.Shadow,
	}
	if r.PolicyID != "" {
		out.PolicyID = &r.PolicyID
	}
	if r.Mode != rules.Enforce {
		out.Mode = r.Mode.String()
	}
	return json.Marshal(out)
}

// UnmarshalJSON reads what MarshalJSON writes; of a time, that is the
// milliseconds, and of a reason, the sentence.
func (r *Record) UnmarshalJSON(data []byte) error {
	var in recordJSON
	if err := json.Unmarshal(data, &in); err != nil {
		return err
	}
	at, err := time.Parse(timeLayout, in.Timestamp)
	if err != nil {
		return fmt.Errorf("audit: timestamp of a record: %w", err)
	}
	*r = Record{
		ID: in.ID, Timestamp: at, AgentID: in.AgentID, Action: in.Action, ToolName: in.ToolName,
		Parameters: Parameters{text: in.Parameters, digest: in.ParametersDigest},
		Result:     in.Result, Code: in.Code, RuleID: in.RuleID, Reason: in.Reason,
		Latency:   time.Duration(math.Round(in.LatencyMs * 1e6)),
		ProjectID: in.ProjectID, SessionID: in.SessionID, UserID: in.UserID, CallID: in.CallID,
		PolicyRevision: in.PolicyRevision, PolicyDigest: in.PolicyDigest, ApprovalID: in.ApprovalID,
		Shadow: in.Shadow,
	}
	if in.PolicyID != nil {
		r.PolicyID = *in.PolicyID
	}
	if in.Mode != "" {
		return r.Mode.UnmarshalText([]byte(in.Mode))
	}
	return nil
}
