package rules

import "github.com/useveto/veto-go/internal/regexcost"

// The bounds of a policy document. Lengths are in characters (code points),
// except where a name says bytes. [Validate] enforces them, and the JSON
// Schema of the documents states them.
const (
	MaxPolicies          = 1_000_000 // agent and tool policies of one set
	MaxPoliciesPerAgent  = 1_000     // policies of one project for one agent pattern
	MaxRules             = 50        // of one policy; at least 1
	MaxParameters        = 64        // of one rule, all alternatives of anyOf together
	MaxPatterns          = 256       // of one list of tools
	MaxPriority          = 1_000
	MaxName              = 255 // names and ids; those that a call carries, in bytes
	MaxDescription       = 2_000
	MaxMessage           = 2_000 // of an approval
	MaxEnum              = 100
	MaxCalls             = 1_000_000
	MaxWindowSeconds     = 86_400
	MaxBudgetSeconds     = 2_678_400 // 31 days; also of a sequence
	MinApprovalSeconds   = 60
	MaxApprovalSeconds   = 86_400
	MaxRegex             = 256
	MaxRegexInstructions = regexcost.MaxInstructions
	MaxExpressionBytes   = 4 << 10
)
