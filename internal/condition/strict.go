package condition

import (
	"cel.dev/cel-go/common/ast"
	"cel.dev/cel-go/common/operators"
	"cel.dev/cel-go/common/types"
)

// The operators that makeStrict puts in. No source can name them.
const (
	strictOr  = "@or"
	strictAnd = "@and"
	loopStep  = "@step"
)

// makeStrict rewrites a checked tree so that no error is absorbed. In CEL
// "fails || true" is true, in whatever order, and so all() and exists(), which
// are made of it, overlook elements that fail. Here both operators run from
// left to right, stop as early as they can, and fail with an operand that was
// evaluated and failed.
//
// Every loop is made to pay for its rounds, and to end when its accumulator,
// which is then its result, is an error. The guard that lets it continue goes.
func makeStrict(tree *ast.AST) {
	fac := ast.NewExprFactory()
	next := ast.MaxID(tree)
	ast.PostOrderVisit(tree.Expr(), ast.NewExprVisitor(func(e ast.Expr) {
		switch e.Kind() {
		case ast.CallKind:
			call := e.AsCall()
			switch call.FunctionName() {
			case operators.LogicalOr:
				shortCircuit(fac, e, strictOr, types.True)
			case operators.LogicalAnd:
				shortCircuit(fac, e, strictAnd, types.False)
			}
		case ast.ComprehensionKind:
			c := e.AsComprehension()
			cond := c.LoopCondition()
			switch {
			case cond.Kind() == ast.LiteralKind: // true
				next++
				cond = fac.NewIdent(next, c.AccuVar())
			case cond.Kind() == ast.CallKind && cond.AsCall().FunctionName() == operators.NotStrictlyFalse:
				cond = cond.AsCall().Args()[0]
			}
			next++
			e.SetKindCase(fac.NewComprehension(e.ID(), c.IterRange(), c.IterVar(), c.AccuVar(),
				c.AccuInit(), fac.NewCall(next, loopStep, cond), c.LoopStep(), c.Result()))
		}
	}))
}

// shortCircuit renames the operator of e; or, where its left operand is the
// literal that decides it, puts that in its place.
func shortCircuit(fac ast.ExprFactory, e ast.Expr, name string, decides types.Bool) {
	args := e.AsCall().Args()
	if l := args[0]; l.Kind() == ast.LiteralKind && l.AsLiteral() == decides {
		e.SetKindCase(fac.NewLiteral(e.ID(), decides))
		return
	}
	e.SetKindCase(fac.NewCall(e.ID(), name, args...))
}
