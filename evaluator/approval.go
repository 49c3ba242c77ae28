package evaluator

import (
	"crypto/sha256"
	"slices"
	"time"

	"github.com/useveto/veto-go/rules"
)

// Digest is that of a policy: of all that it says.
type Digest [sha256.Size]byte

// approvalBody is a require_approval rule.
type approvalBody struct {
	ttl     time.Duration
	message string
}

func compileApproval(src *rules.Approval) *approvalBody {
	b := &approvalBody{}
	if src != nil {
		b.ttl, b.message = time.Duration(src.TTLSeconds)*time.Second, src.Message
	}
	return b
}

func (*approvalBody) judge(*Evaluation, *rule) judgement {
	return judgement{outcome: escalates, code: rules.CodeApprovalRequired}
}

// Approved is a rule whose escalation a human has approved, in the policy with
// this digest.
type Approved struct {
	Policy Digest
	RuleID string
}

// Resume is Decide for a call that a human has approved: what would escalate
// in one of the approved rules passes, and counts as a matching allowlist at
// its policy's place; a tool policy and a floor grant no more than they do
// without. What another rule escalates, escalates, and what denies, denies. The
// slice must not change until e is reset or used again.
func (p *Program) Resume(e *Evaluation, call *rules.Call, now time.Time, approved []Approved) *Verdict {
	e.Reset()
	e.approved = approved
	return p.decide(e, call, now)
}

// covers reports whether a human has approved what r escalates.
func (e *Evaluation) covers(r *rule) bool {
	return len(e.approved) > 0 && slices.Contains(e.approved, Approved{r.policy.digest, r.id}) && !r.policy.flags.shadow
}
