package corpus

import (
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/require"
)

const head = `What it guards,
in two lines.

Section: 2.1 Rules
Section: 3.7 Consumption

-- policy.yaml --
policies:
  - {id: p, agentId: bot, rules: [{type: tool_allowlist, tools: [t]}, {type: rate_limit, rateLimit: {maxCalls: 1, windowSeconds: 60}}]}
  - {id: s, agentId: bot, shadow: true, rules: [{type: tool_denylist, tools: [t]}]}
lists: {people: []}
-- next.yaml --
policies: []
-- bad.yaml --
policies: [7]
`

const calls = `-- calls --
# a comment
@ 2024-05-01T10:00:00Z
bot t user=u {"a": "<<x*3>>"}
  allowed p tool_allowlist[0]
  shadow: s tool_denylist[0] denied tool_denied
  runs: yes
@ +20s
{"agent": "bot", "tool": "t", "hex": "7b 7d"}
  denied rate_limited p rate_limit[0]
  reason: Tool 't' exceeded 1 calls per 60 seconds
  retry: 40s
  shadow: s tool_denylist[0] denied tool_denied
  runs: no
bot t not JSON
  denied invalid_request
  json: {"allowed": false, "outcome": "denied", "code": "invalid_request", "matchedPolicyId": null, "reason": "Invalid request: parameters are not valid JSON", "evaluatedAt": "2024-05-01T10:00:20.000Z"}
! suspend bot
bot t
  denied agent_suspended
! resume bot
! refuse bad.yaml
! list people ann bob
! load next.yaml
bot t
  denied default_deny
`

func parse(t *testing.T, text string) *Case {
	t.Helper()
	c, err := Parse("topic/case", text)
	require.NoError(t, err)
	return c
}

func TestParse(t *testing.T) {
	c := parse(t, head+calls)
	require.Equal(t, "What it guards, in two lines.", c.Prose)
	require.Equal(t, []string{"2.1 Rules", "3.7 Consumption"}, c.Sections)
	require.Equal(t, []string{"policy.yaml"}, c.first())
	require.Equal(t, json.RawMessage(`{"a": "xxx"}`), c.steps[1].call.Parameters)
	require.Empty(t, c.Run())
}

// Whatever an answer says is compared: a case that says something else fails,
// at the line of the call.
func TestRunSaysWhatDiffers(t *testing.T) {
	text := head + calls
	for _, edit := range []struct{ old, new, want string }{
		{"  allowed p tool", "  denied tool_denied p tool", "topic/case.txtar:19: want denied tool_denied p tool_allowlist[0]"},
		{"allowed p tool_allowlist[0]", "allowed p tool_allowlist[1]", "got  allowed p tool_allowlist[0]"},
		{"allowed p tool_allowlist[0]", "allowed q tool_allowlist[0]", "want allowed q"},
		{"allowed p tool_allowlist[0]", "allowed p", "want allowed p\n"},
		{"denied rate_limited p", "denied tool_denied p", "want denied tool_denied"},
		{"denied rate_limited p rate_limit[0]", "escalated p rate_limit[0]", "want escalated p"},
		{"exceeded 1 calls", "exceeded 2 calls", "want the reason Tool 't' exceeded 2 calls"},
		{"retry: 40s", "retry: 41s", "want retry 41s, got 40s"},
		{"  shadow: s tool_denylist[0] denied tool_denied\n  runs: yes", "  runs: yes", "want the shadows"},
		{"denied tool_denied\n  runs: yes", "allowed allowed\n  runs: yes", "want the shadows"},
		{"runs: yes", "runs: no", "a guard runs the tool: true"},
		{`"allowed": false`, `"allowed": true`, `want {"allowed":true`},
		{"10:00:20.000Z", "10:00:21.000Z", `got  {"allowed":false`},
		{"! suspend bot", "! suspend rob", "want denied agent_suspended"},
		{"! suspend bot", "! suspend *", "want denied default_deny"},
		{"! refuse bad.yaml", "! load bad.yaml", "load bad.yaml: veto: policies cannot be used"},
		{"! load next.yaml", "! refuse next.yaml", "refuse next.yaml: <nil>"},
		{"! list people", "! list nobody", `no list "nobody"`},
		{"@ +20s", "@ +60s", "want denied rate_limited"},
		{"<<x*3>>", "<<x*70000>>", "got  denied invalid_request"},
	} {
		edited := strings.Replace(text, edit.old, edit.new, 1)
		require.NotEqual(t, text, edited, edit.old)
		require.Contains(t, strings.Join(parse(t, edited).Run(), "\n"), edit.want)
	}
	require.Contains(t, parse(t, strings.Replace(text, "tools: [t]", "tols: [t]", 1)).Run()[0], "tols")
}

