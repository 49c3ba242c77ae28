package main

import (
	"context"

	"github.com/useveto/veto-go"
	"github.com/useveto/veto-go/audit"
)

func newVeto(s size) *veto.Authorizer {
	set, err := veto.Load("bench.json", s.document())
	if err != nil {
		panic(err)
	}
	a, err := veto.New(set, &veto.Options{Sink: audit.Discard})
	if err != nil {
		panic(err)
	}
	return a
}

func vetoEngine(s size) engine {
	a, ctx := newVeto(s), context.Background()
	return engine{"veto", func(c *call) bool {
		r, _ := a.Authorize(ctx, c.agent, c.tool, c.params)
		return r.Allowed
	}}
}
