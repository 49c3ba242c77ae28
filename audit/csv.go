package audit

import (
	"encoding/csv"
	"io"
	"strconv"
	"strings"
	"unicode"
)

// WriteCSV writes records as CSV (RFC 4180), with a header line, in their
// order. A cell that a spreadsheet might take for a formula is preceded by an
// apostrophe, which shows it as text.
func WriteCSV(w io.Writer, records []*Record) error {
	out := csv.NewWriter(w)
	out.UseCRLF = true
	out.Write([]string{"Timestamp", "Agent ID", "Tool", "Result", "Reason", "Latency (ms)", "Parameters"})
	for _, r := range records {
		out.Write([]string{
			r.Timestamp.UTC().Format(timeLayout),
			cell(r.AgentID), cell(r.ToolName), r.Result.String(), cell(r.Reason.String()),
			strconv.FormatFloat(float64(r.Latency.Microseconds())/1e3, 'f', 3, 64),
			cell(string(r.Parameters.AppendJSON(nil))),
		})
	}
	out.Flush()
	return out.Error()
}

// cell disarms what a spreadsheet might run: a text that begins, white space
// and invisible characters aside, with a sign that begins formulas, also in
// its full-width form.
func cell(s string) string {
	rest := strings.TrimLeftFunc(s, func(r rune) bool {
		return unicode.IsSpace(r) || unicode.IsControl(r) || unicode.Is(unicode.Cf, r)
	})
	if strings.HasPrefix(s, "\t") || strings.HasPrefix(s, "\r") || strings.HasPrefix(s, "\n") {
		return "'" + s
	}
	for _, sign := range []string{"=", "+", "-", "@", "＝", "＋", "－", "＠", "|", "%"} {
		if strings.HasPrefix(rest, sign) {
			return "'" + s
		}
	}
	return s
}
