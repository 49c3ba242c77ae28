// Command filesystem is an MCP server with tools for the files of one
// directory, guarded by a policy document.
//
//	filesystem -root ~/files -state ~/.local/state/filesystem
//
// It speaks MCP on the standard input and output, so a client starts it. The
// state directory has what the agent must not reach: the key and the tickets
// of approvals, and the records of all decisions. It has to be outside of the
// root.
//
// A call of delete_file needs the approval of a human, who gives it in another
// terminal; then the agent makes the call again:
//
//	filesystem -state ~/.local/state/filesystem pending
//	filesystem -state ~/.local/state/filesystem approve apr_01…
//	filesystem -state ~/.local/state/filesystem deny apr_01…
package main

import (
	"context"
	_ "embed"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"

	"github.com/modelcontextprotocol/go-sdk/mcp"

	"github.com/useveto/veto-go"
)

//go:embed policies.yaml
var defaultPolicies []byte

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, os.Args[1:], os.Stdout, os.Stderr); err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "filesystem:", err)
		stop()
		os.Exit(1)
	}
}

// config is what the flags say.
type config struct {
	root, state, policies, agent, by string
	stderr                           io.Writer
}

func run(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	c := config{stderr: stderr}
	flags := flag.NewFlagSet("filesystem", flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.StringVar(&c.root, "root", "", "the `directory` that the tools work in")
	flags.StringVar(&c.state, "state", "", "the `directory` of the key, the tickets and the records")
	flags.StringVar(&c.policies, "policies", "", "the policy `file` (default: the example's own)")
	flags.StringVar(&c.agent, "agent", "file-agent", "the agent's `name` in policies")
	flags.StringVar(&c.by, "by", "operator", "the `name` of the human who approves or denies")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if c.state == "" {
		return errors.New("-state is missing")
	}
	verb := flags.Arg(0)
	serves := verb == "" || verb == "serve" && flags.NArg() == 1
	if serves {
		if err := outside(c.state, c.root); err != nil {
			return err
		}
	}
	s, err := openState(c.state)
	if err != nil {
		return err
	}
	defer s.Close()
	switch {
	case serves:
		return serve(ctx, &c, s)
	case verb == "pending" && flags.NArg() == 1:
		return s.pending(ctx, stdout)
	case (verb == "approve" || verb == "deny") && flags.NArg() == 2:
		return s.answer(ctx, stdout, flags.Arg(1), verb == "approve", c.by)
	default:
		return fmt.Errorf("%q is no command: serve, pending, approve ID or deny ID", flags.Args())
	}
}

// serve runs the server until the client is gone.
func serve(ctx context.Context, c *config, s *state) error {
	root, err := os.OpenRoot(c.root)
	if err != nil {
		return err
	}
	defer root.Close()
	set, err := veto.Load("policies.yaml", defaultPolicies)
	if c.policies != "" {
		set, err = veto.LoadFile(c.policies)
	}
	if err != nil {
		return err
	}
	records, err := s.records()
	if err != nil {
		return err
	}
	authorizer, err := veto.New(set, &veto.Options{Sink: records, Approvals: s.book})
	if err != nil {
		return err
	}
	server, err := newServer(authorizer, root, c.agent, s.stateKey)
	if err != nil {
		return err
	}
	return server.Run(ctx, &mcp.StdioTransport{})
}
