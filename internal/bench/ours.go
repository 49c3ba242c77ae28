package main

import (
	"context"

	"github.com/useveto/veto-go"
	"github.com/useveto/veto-go/audit"
)

// load returns an Authorizer for a document, which discards its records.
func load(document []byte) *veto.Authorizer {
	set, err := veto.Load("bench.json", document)
	must(err)
	a, err := veto.New(set, &veto.Options{Sink: audit.Discard})
	must(err)
	return a
}

func must(err error) {
	if err != nil {
		panic(err)
	}
}

func vetoEngine(s size) engine {
	a, ctx := load(s.document()), context.Background()
	return engine{"veto", func(c *call) bool {
		r, _ := a.Authorize(ctx, c.agent, c.tool, c.params)
		return r.Allowed
	}}
}
