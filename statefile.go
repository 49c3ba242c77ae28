package veto

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/useveto/veto-go/evaluator"
)

// SaveState writes the counters to a file, with a checksum: all of it or, on an
// error, nothing. What is counted afterwards is not in it: a process that
// starts from the file has forgotten that.
//
// Sessions are in it only where Options.State was closed first
// ([evaluator.State.Close]), as a process does that ends: they would permit
// what was forbidden by calls that they have forgotten.
func (a *Authorizer) SaveState(path string) error {
	if a == nil || a.state == nil {
		return errors.New("veto: SaveState: the Authorizer was not made by New")
	}
	if a.shared != nil {
		return errors.New("veto: SaveState: counters and sessions are in Options.Store, which keeps them")
	}
	if err := writeState(a.state, path); err != nil {
		return fmt.Errorf("veto: SaveState: %w", err)
	}
	return nil
}

func writeState(s *evaluator.State, path string) (err error) {
	f, err := os.CreateTemp(filepath.Dir(path), ".veto-state-*")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			f.Close()
			os.Remove(f.Name())
		}
	}()
	if _, err = s.WriteTo(f); err != nil {
		return err
	}
	if err = f.Sync(); err != nil {
		return err
	}
	if err = f.Close(); err != nil {
		return err
	}
	if err = os.Rename(f.Name(), path); err != nil {
		return err
	}
	syncDir(filepath.Dir(path))
	return nil
}

// syncDir makes a rename in dir last. Some systems cannot, and need not.
func syncDir(dir string) {
	if d, err := os.Open(dir); err == nil {
		_ = d.Sync()
		d.Close()
	}
}

// LoadState reads a file that SaveState wrote, for Options.State. opts may be
// nil. A file that is not there is an error ([os.ErrNotExist]) and not an
// empty State, and so is a damaged one ([evaluator.ErrState]): whoever starts
// with empty counters should know it.
//
// Sessions in the file are there for one process, and not once more for the
// next, which would not know what was called in them meanwhile: LoadState
// writes the file anew without them. It is an error where it cannot.
func LoadState(path string, opts *evaluator.StateOptions) (*evaluator.State, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("veto: LoadState: %w", err)
	}
	defer f.Close()
	s, err := evaluator.ReadState(f, opts)
	if err != nil {
		return nil, fmt.Errorf("veto: LoadState: %s: %w", path, err)
	}
	if s.Sessions() > 0 {
		if err := writeState(s, path); err != nil {
			return nil, fmt.Errorf("veto: LoadState: the file must not keep its sessions: %w", err)
		}
	}
	return s, nil
}
