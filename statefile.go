package veto

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/useveto/veto-go/evaluator"
)

// SaveState writes the counters and sessions to a file, with a checksum: all
// of it or, on an error, nothing. What is counted afterwards is not in it: a
// process that starts from the file has forgotten that.
func (a *Authorizer) SaveState(path string) (err error) {
	if a == nil || a.state == nil {
		return errors.New("veto: SaveState: the Authorizer was not made by New")
	}
	if a.shared != nil {
		return errors.New("veto: SaveState: counters and sessions are in Options.Store, which keeps them")
	}
	f, err := os.CreateTemp(filepath.Dir(path), ".veto-state-*")
	if err != nil {
		return fmt.Errorf("veto: SaveState: %w", err)
	}
	defer func() {
		if err != nil {
			f.Close()
			os.Remove(f.Name())
			err = fmt.Errorf("veto: SaveState: %w", err)
		}
	}()
	if _, err = a.state.WriteTo(f); err != nil {
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
	return s, nil
}
