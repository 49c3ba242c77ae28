// Command approval is an agent whose large refunds a person must approve.
//
//	go run ./examples/approval
//
// shows you the calls that the policies escalate, and asks y or n. With -yes or
// -no nobody is asked and the answer is that.
//
// The person need not be there, nor the program keep running. In three steps,
// each of them a process of its own:
//
//	go run ./examples/approval -dir /tmp/demo -later    # the large refund waits, the rest is done
//	go run ./examples/approval -dir /tmp/demo -answer   # somebody comes, and says y
//	go run ./examples/approval -dir /tmp/demo -later    # the refund is made, once
//
// The directory holds the tickets, the key that authenticates them, and what
// the agent had done. A real deployment keeps the key and the tickets where no
// tool of the agent can read or write, and often runs the second step on
// another machine: it needs the key, and the store.
//
// The exit status is 0 when all is done, 1 when calls still wait for somebody,
// 2 when something failed.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"

	"github.com/useveto/veto-go"
	"github.com/useveto/veto-go/approval"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	os.Exit(run(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
}

// run is the program.
func run(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	flags := flag.NewFlagSet("approval", flag.ContinueOnError)
	flags.SetOutput(stderr)
	dir := flags.String("dir", "", "the `directory` of tickets, key and conversation (default: one that is removed at the end)")
	yes := flags.Bool("yes", false, "approve without asking")
	no := flags.Bool("no", false, "refuse without asking")
	later := flags.Bool("later", false, "ask nobody: what needs an approval waits")
	answer := flags.Bool("answer", false, "put what waits to you, and run nothing")
	by := flags.String("by", "operator", "the `name` of who answers")
	switch err := flags.Parse(args); {
	case errors.Is(err, flag.ErrHelp):
		return 0
	case err != nil:
		return 2
	}
	fail := func(err error) int {
		fmt.Fprintln(stderr, "approval:", err)
		return 2
	}
	switch {
	case flags.NArg() > 0:
		return fail(fmt.Errorf("unexpected argument %q", flags.Arg(0)))
	case *yes && *no, *later && (*yes || *no || *answer):
		return fail(errors.New("these flags do not go together"))
	}
	if *dir == "" {
		temporary, err := os.MkdirTemp("", "approval")
		if err != nil {
			return fail(err)
		}
		defer os.RemoveAll(temporary)
		*dir = temporary
	}

	book, closeBook, err := openBook(*dir)
	if err != nil {
		return fail(err)
	}
	defer closeBook()
	var approver approval.Approver
	switch {
	case *later:
	case *yes, *no:
		approver = always{approval.Answer{Approve: *yes, By: *by}}
	default:
		approver = newTerminal(stdin, stdout, *by)
	}
	var waiting int
	if *answer {
		waiting, err = answerAll(ctx, book, approver, stdout)
	} else {
		waiting, err = runAgent(ctx, *dir, book, approver, stdout)
	}
	switch {
	case err != nil:
		return fail(err)
	case waiting > 0:
		return 1
	default:
		return 0
	}
}

// openBook opens the tickets below a directory. The key is beside them, not
// among them.
func openBook(dir string) (book *approval.Book, closeBook func() error, err error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, nil, err
	}
	key, err := loadKey(filepath.Join(dir, "key"))
	if err != nil {
		return nil, nil, err
	}
	store, err := approval.OpenDir(filepath.Join(dir, "tickets"))
	if err != nil {
		return nil, nil, err
	}
	if book, err = approval.New(store, key, nil); err != nil {
		return nil, nil, errors.Join(err, store.Close())
	}
	return book, store.Close, nil
}

// answerAll puts every ticket that nobody has answered to the approver. It
// needs no policies and no agent: the key and the store will do.
func answerAll(ctx context.Context, book *approval.Book, approver approval.Approver, out io.Writer) (waiting int, err error) {
	tickets, err := book.List(ctx, approval.Pending)
	if err != nil {
		// What is not authentic is named here, and approves nothing.
		fmt.Fprintln(out, "some tickets cannot be read:", err)
	}
	for _, t := range tickets {
		t, err := book.Ask(ctx, approver, t.ID)
		if t.State == approval.Pending {
			waiting++
			fmt.Fprintf(out, "%s is not answered: %v\n", t.ID, err)
			continue
		}
		fmt.Fprintln(out, t.ID, "is", t.State)
	}
	if len(tickets) == 0 {
		fmt.Fprintln(out, "nothing waits for an answer")
	}
	return waiting, nil
}

// newAuthorizer decides by the policies of this example, and asks by the book.
func newAuthorizer(book *approval.Book) (*veto.Authorizer, error) {
	set, err := veto.Load("policies.yaml", policies)
	if err != nil {
		return nil, err
	}
	return veto.New(set, &veto.Options{Approvals: book})
}
