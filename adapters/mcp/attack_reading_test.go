package vetomcp

import (
	"context"
	"encoding/json"
	"testing"

	"github.com/modelcontextprotocol/go-sdk/mcp"
	"github.com/stretchr/testify/require"

	"github.com/useveto/veto-go"
)

// plainFile is a file that somebody else's method reads.
type plainFile struct {
	Path string     `json:"path"`
	Data []byte     `json:"data"`
	Pair *[2]string `json:"pair"`
	Size float64    `json:"size"`
}

// aliased reads itself as most types do that have a method for it, so
// encoding/json reads it, and not the SDK.
type aliased plainFile

func (a *aliased) UnmarshalJSON(data []byte) error { return json.Unmarshal(data, (*plainFile)(a)) }

// optional is a file or none.
type optional struct {
	file plainFile
	set  bool
}

func (o *optional) UnmarshalJSON(data []byte) error {
	o.set = true
	return json.Unmarshal(data, &o.file)
}

// B1, B3: a type that reads itself is not read with the care of the SDK, and
// some of what the SDK reads is another value to a decision.
func TestAttack_B1_WhatTypesReadOtherwise(t *testing.T) {
	type in struct {
		plainFile
		Aliased  *aliased             `json:"aliased"`
		Optional map[string]*optional `json:"optional"`
		Exact    json.Number          `json:"exact"`
		N        int                  `json:"n"`
	}
	for raw, want := range map[string]bool{
		`{"n":1e1}`: true,
		`{"path":"/tmp/a","data":"YWI=","pair":["a","b"],"size":0.1,"exact":1}`: true,
		`{"PATH":"of nobody","n":1e1}`:                                          true,
		`{"data":"YWJ="}`:                                                       false,
		`{"data":"YW\nI="}`:                                                     false,
		`{"data":[97]}`:                                                         false,
		`{"pair":["a","b","c"]}`:                                                false,
		`{"pair":["a"]}`:                                                        false,
		`{"size":99.99999999999999999999}`:                                      false,
		`{"exact":"1"}`:                                                         false,

		`{"aliased":{"path":"/tmp/a","data":"YWI=","pair":["a","b"],"size":0.1}}`: true,
		`{"aliased":{"PATH":"/etc/passwd"}}`:                                      false,
		`{"aliased":{"data":"YWJ="}}`:                                             false,
		`{"aliased":{"pair":["a","b","c"]}}`:                                      false,
		`{"aliased":{"size":99.99999999999999999999}}`:                            false,

		`{"optional":{"k":{"path":"/tmp/a","size":0.1}}}`:               true,
		`{"optional":{"k":{"PATH":"/etc/passwd"}}}`:                     false,
		`{"optional":{"k":{"size":99.99999999999999999999}}}`:           false,
		`{"optional":{"k":{"data":"YWJ="}},"n":1e1,"PATH":"of nobody"}`: false,
	} {
		var v in
		err := decodes(t, raw, &v)
		require.Equal(t, want, err == nil, raw)
		require.False(t, v.Aliased != nil && v.Aliased.Path == "/etc/passwd")
		require.False(t, v.Optional["k"] != nil && v.Optional["k"].set && v.Optional["k"].file.Path == "/etc/passwd")
	}
	var v aliased
	require.Error(t, decodes(t, `{"PATH":"/etc/passwd"}`, &v))
	require.NoError(t, decodes(t, `{"path":"/tmp/a"}`, &v))
	require.Equal(t, "/tmp/a", v.Path)
}

// B3: what the SDK would decode a second time, or take for one key with
// another, is found when the tool is added.
func TestAttack_B3_TypesThatAreReadInSeveralWays(t *testing.T) {
	set, err := veto.Load("policies.yaml", []byte(`policies: [{id: p, agentId: bot, rules: [{type: tool_allowlist, tools: ["*"]}]}]`))
	require.NoError(t, err)
	a, err := veto.New(set, nil)
	require.NoError(t, err)
	g, err := New(a, &Options{Agent: "bot"})
	require.NoError(t, err)
	unaddable[struct {
		Amount int64 `json:"amount,string"`
	}](t, g, `the field Amount of struct`)
	unaddable[struct{ In []map[int]string }](t, g, "let the keys be strings")
	unaddable[struct{ Path, PATH string }](t, g, `the parameters "Path" and "PATH" of struct { Path string; PATH string } differ in case only, so every decision refuses them; rename one`)
}

func unaddable[In any](t *testing.T, g *Guard, why string) {
	t.Helper()
	s := mcp.NewServer(&mcp.Implementation{Name: "test", Version: "1"}, nil)
	for range 2 {
		err := AddTool(s, g, &mcp.Tool{Name: "read", InputSchema: json.RawMessage(`{"type":"object"}`)}, func(context.Context, *mcp.CallToolRequest, In) (*mcp.CallToolResult, any, error) {
			return nil, nil, nil
		})
		require.ErrorContains(t, err, `vetomcp: tool "read": `)
		require.ErrorContains(t, err, why)
	}
}
