package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"flag"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/useveto/veto-go"
)

var update = flag.Bool("update", false, "rewrite the golden file")

// start runs the program.
func start(stdin string, args ...string) (status int, stdout, stderr string) {
	var out, errs strings.Builder
	status = run(args, strings.NewReader(stdin), &out, &errs)
	return status, out.String(), errs.String()
}

func TestDefaultsPrintTheGoldenTable(t *testing.T) {
	status, out, errs := start("")
	require.Zero(t, status)
	require.Empty(t, errs)
	golden := filepath.Join("testdata", "table.txt")
	if *update {
		require.NoError(t, os.WriteFile(golden, []byte(out), 0o666))
	}
	want, err := os.ReadFile(golden)
	require.NoError(t, err)
	require.Equal(t, strings.ReplaceAll(string(want), "\r\n", "\n"), out)
}

// TestFilesAreTheDefaults runs on the files by name, in both forms.
func TestFilesAreTheDefaults(t *testing.T) {
	_, want, _ := start("")
	calls, err := os.ReadFile("calls.jsonl")
	require.NoError(t, err)
	status, out, _ := start(string(calls), "-policies", "policies.yaml", "-calls", "-")
	require.Zero(t, status)
	require.Equal(t, want, out)
	status, out, _ = start("", "-calls", "calls.jsonl")
	require.Zero(t, status)
	require.Equal(t, want, out)
}

// TestPoliciesAreAnExample: what people copy is what the linter advises.
func TestPoliciesAreAnExample(t *testing.T) {
	found, err := veto.LintFile("policies.yaml", nil)
	require.NoError(t, err)
	for _, f := range found {
		require.Equal(t, "note", f.Severity, f.String())
	}
}

func TestJSONIsOneResultALine(t *testing.T) {
	status, out, errs := start("", "-json")
	require.Zero(t, status)
	require.Empty(t, errs)
	type result struct {
		Allowed         bool    `json:"allowed"`
		Outcome         string  `json:"outcome"`
		Code            string  `json:"code"`
		MatchedPolicyID *string `json:"matchedPolicyId"`
		EvaluatedAt     string  `json:"evaluatedAt"`
		RetryAfterMs    int64   `json:"retryAfterMs"`
	}
	var results []result
	for s := bufio.NewScanner(strings.NewReader(out)); s.Scan(); {
		var r result
		require.NoError(t, json.Unmarshal(s.Bytes(), &r), s.Text())
		results = append(results, r)
	}
	require.Len(t, results, strings.Count(defaultCalls, "\n"))
	policy := "support-reads"
	require.Equal(t, result{true, "allowed", "allowed", &policy, "2026-03-02T09:00:00.000Z", 0}, results[0])
	require.Equal(t, result{false, "denied", "rate_limited", &policy, "2026-03-02T09:00:40.000Z", 20_000}, results[8])
	require.Equal(t, result{false, "denied", "default_deny", nil, "2026-03-02T09:11:00.000Z", 0}, results[28])
}

// TestBadLinesDoNotStopTheRest has a good call between bad lines.
func TestBadLinesDoNotStopTheRest(t *testing.T) {
	const good = `{"agent":"support-bot","tool":"get_order"}`
	for _, c := range []struct{ line, fault string }{
		{`{"agent":"support-bot",`, `no JSON: `},
		{`[]`, `no JSON object`},
		{`null`, `no JSON object`},
		{good + `{}`, `something follows the JSON object`},
		{good + ` x`, `something follows the JSON object`},
		{`{"agent":"support-bot","agentId":"support-bot","tool":"get_order"}`, `"agent" is there twice`},
		{`{"agent":"old-bot","agent":"support-bot","tool":"get_order"}`, `"agent" is there twice`},
		{`{"\u0061gent":"old-bot","agent":"support-bot","tool":"get_order"}`, `"agent" is there twice`},
		{`{"tool":"get_order","toolName":"get_order"}`, `"tool" is there twice`},
		{`{"tool":"get_order","parameters":{},"arguments":{}}`, `"parameters" is there twice`},
		{`{"tool":["get_order"]}`, `"tool" is no string`},
		{`{"agent":7}`, `"agent" is no string`},
		{`{"agent":"support-\ud800bot"}`, `"agent" is no valid text`},
		{"{\"agent\":\"support-\xffbot\"}", `"agent" is no valid text`},
		{`{"at":"yesterday"}`, `"at" is no RFC 3339 time`},
		{`{"at":""}`, `"at" is no RFC 3339 time`},
		{`{"at":1772442000}`, `"at" is no string`},
		{`{"tool":"` + strings.Repeat("x", maxLine) + `"}`, `longer than 1048576 bytes`},
		{`{"parameters":` + strings.Repeat("[", 100_000) + strings.Repeat("]", 100_000) + `}`, `no JSON: `},
	} {
		status, out, errs := start(good+"\n\n"+c.line+"\n"+good, "-json", "-calls", "-")
		require.Equal(t, 1, status, c.fault)
		require.Regexp(t, `^quickstart: line 3: .*`+c.fault+`.*\n$`, errs)
		require.Equal(t, 2, strings.Count(out, `{"allowed":true,`), c.fault)
		require.Equal(t, 2, strings.Count(out, "\n"), c.fault)
	}
	_, out, _ := start("x\n"+good, "-calls", "-")
	require.Contains(t, out, "\n1 call: 1 allowed, 0 denied, 0 escalated\n")
	require.Contains(t, out, "\n1 line not understood and not decided\n")
}

