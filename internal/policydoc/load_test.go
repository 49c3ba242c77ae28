package policydoc

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/useveto/veto-go/rules"
)

const allowRule = `{"type":"tool_allowlist","tools":["t"]}`

func row(id string) string {
	return `{"id":"` + id + `","agentId":"a","name":"n","projectId":null,"description":null,"priority":0,"enabled":true,"rules":[` + allowRule + `],"createdAt":"2025-01-01T00:00:00.000Z","updatedAt":"2025-01-01T00:00:00.000Z"}`
}

const toolRow = `{"id":"tp_1","toolName":"t","projectId":"p","mode":"deterministic","isActive":true,"version":3,"constraints":[],"createdAt":"2025-01-01T00:00:00.000Z","updatedAt":"2025-01-01T00:00:00.000Z"}`
const agentRow = `{"id":"agt_1","name":"n","description":null,"status":"active","createdAt":"2025-01-01T00:00:00.000Z","updatedAt":"2025-01-01T00:00:00.000Z"}`

func TestServiceForms(t *testing.T) {
	for _, c := range []struct {
		text                    string
		policies, tools, agents int
	}{
		{row("a"), 1, 0, 0},
		{toolRow, 0, 1, 0},
		{agentRow, 0, 0, 1},
		{`[` + row("a") + `,` + row("b") + `]`, 2, 0, 0},
		{`[` + toolRow + `,` + row("b") + `,` + agentRow + `]`, 1, 1, 1},
		{`[]`, 0, 0, 0},
		{`{"data":[],"pagination":{"limit":100,"offset":0,"count":0,"total":0}}`, 0, 0, 0},
		{`{"data":[` + row("a") + `],"pagination":{"limit":100,"offset":0,"count":1,"total":1}}`, 1, 0, 0},
		{`{"data":[` + agentRow + `],"pagination":{"total":1,"limit":50,"offset":0,"hasMore":false}}`, 0, 0, 1},
	} {
		set, faults := Decode("d.json", []byte(c.text))
		require.Empty(t, faults, c.text)
		require.Equal(t, []int{c.policies, c.tools, c.agents}, []int{len(set.Policies), len(set.ToolPolicies), len(set.Agents)}, c.text)
		require.Equal(t, c.agents > 0, set.Agents != nil)
	}
	for text, want := range map[string]string{
		`[` + row("a") + "," + toolRow + ",\n" + row("a") + `]`:               `d.json:2:2: [2].id: policy "a": policy "a" is there twice; the first is at d.json:1:3`,
		`{"id":"a","agentId":"x*y","rules":[` + allowRule + `]}`:              `d.json:1:11: agentId: policy "a": the agent of a policy "x*y" has a "*" that is not its end; write an exact name, or a prefix that ends in one "*"`,
		`{"id":"a","agentId":"x","rules":[{"type":"tool_allowlist"}]}`:        `d.json:1:34: rules[0].tools: policy "a", rule "tool_allowlist[0]": a rule of type tool_allowlist must name tools; "*" names all`,
		`{"data":[` + row("") + `],"pagination":{"total":1}}`:                 `d.json:1:11: data[0].id: the text is empty; leave the field out, or give a text`,
		`{"data":[` + row("a") + `],"pagination":{"total":2}}`:                `d.json:1:253: pagination.total: the total is 2, and here are 1 rows; load all pages as one array`,
		`{"data":[` + row("a") + `],"pagination":{"total":1,"hasMore":true}}`: `d.json:1:263: pagination.hasMore: there are more rows than these; load all pages as one array`,
		`{"data":[` + row("a") + `]}`:                                         `d.json:1:1: pagination: without pagination nothing says that the list is complete; load the policies themselves, as an array`,
		`{"data":[],"pagination":{}}`:                                         `d.json:1:12: pagination.total: without a total nothing says that the list is complete; load the policies themselves, as an array`,
		`{"data":[],"pagination":{"total":0},"more":1}`:                       `d.json:1:37: more: there is no field "more" here`,
		`{"data":{},"pagination":{"total":0}}`:                                `d.json:1:2: data: data is no array`,
		`[` + toolRow + `,{"toolName":"u","mode":"llm"}]`:                     `d.json:1:209: [1].mode: policy "tool:u": mode llm is decided by the service only; deterministic is the one that is decided here`,
		`[7]`: `d.json:1:2: [0]: this must be an object, not a number`,
	} {
		require.Equal(t, []string{want}, faultsOf(t, "d.json", text), text)
	}
}

