// Command quickstart decides a file of tool calls by a file of policies and
// prints what came out.
//
//	go run ./examples/quickstart
//	go run ./examples/quickstart -policies my.yaml -calls my.jsonl
//	some-agent | go run ./examples/quickstart -calls - -json
//
// Calls are JSON objects, one a line, with the members agent, tool and
// parameters, and where they are wanted project, session, user, context,
// callId and at. A call with an "at" is decided as of that time.
//
// The exit status is 0 when every line was a call, whatever was decided; 1
// when some line was not; 2 when nothing could be decided.
package main

import (
	"bufio"
	"context"
	_ "embed"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/useveto/veto-go"
)

// What is decided by default goes with the program, so that it runs in any
// directory.
var (
	//go:embed policies.yaml
	defaultPolicies []byte
	//go:embed calls.jsonl
	defaultCalls string
)

func main() {
	os.Exit(run(os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
}

// run is the program.
func run(args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	flags := flag.NewFlagSet("quickstart", flag.ContinueOnError)
	flags.SetOutput(stderr)
	policies := flags.String("policies", "", "the policy `file`, YAML or JSON (default: the example's own)")
	calls := flags.String("calls", "", "the `file` of calls, one a line, or - for the standard input (default: the example's own)")
	agent := flags.String("agent", "", "the agent of calls that name none")
	asJSON := flags.Bool("json", false, "print one result a line, as JSON, and nothing else")
	switch err := flags.Parse(args); {
	case errors.Is(err, flag.ErrHelp):
		return 0
	case err != nil:
		return 2
	case flags.NArg() > 0:
		fmt.Fprintf(stderr, "quickstart: unexpected argument %q\n", flags.Arg(0))
		return 2
	}

	set, err := load(*policies)
	if err != nil {
		fmt.Fprintln(stderr, err)
		return 2
	}
	// Calls are decided as of the time that they bear.
	var now time.Time
	a, err := veto.New(set, &veto.Options{Now: func() time.Time { return now }})
	if err != nil {
		fmt.Fprintln(stderr, err)
		return 2
	}
	in, err := open(*calls, stdin)
	if err != nil {
		fmt.Fprintln(stderr, "quickstart:", err)
		return 2
	}
	defer in.Close()

	out := bufio.NewWriter(stdout)
	var p printer = &table{out: out}
	if *asJSON {
		p = &jsonLines{out: out}
	}
	lines := newLineReader(in)
	bad := 0
	for {
		// Who waits for the answer before the next call gets it.
		if lines.idle() {
			out.Flush()
		}
		n, line, err := lines.next()
		if err == io.EOF {
			break
		}
		var c call
		if err == nil {
			c, err = parseCall(line, *agent)
		}
		if err != nil {
			fmt.Fprintf(stderr, "quickstart: line %d: %v\n", n, err)
			if !errors.As(err, new(lineError)) {
				out.Flush()
				return 2 // there is no reading on
			}
			bad++
			continue
		}
		if now = c.at; now.IsZero() {
			now = time.Now()
		}
		// The error says in other words what the result says.
		r, _ := a.Decide(context.Background(), c.Call)
		if err := p.print(n, &c, r); err != nil {
			fmt.Fprintln(stderr, "quickstart:", err)
			return 2
		}
	}
	p.end(bad)
	if err := out.Flush(); err != nil {
		fmt.Fprintln(stderr, "quickstart:", err)
		return 2
	}
	if bad > 0 {
		return 1
	}
	return 0
}

func load(file string) (*veto.PolicySet, error) {
	if file == "" {
		return veto.Load("policies.yaml", defaultPolicies)
	}
	return veto.LoadFile(file)
}
