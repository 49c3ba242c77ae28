package evaluator

import "github.com/useveto/veto-go/rules"

// approvalBody is a require_approval rule.
type approvalBody struct{}

func (approvalBody) judge(*Evaluation, *rule) judgement {
	return judgement{outcome: escalates, code: rules.CodeApprovalRequired}
}
