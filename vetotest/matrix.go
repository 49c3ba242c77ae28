package vetotest

import (
	"cmp"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"text/tabwriter"

	"github.com/useveto/veto-go"
)

// Matrix checks a table of calls, one a line:
//
//	agent  tool  session=ID  parameters  | outcome  code
//
// Agents and tools have no space in them here. Parameters are a JSON object,
// or nothing. Before them may stand project=ID, session=ID and user=ID, in this
// order, each in the place of what With said; sessions are opened as by With,
// before the first call of the table. The outcome is allowed, denied or escalated. A code may follow,
// or several, of which one will do; without one, a denial is as Denies has it.
// Empty lines, lines that begin with # and the titles above are passed over. A
// table with a line that cannot be read, or without calls, ends the test.
//
// The calls are decided in order, and count. Where some come out differently,
// one report shows the whole table, and then those calls as other checks do.
func (p *Policies) Matrix(table string) {
	p.tb.Helper()
	rows, err := parse(table)
	if err != nil {
		p.tb.Fatalf("vetotest: Matrix: %v", err)
	}
	var b, details strings.Builder
	w := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	fmt.Fprint(w, "\tagent\ttool\tparameters\t| want\t| got\n")
	failed := 0
	checks := make([]*Policies, len(rows))
	for i, r := range rows {
		checks[i] = p.of(r.of(p.identity))
	}
	for i, r := range rows {
		d := checks[i].decide(r.agent, r.tool, r.params, r.want)
		mark := "ok"
		if !d.ok() {
			mark = "FAIL"
			failed++
			fmt.Fprintf(&details, "\nline %d: %s\n", r.line, d)
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t| %s\t| %s\n", mark, r.agent, r.tool, r.words+show(r.params), r.want, answer(&d.got))
	}
	if failed > 0 {
		w.Flush()
		p.tb.Errorf("%d of %d calls are not decided as wanted\n%s%s", failed, len(rows), b.String(), details.String())
	}
}

// row is one call of a Matrix.
type row struct {
	line                int // of the table, from 1
	agent, tool, params string
	words               string // such as "session=ID "
	project             string
	session, user       string
	want                want
}

// of returns an identity with what the row says in its place.
func (r *row) of(identity veto.Call) veto.Call {
	identity.Project = cmp.Or(r.project, identity.Project)
	identity.Session = cmp.Or(r.session, identity.Session)
	identity.User = cmp.Or(r.user, identity.User)
	return identity
}

var (
	// The last bar ends the call: there may be others in its parameters. They
	// begin with a brace, and names do not, so that a line which lacks a name
	// is not read as another call.
	rowForm = regexp.MustCompile(`^([^\s{]\S*)\s+([^\s{]\S*)((?:\s+project=(\S+))?(?:\s+session=(\S+))?(?:\s+user=(\S+))?)\s*(|\{.*)\|\s*([^\s|]+)([^|]*)$`)
	titles  = regexp.MustCompile(`^agent\s+tool\b.*\|\s*outcome\b`)
)

// parse reads a table. The error has every line that cannot be read.
func parse(table string) (rows []row, faults error) {
	for i, text := range strings.Split(table, "\n") {
		text = strings.TrimSpace(text)
		if text == "" || text[0] == '#' || titles.MatchString(text) {
			continue
		}
		r, err := parseRow(text)
		if err != nil {
			faults = errors.Join(faults, fmt.Errorf("line %d: %w: %s", i+1, err, text))
		}
		r.line = i + 1
		rows = append(rows, r)
	}
	if rows == nil {
		return nil, errors.New("the table has no calls")
	}
	return rows, faults
}

func parseRow(text string) (r row, err error) {
	m := rowForm.FindStringSubmatch(text)
	if m == nil {
		return r, errors.New("this is not an agent, a tool, perhaps project=ID, session=ID or user=ID, perhaps {parameters}, a bar and an outcome")
	}
	r.agent, r.tool, r.params = m[1], m[2], strings.TrimSpace(m[7])
	for _, word := range strings.Fields(m[3]) {
		r.words += word + " "
	}
	r.project, r.session, r.user = m[4], m[5], m[6]
	err = r.want.outcome.UnmarshalText([]byte(m[8]))
	for _, word := range strings.Fields(m[9]) {
		var c veto.Code
		err = cmp.Or(err, c.UnmarshalText([]byte(word)))
		r.want.codes = append(r.want.codes, c)
	}
	return r, err
}
