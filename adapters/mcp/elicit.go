package vetomcp

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/modelcontextprotocol/go-sdk/mcp"

	"github.com/useveto/veto-go/approval"
)

// elicitation puts tickets to the human at the client, where the host trusts
// what the client says of that.
type elicitation struct {
	c       *call
	req     *mcp.CallToolRequest
	by      string // "": nobody is asked
	carried bool   // by results, and not by a request of ours
	heard   map[string]bool
	later   *mcp.ElicitParams // the question that the result should carry
}

// inputInResults is the first version of the protocol in which a server asks
// for input in the result of a call.
const inputInResults = "2026-07-28"

// elicitation says how the human at the client can be asked. clean is the
// request without what was meant for the guard.
func (c *call) elicitation(ctx context.Context, req, clean *mcp.CallToolRequest) *elicitation {
	e := &elicitation{c: c, req: req, heard: make(map[string]bool)}
	if c.g.opts.TrustClientUserAsApprover == nil || req.Session == nil {
		return e
	}
	e.carried = carriesInput(req.Session)
	switch caps := req.ClientCapabilities(); {
	case caps == nil || caps.Elicitation == nil || caps.Elicitation.Form == nil && caps.Elicitation.URL != nil:
		// It cannot ask.
	case e.carried && (clean.Params.RequestState != "" || clean.Params.InputResponses != nil):
		// The tool is asking for input itself, and its answers would be lost.
	default:
		e.by = c.trusted(ctx)
	}
	return e
}

// trusted is the human at the client, if the host trusts what it says.
func (c *call) trusted(ctx context.Context) (by string) {
	defer func() {
		if recover() != nil {
			by = ""
		}
	}()
	return c.g.opts.TrustClientUserAsApprover(ctx, c.req)
}

func carriesInput(s *mcp.ServerSession) bool {
	p := s.InitializeParams()
	return p == nil || p.ProtocolVersion >= inputInResults
}

// heed takes the answers that came with the call, to the questions of the
// tickets that it has a state for.
func (e *elicitation) heed(ctx context.Context, tickets []string) {
	for _, id := range tickets {
		r, ok := e.req.Params.InputResponses[id]
		if !ok {
			continue
		}
		e.heard[id] = true
		said, ok := r.(*mcp.ElicitResult)
		if !ok || e.by == "" {
			continue
		}
		if answer, err := e.answer(said); err == nil {
			// If the ticket does not take it, the decision says why.
			_ = e.c.g.auth.Approvals().Answer(ctx, id, answer)
		}
	}
}

var errNoAnswer = errors.New("vetomcp: there is no answer")

// answer reads what came back. Whoever closes the question has not answered.
func (e *elicitation) answer(r *mcp.ElicitResult) (approval.Answer, error) {
	yes, given := r.Content["approve"].(bool)
	switch {
	case r.Action == "accept" && given:
		return approval.Answer{Approve: yes, By: e.by}, nil
	case r.Action == "decline":
		return approval.Answer{By: e.by}, nil
	default:
		return approval.Answer{}, errNoAnswer
	}
}

// ask puts a ticket to the human, and reports whether the call should be
// decided again.
func (e *elicitation) ask(ctx context.Context, id string) bool {
	if e.by == "" || e.heard[id] {
		return false
	}
	book := e.c.g.auth.Approvals()
	if e.carried {
		if t, err := book.Get(ctx, id); err == nil && t.State == approval.Pending {
			e.later = e.question(t)
		}
		return false
	}
	e.heard[id] = true
	_, err := book.Ask(ctx, e, id)
	return isAnswer(err)
}

// Ask implements approval.Approver by a request of the server.
func (e *elicitation) Ask(ctx context.Context, t approval.Ticket) (approval.Answer, error) {
	r, err := e.req.Session.Elicit(ctx, e.question(t))
	if err != nil {
		return approval.Answer{}, err
	}
	return e.answer(r)
}

// question is a form with one field, which has no default: who submits the
// form without an answer has not approved.
func (e *elicitation) question(t approval.Ticket) *mcp.ElicitParams {
	t = e.c.shown(t)
	var text strings.Builder
	fmt.Fprintf(&text, "The agent %q wants to call the tool %s", t.Agent, t.Tool)
	if len(t.Parameters) > 0 {
		fmt.Fprintf(&text, " with %s", t.Parameters)
	}
	text.WriteString(".")
	if t.Message != "" {
		text.WriteString(" " + t.Message)
	}
	return &mcp.ElicitParams{
		Mode:    "form",
		Message: text.String(),
		RequestedSchema: json.RawMessage(`{"type":"object","required":["approve"],"properties":{"approve":` +
			`{"type":"boolean","title":"Approve","description":"Let the agent make this one call"}}}`),
	}
}

// asks is the result of a call that cannot go on before the human at the
// client has answered.
func (c *call) asks(question *mcp.ElicitParams, tickets []string) *mcp.CallToolResult {
	var r mcp.CallToolResult
	// The SDK keeps the kind of a result to itself, except from JSON.
	_ = json.Unmarshal([]byte(`{"content":[],"resultType":"input_required"}`), &r)
	r.Content = nil
	r.InputRequests = mcp.InputRequestMap{tickets[len(tickets)-1]: question}
	r.RequestState = c.g.sign(tickets, c.who, c.target)
	return &r
}
