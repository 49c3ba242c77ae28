package condition

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"unicode/utf8"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/ast"
	"cel.dev/cel-go/interpreter"
)

// Kind says where a condition stands, and with that what it can read.
type Kind uint8

// The kinds.
const (
	// When is the "when" of a rule: it reads args, tool, agent, project,
	// session, user, context and now.
	When Kind = iota
	// Value is the "expression" of a constraint: it reads value and args.
	Value
	// Earlier is the "when" of an entry of a sequence, about an earlier call:
	// it reads what When does but now, since equal calls are remembered as
	// one, with the time of the last.
	Earlier
)

// EnvOptions are what conditions need from outside. A function that is nil
// is not available: a condition that calls it does not compile.
type EnvOptions struct {
	// Lists finds a named list for inList. It is asked once for each use, at
	// compile time; contains is called at every evaluation, so it may look at
	// a list that changes. It must be safe for concurrent use, and fast.
	Lists func(name string) (contains func(value string) bool, ok bool)
	// Within reports whether a path is equal to a directory or below it. It
	// is false for every path that is not safe to compare.
	Within func(path string, dirs ...string) bool
	// Host returns the host of a URL, and false for one that is not safe.
	Host func(url string) (string, bool)
	// EmailDomain returns the domain of an address, and false for what is
	// not exactly one address.
	EmailDomain func(address string) (string, bool)
}

// Env compiles conditions. Conditions of equal source and kind are compiled
// once and shared for as long as the Env lives, so an Env is made for one
// load of policies. It is safe for concurrent use.
type Env struct {
	opts EnvOptions

	mu    sync.Mutex
	cache map[key]*Condition
}

type key struct {
	kind   Kind
	source string
}

// NewEnv returns an Env; nil options stand for no outside functions.
func NewEnv(opts *EnvOptions) *Env {
	e := &Env{cache: make(map[key]*Condition)}
	if opts != nil {
		e.opts = *opts
	}
	return e
}

// Compile parses, checks and plans a condition. Every error is a
// [*SyntaxError], but for one of the source as a whole: an empty one, one
// over [MaxSource] bytes, or one that is not UTF-8.
func (e *Env) Compile(source string, kind Kind) (*Condition, error) {
	switch {
	case kind > Earlier:
		return nil, fmt.Errorf("there is no kind of condition %d", kind)
	case strings.TrimSpace(source) == "":
		return nil, errors.New("the condition is empty")
	case len(source) > MaxSource:
		return nil, fmt.Errorf("the condition is longer than %d bytes", MaxSource)
	case !utf8.ValidString(source):
		return nil, errors.New("the condition is not valid UTF-8")
	}
	k := key{kind, source}
	e.mu.Lock()
	c, ok := e.cache[k]
	e.mu.Unlock()
	if ok {
		return c, nil
	}
	c, err := e.compile(source, kind)
	if err != nil {
		return nil, err
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if first, ok := e.cache[k]; ok {
		return first, nil
	}
	e.cache[k] = c
	return c, nil
}

func (e *Env) compile(source string, kind Kind) (c *Condition, err error) {
	defer func() {
		if recover() != nil { // a bug in cel-go must not stop the program
			c, err = nil, errors.New("the condition cannot be compiled")
		}
	}()
	dialects, err := dialects()
	if err != nil {
		return nil, err
	}
	d := dialects[kind]
	checked, issues := d.env.Compile(source)
	if issues.Err() != nil {
		return nil, syntaxErrors(source, kind, issues.Errors())
	}
	tree := checked.NativeRep()
	ck := checker{source: source, kind: kind, tree: tree, opts: &e.opts}
	if err := ck.check(); err != nil {
		return nil, err
	}
	makeStrict(tree)
	plan, err := d.plan(tree, &planner{opts: &e.opts})
	if err != nil {
		return nil, planError(source, tree, err)
	}
	c = &Condition{plan: plan, source: tree.SourceInfo(), reads: ck.reads()}
	if !readsInput(tree.Expr(), kind) {
		if err := c.fold(); err != nil {
			return nil, syntaxError(source, max(1, err.Line), max(1, err.Column), "the condition always fails: it "+err.Reason)
		}
	}
	return c, nil
}

// dialect is what the conditions of one kind are compiled with.
type dialect struct {
	env       *cel.Env
	functions interpreter.Dispatcher
}

// plan makes a checked tree ready to run. It leaves out the Program of package
// cel, which would wrap it in bookkeeping that costs as much as a condition.
func (d *dialect) plan(tree *ast.AST, p *planner) (plan, error) {
	types, values := d.env.CELTypeProvider(), d.env.CELTypeAdapter()
	attributes := interpreter.NewAttributeFactory(d.env.Container, values, types,
		interpreter.EnableErrorOnBadPresenceTest(true))
	return interpreter.NewInterpreter(d.functions, d.env.Container, types, values, attributes).
		NewInterpretable(tree, interpreter.CustomDecoratorV2(p.decorate), interpreter.Optimize())
}

// dialects are the same for every Env.
var dialects = sync.OnceValues(func() (all [3]dialect, err error) {
	base, err := cel.NewCustomEnv(
		cel.StdLib(),
		cel.CustomTypeAdapter(adapter{}),
		cel.CrossTypeNumericComparisons(true),
		cel.DefaultUTCTimeZone(true),
		cel.EnableHiddenAccumulatorName(true),
		cel.ParserExpressionSizeLimit(MaxSource),
		cel.ParserRecursionLimit(maxDepth),
		cel.ParserErrorRecoveryLimit(4),
		cel.ExpressionNodeLimit(maxNodes),
		cel.ASTValidators(
			cel.ValidateDurationLiterals(),
			cel.ValidateTimestampLiterals(),
			cel.ValidateComprehensionNestingLimit(maxLoops)),
		cel.Lib(library{}),
	)
	if err != nil {
		return all, err
	}
	functions := interpreter.NewDispatcher()
	for _, f := range base.Functions() {
		overloads, err := f.Bindings()
		if err != nil {
			return all, err
		}
		if err := functions.Add(overloads...); err != nil {
			return all, err
		}
	}
	for kind, vars := range variables {
		opts := make([]cel.EnvOption, len(vars))
		for i, v := range vars {
			opts[i] = cel.Variable(v.name, v.typ)
		}
		env, err := base.Extend(opts...)
		if err != nil {
			return all, err
		}
		all[kind] = dialect{env, functions}
	}
	return all, nil
})

type variable struct {
	name string
	typ  *cel.Type
}

var object = cel.MapType(cel.StringType, cel.DynType)

var variables = [3][]variable{
	When:    append(ofCall[:len(ofCall):len(ofCall)], variable{"now", cel.TimestampType}),
	Value:   {{"value", cel.DynType}, {"args", object}},
	Earlier: ofCall,
}

var ofCall = []variable{
	{"args", object}, {"tool", cel.StringType}, {"agent", cel.StringType},
	{"project", cel.StringType}, {"session", cel.StringType}, {"user", cel.StringType},
	{"context", object},
}

var _ interpreter.Activation = (*Input)(nil)