// A page of a longer list is fewer restrictions than were written.
func TestAttack_G7a_PageOfALongerList(t *testing.T) {
	page := func(pagination string) string { return `{"data":[` + row("a") + `],"pagination":` + pagination + `}` }
	require.Empty(t, faultsOf(t, "d.json", page(`{"total":1}`)))
	for _, p := range []string{`{"limit":1,"offset":0,"count":1,"total":250}`, `{"total":1,"hasMore":true}`, `{"total":"1"}`, `{"total":1e30}`, `{"total":1.5}`, `{"limit":100}`, `{}`, `null`, `[]`} {
		require.NotEmpty(t, faultsOf(t, "d.json", page(p)), p)
	}
}

func load(t *testing.T, check Check, texts ...string) (*rules.PolicySet, []string) {
	var files []File
	for i, text := range texts {
		files = append(files, File{Name: string(rune('a'+i)) + ".yaml", Data: []byte(text)})
	}
	set, faults := Load(files, check)
	var all []string
	for _, f := range faults {
		all = append(all, f.Error())
	}
	return set, all
}

func TestSeveralFilesAreOneSet(t *testing.T) {
	set, faults := load(t, nil,
		"lists: {staff: [x]}\nstrictGrant: true\n",
		"agents: []\n",
		"version: 1\npolicies: ["+row("p")+", "+row("q")+"]\n",
		row("r"),
		"["+toolRow+"]",
	)
	require.Empty(t, faults)
	require.True(t, set.StrictGrant)
	require.Equal(t, 1, *set.Version)
	require.NotNil(t, set.Agents, "a file that lists no agents denies them all")
	require.Equal(t, "r", set.Policies[2].ID)
	require.Len(t, set.ToolPolicies, 1)
	require.Contains(t, set.Lists, "staff")
}

func TestFaultsOfSeveralFiles(t *testing.T) {
	_, faults := load(t, nil,
		"policies: ["+row("p")+"]\nlists: {l: [x]}\n",
		"version: 2\npolicies:\n- "+row("q")+"\n- "+row("p")+"\nlists: {m: [], l: [y]}\n",
		"version: 1\npolicies: []\nagents: [{id: a}]",
		"["+agentRow+",{id: a, status: active}]",
		"policies: [",
		"{}",
	)
	require.Equal(t, []string{
		`b.yaml:1:1: version: version 2 is not known; the version of this format is 1`,
		`b.yaml:4:4: policies[1].id: policy "p": policy "p" is there twice; the first is at a.yaml:1:13`,
		`b.yaml:5:16: lists.l: list "l" is defined in two files; the other is a.yaml`,
		`d.yaml:1:144: [1].id: agent "a" is there twice; the first is at c.yaml:3:11`,
		`e.yaml:1:1: this is not valid YAML: did not find expected node content; the block that begins here is not closed, or a line of it is indented wrongly`,
		`f.yaml:1:1: the document says nothing`,
	}, faults)

	_, faults = load(t, nil, "lists: {l: []}", "examples: []")
	require.Equal(t, []string{"a.yaml:1:1: the document has neither agents nor policies nor toolPolicies; policies: [] says that there are none"}, faults)
	_, faults = load(t, nil)
	require.Equal(t, []string{"there are no policy documents"}, faults)
}

// What follows from a fault is not reported beside it.
func TestNoFollowingFaults(t *testing.T) {
	_, faults := load(t, nil,
		"policies: [{id: p, agentId: a, rules: [{type: parameter_constraint, parameters: {x: {inList: staff}}}]}]",
		"lists: {staff: [",
	)
	require.Equal(t, []string{"b.yaml:1:1: this is not valid YAML: did not find expected node content; the block that begins here is not closed, or a line of it is indented wrongly"}, faults)
}

func TestCheck(t *testing.T) {
	asked := 0
	check := func(set *rules.PolicySet) []rules.Fault {
		asked++
		return []rules.Fault{{Path: "policies[1].rules[0].when", Policy: "q", Rule: "x", Message: "no"}, {Path: "examples[0]", Message: "differs"}}
	}
	_, faults := load(t, check, "policies: ["+row("p")+"]", "["+row("q")+"]", "examples: [{call: {agent: a, tool: t},\n want: denied}]")
	require.Equal(t, []string{
		`b.yaml:1:110: [0].rules[0].when: policy "q", rule "x": no`,
		`c.yaml:1:12: examples[0]: differs`,
	}, faults)
	require.Equal(t, 1, asked)
	_, faults = load(t, check, "policies: 1")
	require.Len(t, faults, 1)
	require.Equal(t, 1, asked, "a set with faults is not compiled")
}
