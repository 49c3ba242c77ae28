package veto

import (
	"errors"
	"fmt"
	"path/filepath"
	"time"

	"go.uber.org/zap"

	"github.com/useveto/veto-go/approval"
	"github.com/useveto/veto-go/audit"
	"github.com/useveto/veto-go/evaluator"
	"github.com/useveto/veto-go/internal/dirnames"
)

// Options are the options of New. The zero value of each field is its
// default.
type Options struct {
	// Sink keeps the record of every decision; default audit.Discard. A
	// decision whose record it cannot keep is a denial.
	Sink audit.Sink
	// Redact says what records leave out besides the default secrets.
	Redact *audit.RedactOptions
	// DigestKey is the key of the digests of parameters in records; default
	// a random key of this Authorizer.
	DigestKey *audit.DigestKey
	// Logger gets what operators should know: refused reloads, failed
	// records, panics, and with Mode Log every call that is not allowed;
	// decisions at debug level. Default: silent. Users of log/slog pass
	// zap.New of a core over their handler; see the documentation of audit.
	Logger *zap.Logger

	// Mode says what guards do with a decision; default Enforce.
	Mode Mode
	// StrictGrant lets only a tool_allowlist grant.
	StrictGrant bool
	// Project binds the Authorizer to a project: a call without one is of
	// this project, and one that names another is invalid.
	Project string
	// RequireProject and RequireSession make calls without one invalid.
	RequireProject bool
	RequireSession bool
	// MaxParameterBytes is the most bytes of compact JSON that parameters
	// and context values may take; default 64 KiB, at most 16 MiB.
	MaxParameterBytes int

	// ProtectedDirs are directories that no "within" of a policy covers: those
	// of records, tickets and caches, so that no tool of an agent gets at
	// them by a policy that is too wide. The directory of Approvals is always
	// one. They are protected under their absolute names: as they are given,
	// and as they are reached by the symbolic links on the way, when New is
	// called. A link elsewhere that leads to one of them is not known.
	ProtectedDirs []string

	// State is the history that limits count; default a new, empty one. Give
	// several Authorizers the same State to have them share their limits.
	State *evaluator.State
	// Store takes the place of State where several processes share counters
	// and sessions; adapters/redis has one. All of them must decide by the
	// same policies. A call is denied (limits_unavailable) when the Store does
	// not answer; calls that no limit or session is about never ask it.
	Store Store
	// Approvals keeps the tickets of calls that are escalated, until a human
	// has answered; default none: then an escalated call has no ApprovalID,
	// and cannot be resumed.
	Approvals *approval.Book
	// Now is the clock that decisions are made by; default time.Now, whose
	// monotonic reading keeps limits right when the wall clock is set.
	Now func() time.Time
}

func (o *Options) evaluator() *evaluator.Options {
	return &evaluator.Options{
		StrictGrant: o.StrictGrant, MaxParameterBytes: o.MaxParameterBytes,
		Project: o.Project, RequireProject: o.RequireProject, RequireSession: o.RequireSession,
		Protected: o.ProtectedDirs,
	}
}

// protect completes ProtectedDirs.
func (o *Options) protect() error {
	dirs := o.Approvals.Dirs()
	for _, dir := range o.ProtectedDirs {
		names, err := dirnames.Of(dir)
		if err != nil {
			return fmt.Errorf("veto: Options.ProtectedDirs: %w", err)
		}
		dirs = append(dirs, names...)
	}
	for i := range dirs {
		dirs[i] = filepath.ToSlash(dirs[i])
	}
	o.ProtectedDirs = dirs
	return nil
}

// check reports values that mean nothing.
func (o *Options) check() error {
	switch {
	case o.State != nil && o.Store != nil:
		return errors.New("veto: Options.State and Options.Store are both set; limits are in one of them")
	case o.Mode > Log:
		return fmt.Errorf("veto: Options.Mode is %d; use Enforce, Shadow or Log", o.Mode)
	case o.MaxParameterBytes < 0 || o.MaxParameterBytes > evaluator.MaxParameterBytes:
		return fmt.Errorf("veto: Options.MaxParameterBytes is %d; it is 0 for the default, or 1 to %d", o.MaxParameterBytes, evaluator.MaxParameterBytes)
	case !isName(o.Project):
		return errors.New("veto: Options.Project is not at most 255 bytes without control characters")
	default:
		return nil
	}
}