func TestFaults(t *testing.T) {
	const bad = "What it guards.\n\nSection: 2 Documents\n\n-- policy.yaml --\npolicies:\n  - {id: p, agentId: bot, rules: []}\n  - {id: p, agentId: bot, rules: 5}\n-- faults --\n"
	const a, b, c = "policy.yaml:2: policies[0].rules: no rules\n", "policy.yaml:3: policies[1].id: twice\n", "policy.yaml:3: policies[1].rules: array\n"
	require.Empty(t, parse(t, bad+c+"# in any order\n"+a+b).Run())
	require.Len(t, parse(t, bad+a+b).Run(), 1, "a fault that is not expected")
	require.Len(t, parse(t, bad+a+b+c+c).Run(), 1, "a fault that is not there")
	for _, edit := range []struct{ old, new string }{{"yaml:2", "yaml:1"}, {"policy.yaml:2", "other.yaml:2"}, {"[0].rules", "[0].id"}, {"no rules", "many rules"}} {
		require.Len(t, parse(t, bad+strings.Replace(a, edit.old, edit.new, 1)+b+c).Run(), 2, edit.new)
	}
	good := strings.Replace(bad, "rules: []", "rules: [{type: tool_denylist, tools: [t]}]", 1)
	good = strings.Replace(good, "  - {id: p, agentId: bot, rules: 5}\n", "", 1)
	require.Equal(t, []string{"the documents should not load; the error is <nil>"}, parse(t, good+a).Run())
}

// A case that could not fail is refused.
func TestParseRefuses(t *testing.T) {
	const prose = "What it guards.\n\nSection: 2.1 Rules\n\n"
	const doc = "-- policy.yaml --\npolicies: []\n"
	const call = "bot t\n  denied default_deny\n"
	for text, want := range map[string]string{
		"Section: 2.1 Rules\n" + doc + "-- calls --\n" + call:                "does not say what it guards",
		"What it guards.\n" + doc + "-- calls --\n" + call:                   "names no section",
		prose + "-- calls --\n" + call:                                       "no policy document",
		prose + doc:                                                          "neither calls nor faults",
		prose + doc + "-- calls --\n# nothing\n":                             "neither calls nor faults",
		prose + doc + "-- calls --\n" + call + "-- faults --\na:1: b: c\n":   "or both",
		prose + doc + "-- cals --\n" + call:                                  "no such file",
		prose + doc + "-- calls -- \n" + call:                                "looks like the name of a file",
		prose + doc + doc + "-- calls --\n" + call:                           "two files policy.yaml",
		prose + doc + "-- options --\nstrict: true\n-- calls --\n" + call:    `no option "strict"`,
		prose + doc + "-- options --\nmode: loose\n-- calls --\n" + call:     "unknown mode",
		prose + doc + "-- calls --\nbot t\nbot u\n  denied default_deny\n":   "line 8: a call without an answer",
		prose + doc + "-- calls --\n  denied default_deny\n":                 "line 8: an answer without a call",
		prose + doc + "-- calls --\nbot\n  denied default_deny\n":            "an agent and a tool",
		prose + doc + "-- calls --\nbot t\n  refused\n":                      `"refused" is no outcome`,
		prose + doc + "-- calls --\nbot t\n  denied\n":                       "a denial has a code",
		prose + doc + "-- calls --\nbot t\n  allowed p r by me\n":            "more than a policy and a rule",
		prose + doc + "-- calls --\nbot t\n  allowed p\n  because: x\n":      `no "because"`,
		prose + doc + "-- calls --\nbot t\n  allowed p\n  runs: maybe\n":     "yes or no",
		prose + doc + "-- calls --\nbot t\n  allowed p\n  json: {\n":         "JSON",
		prose + doc + "-- calls --\n{\"agent\": \"bot\", \"tols\": 1}\n":     "unknown field",
		prose + doc + "-- calls --\n{\"hex\": \"7\"}\n":                      "hex",
		prose + doc + "-- calls --\n@ noon\n" + call:                         "cannot parse",
		prose + doc + "-- calls --\n! stop bot\n" + call:                     `no action "stop bot"`,
		prose + doc + "-- calls --\n! load next.yaml\n" + call:               "no file next.yaml",
		prose + doc + "-- faults --\npolicy.yaml: policies[0].id: missing\n": "does not begin with a file and a line",
		prose + doc + "-- faults --\npolicy.yaml:1: missing\n":               "no place, path and text",
	} {
		_, err := Parse("case", text)
		require.ErrorContains(t, err, want, text)
	}
	_, err := Load(fstest.MapFS{"a/b.txtar": {Data: []byte("What it guards.\n")}})
	require.ErrorContains(t, err, "a/b: it names no section")
}

// Every answer of every case is one that the case would miss: with another
// outcome in its place, the case fails there.
func TestEveryAnswerCounts(t *testing.T) {
	all, err := Load(os.DirFS("../../evaluator/testdata"))
	require.NoError(t, err)
	require.NotEmpty(t, all)
	for _, c := range all {
		var places []string
		for i := range c.steps {
			if c.steps[i].call == nil {
				continue
			}
			places = append(places, fmt.Sprintf("%s.txtar:%d: want", c.Name, c.steps[i].line))
			if a := &c.steps[i].answer; a.outcome == "allowed" {
				a.outcome = "escalated"
			} else {
				a.outcome = "allowed"
			}
		}
		differ := strings.Join(c.Run(), "\n")
		for _, place := range places {
			require.Contains(t, differ, place)
		}
	}
}
