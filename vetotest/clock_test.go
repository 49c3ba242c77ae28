package vetotest_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/useveto/veto-go"
	"github.com/useveto/veto-go/rules"
	"github.com/useveto/veto-go/vetotest"
)

// TestClockBeginsAsForExamplesOfDocuments has a document whose rule tells the
// time, so that both clocks are read.
func TestClockBeginsAsForExamplesOfDocuments(t *testing.T) {
	const doc = `
policies:
  - id: p
    agentId: bot
    rules: [{type: tool_allowlist, tools: [t], when: now == timestamp("2024-01-01T12:00:00Z")}]
examples:
  - {call: {agent: bot, tool: t}, want: allowed}
`
	set, err := veto.Load("p.yaml", []byte(doc))
	require.NoError(t, err)
	p := vetotest.New(t, set, nil)
	p.Allows("bot", "t", nil)
	p.Allows("bot", "t", nil) // it stands still
	p.Advance(time.Nanosecond)
	p.Denies("bot", "t", nil)
}

func TestAt(t *testing.T) {
	p := vetotest.Load(t, "testdata/policies.yaml")
	p.Denies("report-bot", "export_report", nil, rules.CodeOutsideTimeWindow)
	p.At("2026-01-05T21:30:00Z") // half past ten in Berlin
	p.Allows("report-bot", "export_report", nil)
	p.At("2026-01-05T23:59:59+01:00")
	p.Allows("report-bot", "export_report", nil)
	p.Advance(time.Second)
	p.Denies("report-bot", "export_report", nil, rules.CodeOutsideTimeWindow)
	p.At("2026-01-05T22:00:00+01:00") // back
	p.Allows("report-bot", "export_report", nil)
	p.Advance(-time.Second)
	p.Denies("report-bot", "export_report", nil, rules.CodeOutsideTimeWindow)
}

func TestGoingBackFreesNothing(t *testing.T) {
	p := vetotest.Load(t, "testdata/policies.yaml")
	p.Allows("support-bot", "web.search", nil)
	p.Allows("support-bot", "web.search", nil)
	p.Advance(-time.Hour)
	p.Denies("support-bot", "web.search", nil, rules.CodeRateLimited)
	p.Advance(time.Hour + 59*time.Second)
	p.Denies("support-bot", "web.search", nil, rules.CodeRateLimited)
	p.Advance(time.Second)
	p.Allows("support-bot", "web.search", nil)
}

func TestBadTimeEndsTheTest(t *testing.T) {
	for _, text := range []string{"", "09:00", "2026-01-05", "2026-01-05 09:00:00"} {
		got := fatal(t, func(tb testing.TB) { vetotest.Load(tb, "testdata/policies.yaml").At(text) })
		require.Contains(t, got, "is no RFC 3339 time")
	}
}

// TestClockOfTheCaller is used, and not moved by the test.
func TestClockOfTheCaller(t *testing.T) {
	set, err := veto.LoadFile("testdata/policies.yaml")
	require.NoError(t, err)
	now := time.Date(2026, 1, 5, 21, 0, 0, 0, time.UTC)
	opts := &veto.Options{Now: func() time.Time { return now }}
	p := vetotest.New(t, set, opts)
	p.Allows("report-bot", "export_report", nil)
	now = now.Add(-time.Second)
	p.Denies("report-bot", "export_report", nil, rules.CodeOutsideTimeWindow)
	const refused = "vetotest: the clock is that of Options.Now, and is not moved from here"
	require.Equal(t, refused, fatal(t, func(tb testing.TB) { vetotest.New(tb, set, opts).At("2026-01-05T21:30:00Z") }))
	require.Equal(t, refused, fatal(t, func(tb testing.TB) { vetotest.New(tb, set, opts).Advance(time.Second) }))
}
