package twin

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/useveto/veto-go/rules"
)

// TestEdges asks both about what random calls seldom meet.
func TestEdges(t *testing.T) {
	closed := false
	constrained := func(r rules.Rule) *rules.PolicySet {
		r.Type, r.Tools = rules.ParameterConstraint, []string{"t"}
		return &rules.PolicySet{Policies: []rules.Policy{{ID: "p", AgentID: "a", Rules: []rules.Rule{r}}}}
	}
	mail := constrained(rules.Rule{Parameters: map[string]rules.Constraint{"mail": {EmailDomains: []string{"*.example.com", "*.sk.com"}}}})
	url := constrained(rules.Rule{Parameters: map[string]rules.Constraint{"url": {Hosts: []string{"*.example.com", "sk.com"}}}})
	every := constrained(rules.Rule{Parameters: map[string]rules.Constraint{"/*": {}}, AdditionalParameters: &closed})
	star := constrained(rules.Rule{Parameters: map[string]rules.Constraint{"*": {}}, AdditionalParameters: &closed})
	one := constrained(rules.Rule{Parameters: map[string]rules.Constraint{"1": {}}})

	for name, c := range map[string]struct {
		set  *rules.PolicySet
		args any
		want rules.Code
	}{
		"domain":                             {mail, `{"mail":"ann@k.example.com"}`, rules.CodeAllowed},
		"domain with a Kelvin sign":          {mail, `{"mail":"ann@\u212a.example.com"}`, rules.CodeConstraintViolated},
		"domain with a long s":               {mail, `{"mail":"ann@a.\u017fk.com"}`, rules.CodeConstraintViolated},
		"host with a Kelvin sign":            {url, `{"url":"https://\u212a.example.com"}`, rules.CodeConstraintViolated},
		"host with a long s":                 {url, `{"url":"https://\u017fk.com"}`, rules.CodeConstraintViolated},
		"every parameter is none by name":    {every, `{"x":1}`, rules.CodeConstraintViolated},
		"nor is the one that is called star": {every, `{"*":1}`, rules.CodeConstraintViolated},
		"a parameter that is called star":    {star, `{"*":1}`, rules.CodeAllowed},
		"a map that encoding/json can write": {one, map[int]string{1: "x"}, rules.CodeAllowed},
		"and one that it cannot":             {one, map[float64]string{1: "x"}, rules.CodeInvalidRequest},
	} {
		t.Run(name, func(t *testing.T) {
			call := timedCall{call: rules.Call{AgentID: "a", Tool: "t", Parameters: c.args}, now: time.Unix(0, 0)}
			h := &history{set: c.set, later: c.set, reload: -1, calls: []timedCall{call}, codes: map[rules.Code]int{}}
			at, engine, twin, err := h.run()
			require.NoError(t, err)
			require.Equal(t, -1, at, "engine: %s\ntwin:   %s", engine, twin)
			require.Equal(t, map[rules.Code]int{c.want: 1}, h.codes)
		})
	}
}
