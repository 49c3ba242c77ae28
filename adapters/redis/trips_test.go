package vetoredis_test

import (
	"context"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	goredis "github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"

	"github.com/useveto/veto-go"
	vetoredis "github.com/useveto/veto-go/adapters/redis"
)

// counting is a hook that counts what a client sends.
type counting struct {
	mu   sync.Mutex
	sent []string
}

func (c *counting) DialHook(next goredis.DialHook) goredis.DialHook {
	return func(ctx context.Context, network, addr string) (net.Conn, error) { return next(ctx, network, addr) }
}

func (c *counting) ProcessHook(next goredis.ProcessHook) goredis.ProcessHook {
	return func(ctx context.Context, cmd goredis.Cmder) error {
		c.mu.Lock()
		c.sent = append(c.sent, cmd.Name())
		c.mu.Unlock()
		return next(ctx, cmd)
	}
}

func (c *counting) ProcessPipelineHook(next goredis.ProcessPipelineHook) goredis.ProcessPipelineHook {
	return next
}

// during returns what is sent while f runs.
func (c *counting) during(f func()) []string {
	c.sent = nil
	f()
	return c.sent
}

const everything = `
policies:
  - id: p
    agentId: "*"
    rules:
      - {type: tool_allowlist, tools: ["*"]}
      - {type: tool_denylist, tools: [never]}
      - {type: rate_limit, tools: [pay, read, one], rateLimit: {maxCalls: 100, windowSeconds: 60}}
      - {type: rate_limit, tools: [pay], rateLimit: {maxCalls: 100, windowSeconds: 60, algorithm: token_bucket}}
      - {type: budget, tools: [pay], budget: {parameter: amount, max: 100, perSession: true}}
      - {type: budget, tools: [pay], budget: {distinct: to, max: 10, windowSeconds: 60}}
      - {type: sequence, tools: [pay], sequence: {requires: [{tools: [read]}]}}
`

// A decision is one command; one on which no limit stands is none. The server
// is asked as often.
func TestOneRoundTrip(t *testing.T) {
	s := start(t, durable...)
	client, hook := s.client(t), &counting{}
	client.AddHook(hook)
	store, err := vetoredis.New(ctx, client, &vetoredis.Options{Timeout: 10 * time.Second})
	require.NoError(t, err)
	a := authorizer(t, store, everything, nil)
	call := func(session, tool string) error {
		_, err := a.Decide(ctx, veto.Call{AgentID: "bot", Tool: tool, Session: session, Parameters: map[string]any{"amount": 1, "to": "x"}})
		return err
	}
	require.Equal(t, []string{"evalsha", "info", "config", "eval"}, hook.during(func() { require.NoError(t, a.OpenSession(ctx, "", "s")) }),
		"a server that was not used yet is checked")
	one := []string{"evalsha"}
	server := func() int {
		text := s.client(t).Info(ctx, "commandstats").Val()
		_, text, _ = strings.Cut(text, "cmdstat_evalsha:calls=")
		n := 0
		for _, c := range text {
			if c < '0' || c > '9' {
				break
			}
			n = 10*n + int(c-'0')
		}
		return n
	}
	before := server()
	for _, tool := range []string{"read", "pay", "pay", "one"} {
		require.Equal(t, one, hook.during(func() { require.NoError(t, call("s", tool)) }), tool)
	}
	require.Equal(t, one, hook.during(func() { require.Error(t, call("unknown", "pay")) }))
	require.Equal(t, one, hook.during(func() { require.NoError(t, call("", "one")) }))
	require.Equal(t, before+6, server())
	for range 10 {
		require.Empty(t, hook.during(func() { require.NoError(t, call("", "free")) }))
		require.Empty(t, hook.during(func() { require.Error(t, call("s", "never")) }))
	}
	require.Equal(t, before+6, server())
	require.Equal(t, one, hook.during(func() {
		_, err := a.Usage(ctx, veto.Call{AgentID: "bot", Tool: "pay", Session: "s", Parameters: map[string]any{"amount": 1, "to": "x"}})
		require.NoError(t, err)
	}))
}
