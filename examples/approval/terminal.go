package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/useveto/veto-go/approval"
)

// terminal is an Approver that asks a person at a terminal. One for a chat
// looks the same: it sends the ticket, and waits for the answer or for ctx.
type terminal struct {
	lines <-chan string // of the person; closed at the end of the input
	out   io.Writer
	by    string
}

// newTerminal reads lines from in for as long as the program runs: a read
// cannot be called off when the time of a ticket is over, but waiting for it
// can.
func newTerminal(in io.Reader, out io.Writer, by string) *terminal {
	lines := make(chan string)
	go func() {
		defer close(lines)
		for s := bufio.NewScanner(in); s.Scan(); {
			lines <- s.Text()
		}
	}()
	return &terminal{lines, out, by}
}

// Ask shows the ticket and waits for y or n. Everything else is no answer: an
// error leaves the ticket pending.
func (t *terminal) Ask(ctx context.Context, ticket approval.Ticket) (approval.Answer, error) {
	fmt.Fprintf(t.out, "\n  %s wants to call %s with\n  %s\n", show(ticket.Agent), show(ticket.Tool), show(string(ticket.Parameters)))
	if ticket.User != "" {
		fmt.Fprintf(t.out, "  for %s\n", show(ticket.User))
	}
	fmt.Fprintf(t.out, "  because of policy %q, until %s\n  %s\n", ticket.PolicyID, ticket.Expires.Local().Format(time.TimeOnly), show(ticket.Message))
	for {
		fmt.Fprint(t.out, "  Approve this one call? [y/n] ")
		select {
		case <-ctx.Done():
			fmt.Fprintln(t.out, "too late")
			return approval.Answer{}, context.Cause(ctx)
		case line, ok := <-t.lines:
			if !ok {
				fmt.Fprintln(t.out)
				return approval.Answer{}, errors.New("the input has ended")
			}
			switch strings.ToLower(strings.TrimSpace(line)) {
			case "y", "yes":
				return approval.Answer{Approve: true, By: t.by}, nil
			case "n", "no":
				return approval.Answer{By: t.by}, nil
			}
		}
	}
}

// show is text that a model may have written, as it is safe to look at: with
// nothing in it that moves the cursor, or hides or turns around what one reads.
func show(s string) string {
	if !utf8.ValidString(s) || strings.ContainsFunc(s, func(r rune) bool { return !unicode.IsPrint(r) }) {
		return strconv.QuoteToASCII(s)
	}
	return s
}

// always is an Approver that asks nobody.
type always struct{ answer approval.Answer }

func (a always) Ask(context.Context, approval.Ticket) (approval.Answer, error) { return a.answer, nil }
