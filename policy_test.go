package veto_test

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/require"

	"github.com/useveto/veto-go"
)

// document returns a policy document with one policy.
func document(id string) string {
	return fmt.Sprintf("policies:\n- {id: %s, agentId: a, rules: [{type: tool_allowlist, tools: [%s]}]}\n", id, id)
}

func write(t *testing.T, dir, name, text string) string {
	t.Helper()
	file := filepath.Join(dir, name)
	require.NoError(t, os.WriteFile(file, []byte(text), 0o600))
	return file
}

func ids(set *veto.PolicySet) (all []string) {
	for _, p := range set.Policies {
		all = append(all, p.ID)
	}
	return all
}

func TestLoad(t *testing.T) {
	set, err := veto.Load("p.yaml", []byte(document("p")))
	require.NoError(t, err)
	require.Equal(t, []string{"p"}, ids(set))

	set, err = veto.Load("p.yaml", []byte("policies:\n- {id: p, agentId: a, rules: [{type: tool_alowlist, tools: [t]}]}\nagents: [{}]\n"))
	require.Nil(t, set)
	require.EqualError(t, err, `veto: policies cannot be used:
p.yaml:2:32: policies[0].rules[0].type: policy "p", rule "tool_alowlist[0]": there is no rule type "tool_alowlist"; did you mean "tool_allowlist"?
p.yaml:3:10: agents[0].id: id is missing`)
	var e *veto.LoadError
	require.ErrorAs(t, err, &e)
	require.Len(t, e.Faults, 2)
	f := e.Faults[0]
	require.Equal(t, "p.yaml 2 32 p tool_alowlist[0]", fmt.Sprint(f.File, " ", f.Line, " ", f.Column, " ", f.Policy, " ", f.Rule))
}

func TestLoadErrorOfManyFaultsIsShort(t *testing.T) {
	_, err := veto.Load("p.json", []byte(`{"policies":[`+strings.Repeat("1,", 200)+`1]}`))
	var e *veto.LoadError
	require.ErrorAs(t, err, &e)
	require.Len(t, e.Faults, 201)
	require.Equal(t, 51, strings.Count(err.Error(), "\n"))
	require.True(t, strings.HasSuffix(err.Error(), "\n(and 151 more)"))
}

func TestLoadFile(t *testing.T) {
	dir := t.TempDir()
	set, err := veto.LoadFile(write(t, dir, "p.yaml", document("p")))
	require.NoError(t, err)
	require.Equal(t, []string{"p"}, ids(set))

	_, err = veto.LoadFile(filepath.Join(dir, "none.yaml"))
	require.ErrorIs(t, err, fs.ErrNotExist)
	_, err = veto.LoadFile(dir)
	require.Error(t, err)

	// One byte past the bound is read, and refused.
	big := write(t, dir, "big.json", `{"policies":[]}`)
	require.NoError(t, os.Truncate(big, 64<<20+1))
	_, err = veto.LoadFile(big)
	require.ErrorContains(t, err, "64 MiB")
}

func TestLoadDir(t *testing.T) {
	dir := t.TempDir()
	_, err := veto.LoadDir(dir)
	require.ErrorIs(t, err, fs.ErrNotExist, "an empty directory is not a set that allows nothing")

	write(t, dir, "b.yml", document("b"))
	write(t, dir, "a.json", `[{"id":"a","agentId":"a","rules":[{"type":"tool_denylist","tools":["t"]}]}]`)
	write(t, dir, ".hidden.yaml", document("hidden"))
	write(t, dir, "notes.txt", "not a document")
	require.NoError(t, os.Mkdir(filepath.Join(dir, "sub.yaml"), 0o700))
	set, err := veto.LoadDir(dir)
	require.NoError(t, err)
	require.Equal(t, []string{"a", "b"}, ids(set))

	elsewhere := write(t, t.TempDir(), "x", document("linked"))
	if os.Symlink(elsewhere, filepath.Join(dir, "c.yaml")) == nil {
		set, err = veto.LoadDir(dir)
		require.NoError(t, err)
		require.Equal(t, []string{"a", "b", "linked"}, ids(set))
		require.NoError(t, os.Remove(elsewhere))
		_, err = veto.LoadDir(dir)
		require.ErrorIs(t, err, fs.ErrNotExist, "a link that leads nowhere is not skipped")
		require.NoError(t, os.Remove(filepath.Join(dir, "c.yaml")))
	}

	write(t, dir, "d.yaml", document("b"))
	_, err = veto.LoadDir(dir)
	require.ErrorContains(t, err, filepath.Join(dir, "d.yaml")+`:2:4: policies[0].id: policy "b": policy "b" is there twice; the first is at b.yml:2:4`)
}

func TestLoadFS(t *testing.T) {
	fsys := fstest.MapFS{
		"a.yaml":       {Data: []byte(document("a"))},
		"b.json":       {Data: []byte("lists: {}")},
		"more/c.yaml":  {Data: []byte(document("c"))},
		"more/d.other": {Data: []byte(document("d"))},
	}
	set, err := veto.LoadFS(fsys, "more/*", "a.yaml", "*.yaml")
	require.NoError(t, err)
	require.Equal(t, []string{"a", "c", "d"}, ids(set))
	_, err = veto.LoadFS(fsys, "a.yaml", "none/*")
	require.ErrorIs(t, err, fs.ErrNotExist)
	_, err = veto.LoadFS(fsys, "[")
	require.Error(t, err)
	_, err = veto.LoadFS(fsys)
	var e *veto.LoadError
	require.True(t, errors.As(err, &e), "without patterns b.json is read too, and it is no JSON")
	require.Equal(t, "b.json", e.Faults[0].File)
}

func TestSchemaIsTheCallers(t *testing.T) {
	require.Contains(t, string(veto.Schema()), "tool_allowlist")
	veto.Schema()[0] = 'x'
	require.True(t, bytes.HasPrefix(veto.Schema(), []byte("{")))
}

// Faults of conditions are reported beside the others.
func TestLoadReportsConditionsBesideOtherFaults(t *testing.T) {
	_, err := veto.Load("p.yaml", []byte(`policies:
  - id: p
    agentId: bot
    priority: 2000
    rules:
      - {type: tool_denylist, tools: [a], when: args.x >}
      - {type: parameter_constraint, tools: [a], parameters: {n: {expression: "value +"}}}
      - {type: sequence, sequence: {blockedBy: [{tools: [a], when: now > 1}]}}
      - {type: rate_limit}
`))
	for _, line := range []string{":4:", ":6:", ":7:", ":8:", ":9:"} {
		require.ErrorContains(t, err, "p.yaml"+line)
	}
}