// TestNamesOfMembers has the other names, members that mean nothing, and some
// that only look like ones that mean something.
func TestNamesOfMembers(t *testing.T) {
	for _, c := range []struct{ line, code string }{
		{`{"agentId":"support-bot","toolName":"get_order","arguments":{"order_id":"A-1"}}`, "allowed"},
		{`{"agent":"support-bot","tool":"get_order","source":"log","n":[1,{}]}`, "allowed"},
		{`{"agent":"support-bot","tool":"get_order","project":null,"at":null,"parameters":null}`, "allowed"},
		{`{"agent":"support-bot","tool":"issue_refund","Parameters":{"order_id":"A-1001","amount":1,"currency":"EUR"}}`, "constraint_violated"},
		{`{"agent":"support-bot","TOOL":"get_order"}`, "invalid_request"},
		{`{"tool":"get_order"}`, "invalid_request"},
		{`{"agent":"","tool":"get_order"}`, "invalid_request"},
		{`{"agent":"support-bot","tool":"get_order","parameters":{"a":1,"a":2}}`, "invalid_request"},
		{`{"agent":"support-bot","tool":"get_order","parameters":[1]}`, "invalid_request"},
		{`{"agent":"support-bot","tool":"get_order","parameters":{"a":"\ud800"}}`, "invalid_request"},
	} {
		status, out, errs := start(c.line, "-json", "-calls", "-")
		require.Zero(t, status, errs)
		require.Contains(t, out, `"code":"`+c.code+`"`, c.line)
	}
}

func TestAgentOfLinesThatNameNone(t *testing.T) {
	const lines = `{"tool":"get_order"}
{"tool":"get_order","agent":null}
{"tool":"get_order","agent":"report-bot"}
{"tool":"get_order","agent":""}
`
	_, out, _ := start(lines, "-json", "-calls", "-", "-agent", "support-bot")
	var codes []string
	for line := range strings.Lines(out) {
		var r struct {
			Code string `json:"code"`
		}
		require.NoError(t, json.Unmarshal([]byte(line), &r))
		codes = append(codes, r.Code)
	}
	require.Equal(t, []string{"allowed", "allowed", "default_deny", "invalid_request"}, codes)
}

func TestTextOfTheInputIsSafeToPrint(t *testing.T) {
	_, out, _ := start(`{"agent":"bot\u001b[2J","tool":"get\u0007"}`+"\n"+`{"agent":"`+strings.Repeat("x", 99)+`"}`, "-calls", "-")
	require.NotContains(t, out, "\x1b")
	require.NotContains(t, out, "\x07")
	require.Contains(t, out, strings.Repeat("x", 39)+"… ")
	require.Contains(t, out, "(none)")
}

func TestWhatCannotBeUsed(t *testing.T) {
	bad := filepath.Join(t.TempDir(), "bad.yaml")
	require.NoError(t, os.WriteFile(bad, []byte("policies:\n- {id: p, agentId: a, rules: [{type: tool_allowlst, tools: [t]}]}\n"), 0o600))
	for _, c := range []struct {
		args []string
		want string
	}{
		{[]string{"-policies", bad}, `bad.yaml:2:32: policies\[0\].rules\[0\].type: .*did you mean "tool_allowlist"`},
		{[]string{"-policies", "none.yaml"}, `none.yaml`},
		{[]string{"-calls", "none.jsonl"}, `none.jsonl`},
		{[]string{"calls.jsonl"}, `unexpected argument "calls.jsonl"`},
		{[]string{"-polices", "x"}, `flag provided but not defined: -polices`},
	} {
		status, out, errs := start("", c.args...)
		require.Equal(t, 2, status, c.args)
		require.Empty(t, out)
		require.Regexp(t, c.want, errs)
	}
	status, _, errs := start("", "-h")
	require.Zero(t, status)
	require.Contains(t, errs, "-policies")
}

func TestAnswersDoNotWaitForTheNextCall(t *testing.T) {
	in, calls := io.Pipe()
	results, out := io.Pipe()
	status := make(chan int, 1)
	go func() {
		status <- run([]string{"-json", "-calls", "-"}, in, out, io.Discard)
		out.Close()
	}()
	answers := bufio.NewReader(results)
	for range 3 {
		_, err := io.WriteString(calls, `{"agent":"support-bot","tool":"get_order"}`+"\n")
		require.NoError(t, err)
		answer, err := answers.ReadString('\n')
		require.NoError(t, err)
		require.Contains(t, answer, `"allowed":true`)
	}
	require.NoError(t, calls.Close())
	_, err := answers.ReadByte()
	require.Equal(t, io.EOF, err)
	require.Zero(t, <-status)
}

func TestNobodyReadsTheOutput(t *testing.T) {
	status := run(nil, strings.NewReader(""), brokenWriter{}, io.Discard)
	require.Equal(t, 2, status)
}

type brokenWriter struct{}

func (brokenWriter) Write([]byte) (int, error) { return 0, errors.New("broken") }
