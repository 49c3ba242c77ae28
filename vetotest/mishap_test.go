package vetotest

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/useveto/veto-go"
	"github.com/useveto/veto-go/rules"
)

// TestMishapsAreTheseCodes goes through all codes, those that no policy of
// this version gives too.
func TestMishapsAreTheseCodes(t *testing.T) {
	var got []veto.Code
	for c := rules.CodeDefaultDeny; c <= rules.CodeCancelled; c++ {
		if mishap(c) {
			got = append(got, c)
		}
	}
	require.Equal(t, []veto.Code{
		rules.CodeSessionUnknown, rules.CodeInvalidRequest, rules.CodeEvaluationError, rules.CodeLimitsUnavailable,
		rules.CodePoliciesUnavailable, rules.CodePoliciesStale, rules.CodeAuditFailed, rules.CodeCancelled,
	}, got)
}
