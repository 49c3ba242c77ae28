package condition

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/ast"
	"cel.dev/cel-go/common/overloads"
	"cel.dev/cel-go/common/types"
)

// checker refuses what the type checker of cel-go lets pass.
type checker struct {
	source string
	kind   Kind
	tree   *ast.AST
	opts   *EnvOptions

	args map[string]bool // the names of parameters that are read
	errs []*SyntaxError
}

func (c *checker) check() error {
	c.args = make(map[string]bool)
	root := c.tree.Expr()
	ast.PostOrderVisit(root, ast.NewExprVisitor(c.visit))
	c.findArgs(root)
	if t := c.tree.GetType(root.ID()); !t.IsExactType(cel.BoolType) {
		c.refuse(root, "%s", notBoolean(root, t))
	}
	return firstOf(c.errs)
}

func notBoolean(root ast.Expr, t *types.Type) string {
	if t.Kind() != types.DynKind {
		return fmt.Sprintf("a condition is true or false, and this is of type %s", cel.FormatCELType(t))
	}
	return "a condition is true or false, and this may be anything: compare it, as in args.x == true"
}

func (c *checker) visit(e ast.Expr) {
	switch e.Kind() {
	case ast.IdentKind:
		// cel-go takes the dot away, but where a loop hides the name: there it
		// would look past the loop, and past the meter.
		if strings.HasPrefix(e.AsIdent(), ".") {
			c.refuse(e, "a name begins with a letter")
		}
	case ast.StructKind:
		c.refuse(e, "messages cannot be made")
	case ast.ListKind:
		if n := e.AsList().Size(); n > MaxList {
			c.refuse(e, "a list of more than %d elements", MaxList)
		}
	case ast.ComprehensionKind:
		v := e.AsComprehension().IterVar()
		if slices.ContainsFunc(variables[c.kind], func(known variable) bool { return known.name == v }) {
			c.refuse(e, "%s is a variable already; give that of the loop another name", v)
		}
	case ast.CallKind:
		c.call(e, e.AsCall())
	}
}

func (c *checker) call(e ast.Expr, call ast.CallExpr) {
	name, args := call.FunctionName(), call.Args()
	if call.IsMemberFunction() {
		args = append([]ast.Expr{call.Target()}, args...)
	}
	switch name {
	case overloads.Matches:
		if pattern, ok := c.literal(args[1], "the pattern of matches"); ok {
			if _, _, err := compilePattern(pattern); err != nil {
				c.refuse(args[1], "%v", err)
			}
		}
	case fnHost:
		c.need(e, name, c.opts.Host != nil)
	case fnEmailDomain:
		c.need(e, name, c.opts.EmailDomain != nil)
	case fnWithin:
		c.need(e, name, c.opts.Within != nil)
	case fnInList:
		c.need(e, name, c.opts.Lists != nil)
		if list, ok := c.literal(args[0], "the name of a list"); ok && c.opts.Lists != nil {
			if _, ok := c.opts.Lists(list); !ok {
				c.refuse(args[0], "there is no list %q", list)
			}
		}
	default:
		if len(args) == 2 && inZone[name] != nil {
			if zone, ok := c.literal(args[1], "the time zone"); ok {
				if _, err := location(zone); err != nil {
					c.refuse(args[1], "%v", err)
				}
			}
		}
	}
}

func (c *checker) need(e ast.Expr, name string, there bool) {
	if !there {
		c.refuse(e, "%s is not available here", name)
	}
}

func (c *checker) literal(e ast.Expr, what string) (string, bool) {
	if e.Kind() == ast.LiteralKind {
		if s, ok := e.AsLiteral().(types.String); ok {
			return string(s), true
		}
	}
	c.refuse(e, "%s must be a string literal", what)
	return "", false
}

func (c *checker) refuse(e ast.Expr, format string, a ...any) {
	loc := c.tree.SourceInfo().GetStartLocation(e.ID())
	c.errs = append(c.errs, syntaxError(c.source, loc.Line(), loc.Column()+1, fmt.Sprintf(format, a...)))
}

// findArgs collects the parameters that are read below e.
func (c *checker) findArgs(e ast.Expr) {
	switch e.Kind() {
	case ast.IdentKind:
		if e.AsIdent() == "args" {
			c.args["*"] = true
		}
	case ast.SelectKind:
		s := e.AsSelect()
		if isArgs(s.Operand()) {
			c.args[s.FieldName()] = true
			return
		}
		c.findArgs(s.Operand())
	case ast.CallKind:
		call := e.AsCall()
		if args := call.Args(); call.FunctionName() == "_[_]" && isArgs(args[0]) {
			if l := args[1]; l.Kind() == ast.LiteralKind {
				if s, ok := l.AsLiteral().(types.String); ok {
					c.args[string(s)] = true
					return
				}
			}
		}
		if call.IsMemberFunction() {
			c.findArgs(call.Target())
		}
		for _, a := range call.Args() {
			c.findArgs(a)
		}
	default:
		for _, child := range ast.NavigateExpr(c.tree, e).Children() {
			c.findArgs(child)
		}
	}
}

func isArgs(e ast.Expr) bool { return e.Kind() == ast.IdentKind && e.AsIdent() == "args" }

func (c *checker) reads() []string { return slices.Sorted(maps.Keys(c.args)) }

// readsInput reports whether what is below e depends on anything but e.
func readsInput(e ast.Expr, kind Kind) bool {
	reads := false
	ast.PostOrderVisit(e, ast.NewExprVisitor(func(e ast.Expr) {
		switch e.Kind() {
		case ast.IdentKind:
			for _, v := range variables[kind] {
				reads = reads || v.name == e.AsIdent()
			}
		case ast.CallKind:
			reads = reads || e.AsCall().FunctionName() == fnInList
		}
	}))
	return reads
}
