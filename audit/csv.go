package audit

import (
	"bufio"
	"io"
	"strconv"
	"strings"
	"unicode"
)

var csvHeader = [...]string{"Timestamp", "Agent ID", "Tool", "Result", "Reason", "Latency (ms)", "Parameters"}

// WriteCSV writes records as CSV (RFC 4180), in their order, after a header
// line. It returns the first error of w.
//
// A cell that a spreadsheet might take for a formula is preceded by an
// apostrophe, which shows it as text. Every cell is quoted, so that none falls
// apart where a program splits lines at semicolons or tabs.
func WriteCSV(w io.Writer, records []*Record) error {
	out := bufio.NewWriter(w) // keeps the first error for Flush
	writeLine(out, csvHeader)
	for _, r := range records {
		r := r.Clone()
		writeLine(out, [len(csvHeader)]string{
			r.Timestamp.UTC().Format(timeLayout),
			disarm(r.AgentID), disarm(r.ToolName), r.Result.String(), disarm(r.Reason.String()),
			strconv.FormatFloat(milliseconds(r.Latency), 'f', 3, 64),
			disarm(r.Parameters.String()),
		})
	}
	return out.Flush()
}

func writeLine(out *bufio.Writer, cells [len(csvHeader)]string) {
	for i, c := range cells {
		if i > 0 {
			out.WriteByte(',')
		}
		out.WriteByte('"')
		out.WriteString(strings.ReplaceAll(c, `"`, `""`))
		out.WriteByte('"')
	}
	out.WriteString("\r\n")
}

// formulaSigns begin a formula in one spreadsheet or another: those that all
// know, with their full-width and small forms, which some read as the same;
// the bar and the percent sign of older programs; and the minus sign.
const formulaSigns = "=+-@" + "\uFF1D\uFF0B\uFF0D\uFF20" + "\uFE66\uFE62\uFE63\uFE6B" + "|%" + "\u2212"

// disarm puts an apostrophe before a text that begins with such a sign, white
// space and invisible characters aside, or with a tab or the end of a line.
func disarm(s string) string {
	seen := strings.TrimLeftFunc(s, func(r rune) bool {
		return unicode.IsSpace(r) || unicode.IsControl(r) || unicode.Is(unicode.Cf, r)
	})
	if s != "" && strings.ContainsRune("\t\r\n", rune(s[0])) || seen != "" && strings.ContainsRune(formulaSigns, first(seen)) {
		return "'" + s
	}
	return s
}

// first returns the first character of s, which is not empty.
func first(s string) rune {
	for _, r := range s {
		return r
	}
	return 0
}
