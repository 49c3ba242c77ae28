package veto

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/useveto/veto-go/evaluator"
)

// sessionsPart is what the name of a file with sessions has more.
const sessionsPart = ".sessions"

// SaveState writes the counters to a file, with a checksum: all of it or, on an
// error, nothing. What is counted afterwards is not in it: a process that
// starts from the file has forgotten that.
//
// Sessions are saved only where Options.State was closed first
// ([evaluator.State.Close]), as a process does that ends: they would permit
// what was forbidden by calls that they have forgotten. They are in a file
// beside it, with ".sessions" in its name; any other SaveState removes that.
func (a *Authorizer) SaveState(path string) error {
	if a == nil || a.state == nil {
		return errors.New("veto: SaveState: the Authorizer was not made by New")
	}
	if a.shared != nil {
		return errors.New("veto: SaveState: counters and sessions are in Options.Store, which keeps them")
	}
	if err := a.saveState(resolved(path)); err != nil {
		return fmt.Errorf("veto: SaveState: %w", err)
	}
	return nil
}

func (a *Authorizer) saveState(path string) error {
	if err := os.Remove(path + sessionsPart); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err // older sessions must not be taken for those of this state
	}
	if err := replaceFile(path, a.state.WriteTo); err != nil {
		return err
	}
	if !a.state.Closed() {
		return nil
	}
	return replaceFile(path+sessionsPart, a.state.WriteAllTo)
}

// replaceFile writes a file as a whole.
func replaceFile(path string, write func(io.Writer) (int64, error)) (err error) {
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
	if _, err = write(f); err != nil {
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

// resolved is path without symbolic links, as far as there is such a file: who
// comes by another name is to find the same files beside it.
func resolved(path string) string {
	if real, err := filepath.EvalSymlinks(path); err == nil {
		return real
	}
	return path
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
// Sessions are there for one process, and not once more for the next, which
// would not know what was called in them meanwhile: LoadState removes their
// file, and whoever comes second has none of them. So they are gone too where
// it fails.
func LoadState(path string, opts *evaluator.StateOptions) (*evaluator.State, error) {
	s, err := loadState(resolved(path), opts)
	if err != nil {
		return nil, fmt.Errorf("veto: LoadState: %s: %w", path, err)
	}
	return s, nil
}

func loadState(path string, opts *evaluator.StateOptions) (*evaluator.State, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	if _, err := os.Lstat(path + sessionsPart); errors.Is(err, fs.ErrNotExist) {
		return evaluator.ReadState(f, opts) // also from a directory that cannot be written
	}
	// Of all who rename it, one has it.
	taken, err := os.CreateTemp(filepath.Dir(path), ".veto-sessions-*")
	if err != nil {
		return nil, err
	}
	taken.Close()
	defer os.Remove(taken.Name())
	switch err := os.Rename(path+sessionsPart, taken.Name()); {
	case errors.Is(err, fs.ErrNotExist):
		return evaluator.ReadState(f, opts)
	case err != nil:
		return nil, err
	}
	syncDir(filepath.Dir(path))
	all, err := os.Open(taken.Name())
	if err != nil {
		return nil, err
	}
	defer all.Close()
	return evaluator.ReadState(all, opts)
}
