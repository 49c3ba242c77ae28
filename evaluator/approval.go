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

// Resume is Decide for a call that a human has approved: covered are the
// digests of the policies that had escalated it. What would escalate in one of
// them passes, and counts as a matching allowlist at the policy's place; a
// tool policy and a floor grant no more than they do without. What denies,
// denies. The slice must not change until e is reset or used again.
func (p *Program) Resume(e *Evaluation, call *rules.Call, now time.Time, covered []Digest) *Verdict {
	e.Reset()
	e.covered = covered
	return p.decide(e, call, now)
}

// covers reports whether a human has approved what p escalates.
func (e *Evaluation) covers(p *policy) bool {
	return len(e.covered) > 0 && slices.Contains(e.covered, p.digest)
}
