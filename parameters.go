package veto

import "github.com/useveto/veto-go/evaluator"

// ParametersOf returns the parameters of a tool that the policies in force
// constrain, sum up or compare, whatever the agent and project: a tool that
// does not have one of them cannot be called under that rule.
func (a *Authorizer) ParametersOf(tool string) []evaluator.ParameterUse {
	if a == nil {
		return nil
	}
	return a.current.Load().get().program.Parameters(tool)
}
