package vetomcp

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"sync"

	"github.com/google/jsonschema-go/jsonschema"
	"github.com/modelcontextprotocol/go-sdk/mcp"

	"github.com/useveto/veto-go/guard"
)

// AddTool adds a tool with a typed handler to the server, guarded, in the
// manner of mcp.AddTool: it infers schemas, checks the input by its schema and
// makes the result, and panics where that would. t is not changed.
//
// An error says that the tool cannot be guarded: a policy that is in force
// constrains a parameter which it does not have, there is no Authorizer, a type
// has no schema, or In has two fields whose names differ in case only, a field
// with the option "string" in its tag, or a map whose keys are no plain strings.
// Then the tool is not added.
func AddTool[In, Out any](s *mcp.Server, g *Guard, t *mcp.Tool, h mcp.ToolHandlerFor[In, Out]) error {
	tt := *t
	ofType, err := schemaFor[In]()
	if tt.InputSchema == nil {
		if err != nil {
			return fmt.Errorf("vetomcp: tool %q: input schema: %w", t.Name, err)
		}
		tt.InputSchema = ofType
	}
	out := reflect.TypeFor[Out]()
	if tt.OutputSchema == nil && out != reflect.TypeFor[any]() {
		if tt.OutputSchema, err = schemaFor[Out](); err != nil {
			return fmt.Errorf("vetomcp: tool %q: output schema: %w", t.Name, err)
		}
	}
	var zero any // what a nil pointer stands for
	if out.Kind() == reflect.Pointer {
		zero = reflect.Zero(out.Elem()).Interface()
	}
	typed, err := formOf[In]()
	if err != nil {
		return fmt.Errorf("vetomcp: tool %q: %w", t.Name, err)
	}
	own, err := g.orNobody().accept(&tt, ofType, h == nil)
	if err != nil {
		return err
	}
	tt.InputSchema = own
	// The SDK makes a result of any value by the schema.
	mcp.AddTool(s, &tt, func(ctx context.Context, req *mcp.CallToolRequest, _ In) (*mcp.CallToolResult, any, error) {
		var in In
		var out any
		check := func(args json.RawMessage) error { return decode(typed, args, &in) }
		res, err := g.orNobody().serve(ctx, req, own.shape, check, func(ctx context.Context, req *mcp.CallToolRequest) (*mcp.CallToolResult, error) {
			res, o, err := h(ctx, req, in)
			if v := reflect.ValueOf(&o).Elem(); zero != nil && v.IsNil() {
				out = zero
			} else {
				out = o
			}
			return res, err
		})
		return res, out, err
	})
	return nil
}

// AddRawTool adds a tool with a handler of raw arguments to the server,
// guarded, in the manner of the method AddTool of mcp.Server. t is not kept. The
// errors are those of [AddTool].
func AddRawTool(s *mcp.Server, g *Guard, t *mcp.Tool, h mcp.ToolHandler) error {
	tt := *t
	shape, err := g.orNobody().accept(t, nil, h == nil)
	if err != nil {
		return err
	}
	if t.InputSchema != nil { // else it panics
		tt.InputSchema = shape
	}
	s.AddTool(&tt, func(ctx context.Context, req *mcp.CallToolRequest) (*mcp.CallToolResult, error) {
		return g.orNobody().serve(ctx, req, shape.shape, nil, h)
	})
	return nil
}

// inferred are the schemas of types, by them. A server can be made for each
// request, and a cache of the SDK would keep each schema of each.
var inferred sync.Map

// schemaFor is the schema that the SDK infers for a type. Nobody changes it.
func schemaFor[T any]() (any, error) {
	t := reflect.TypeFor[T]()
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	if s, ok := inferred.Load(t); ok {
		return s, nil
	}
	if t == reflect.TypeFor[any]() {
		return &jsonschema.Schema{Type: "object"}, nil
	}
	s, err := jsonschema.ForType(t, &jsonschema.ForOptions{})
	if err == nil && s == nil {
		err = fmt.Errorf("the type %s has none", t)
	}
	if err != nil {
		return nil, err
	}
	shared, _ := inferred.LoadOrStore(t, s)
	return shared, nil
}

// accept checks a tool against the policies that are in force, and returns its
// input schema. ofType is that of its Go type, if it has one.
func (g *Guard) accept(t *mcp.Tool, ofType any, none bool) (*ownSchema, error) {
	own, err := owned(t)
	if err != nil {
		return nil, err
	}
	typed, err := schemaOf(ofType)
	if err != nil {
		return nil, fmt.Errorf("vetomcp: tool %q: input schema: %w", t.Name, err)
	}
	opts := &guard.Options[struct{}]{Parameters: own.shape.names()}
	if names := typed.names(); names != nil {
		names = slices.AppendSeq(names, maps.Keys(own.shape.properties))
		slices.Sort(names)
		opts.Parameters = slices.Compact(names)
	}
	if _, ok := g.dispatcher(t.Name); ok {
		opts.Parameters = nil // those of the inner tools are not known
	}
	var fn func(context.Context, json.RawMessage) (struct{}, error)
	if !none {
		fn = func(context.Context, json.RawMessage) (struct{}, error) { return struct{}{}, nil }
	}
	_, err = guard.Wrap(g.auth, g.name(t.Name), fn, opts)
	return own, err
}

// serve is a call of a guarded tool. What check refuses is none of the tool's.
func (g *Guard) serve(ctx context.Context, req *mcp.CallToolRequest, shape *schema, check func(json.RawMessage) error, h mcp.ToolHandler) (*mcp.CallToolResult, error) {
	args := frozen(req.Params.Arguments, shape)
	var wrong error
	if check != nil {
		wrong = check(args)
	}
	c, ctx := g.begin(ctx, req, req.Params.Name, args)
	switch {
	case !c.decided(ctx):
	case wrong == nil:
		return h(ctx, with(req, args, nil))
	default:
		var r mcp.CallToolResult
		r.SetError(wrong)
		return &r, nil
	}
	if wrong != nil {
		c.target.params = notJSON
	}
	return c.tool(ctx, req, args, h)
}

// frozen is a private copy of arguments, with the defaults of the schema.
func frozen(raw json.RawMessage, s *schema) json.RawMessage {
	return bytes.Clone(s.fill(raw))
}
