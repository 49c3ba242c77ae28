package main

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"

	"github.com/useveto/veto-go"
)

// printer prints decisions as they are made.
type printer interface {
	print(line int, c *call, r veto.Result) error
	end(badLines int)
}

// jsonLines prints results and nothing else.
type jsonLines struct{ out io.Writer }

func (p *jsonLines) print(_ int, _ *call, r veto.Result) error {
	return json.NewEncoder(p.out).Encode(r)
}

func (p *jsonLines) end(int) {}

// table prints a line for each decision, and a summary. Columns have fixed
// widths, for the lines that come are not known yet.
type table struct {
	out      io.Writer
	outcomes [3]int
	codes    map[veto.Code]int
}

const row = "%4s  %-9s  %-11s  %-18s  %s\n"

func (t *table) print(line int, c *call, r veto.Result) error {
	if t.codes == nil {
		t.codes = make(map[veto.Code]int)
		fmt.Fprintf(t.out, row, "LINE", "DECISION", "AGENT", "TOOL", "WHY")
	}
	t.outcomes[r.Outcome]++
	t.codes[r.Code]++
	_, err := fmt.Fprintf(t.out, row, strconv.Itoa(line), r.Outcome, show(c.AgentID), show(c.Tool), why(r))
	return err
}

// why is the reason, the rule behind it and what else there is to say.
func why(r veto.Result) string {
	var b strings.Builder
	b.WriteString(r.Reason.String())
	if r.MatchedPolicyID != "" {
		fmt.Fprintf(&b, " [%s %s]", r.MatchedPolicyID, r.MatchedRuleID)
	}
	if r.RetryAfter > 0 {
		fmt.Fprintf(&b, ", again in %s", r.RetryAfter.Round(time.Second))
	}
	for _, s := range r.Shadow {
		fmt.Fprintf(&b, ", shadow policy %s: %s", s.PolicyID, s.Outcome)
	}
	return b.String()
}

func (t *table) end(badLines int) {
	total := 0
	for _, n := range t.outcomes {
		total += n
	}
	fmt.Fprintf(t.out, "\n%s: %d allowed, %d denied, %d escalated\n", count(total, "call"),
		t.outcomes[veto.Allowed], t.outcomes[veto.Denied], t.outcomes[veto.Escalated])
	codes := make([]veto.Code, 0, len(t.codes))
	for c := range t.codes {
		codes = append(codes, c)
	}
	slices.SortFunc(codes, func(a, b veto.Code) int {
		return cmp.Or(cmp.Compare(t.codes[b], t.codes[a]), cmp.Compare(a, b))
	})
	for _, c := range codes {
		fmt.Fprintf(t.out, "%6d  %s\n", t.codes[c], c)
	}
	if badLines > 0 {
		fmt.Fprintf(t.out, "%s not understood and not decided\n", count(badLines, "line"))
	}
}

func count(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

// show is a text of the input that is safe on a terminal, and short.
func show(s string) string {
	if s == "" {
		return "(none)"
	}
	if strings.ContainsFunc(s, func(r rune) bool { return !unicode.IsPrint(r) }) {
		s = strconv.QuoteToASCII(s)
	}
	const most = 40
	if r := []rune(s); len(r) > most {
		s = string(r[:most-1]) + "…"
	}
	return s
}
