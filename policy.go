package veto

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/useveto/veto-go/evaluator"
	"github.com/useveto/veto-go/internal/policydoc"
	"github.com/useveto/veto-go/rules"
)

// Fault is one thing that is wrong with a policy document: where it is, what
// is wrong, and what to do about it.
type Fault struct {
	// File is the name of the document. Line and Column count from 1,
	// columns in characters; they are 0 where the fault has no place in the
	// text, as when a file is too large.
	File   string
	Line   int
	Column int
	// Fault has the path within the document, the policy and the rule, the
	// message and the hint.
	rules.Fault
}

// Error renders the fault on one line; that of an expression shows the
// expression below, with a caret.
func (f Fault) Error() string {
	return policydoc.Fault{File: f.File, Line: f.Line, Column: f.Column, Fault: f.Fault}.Error()
}

// LoadError is the error of policy documents that cannot be used. It has
// everything that is wrong with them, in the order of the files and their
// texts; there is at least one fault.
type LoadError struct {
	Faults []Fault
}

// Error renders the faults, one a line; of very many, the first.
func (e *LoadError) Error() string {
	const most = 50
	var b strings.Builder
	b.WriteString("veto: policies cannot be used:")
	for i, f := range e.Faults {
		if i == most {
			fmt.Fprintf(&b, "\n(and %d more)", len(e.Faults)-most)
			break
		}
		b.WriteString("\n")
		b.WriteString(f.Error())
	}
	return b.String()
}

// Load reads one policy document. It is JSON or YAML: the extension of name
// says which (.json, .yaml, .yml), or else the first character of the text.
// Name appears in errors and need not be a file. Data is not kept.
//
// The documents of this package are strict: whatever is unknown, repeated,
// empty or out of bounds is an error, and all errors are reported together in
// a *LoadError. A set that Load returns can be used by [New] with any options.
func Load(name string, data []byte) (*PolicySet, error) {
	return load([]policydoc.File{{Name: name, Data: data}})
}

// LoadFile reads one policy document from a file, of at most 64 MiB.
func LoadFile(name string) (*PolicySet, error) {
	data, err := readFile(os.Open(name))
	if err != nil {
		return nil, fmt.Errorf("veto: %w", err)
	}
	return Load(name, data)
}

// LoadDir reads the policy documents of a directory as one set: every file
// whose name ends in .json, .yaml or .yml and does not begin with a dot, in
// the order of names. Symbolic links are followed; subdirectories are not
// read. A directory without documents is an error.
func LoadDir(dir string) (*PolicySet, error) {
	files, err := readFS(os.DirFS(dir), dir, nil)
	if err != nil {
		return nil, fmt.Errorf("veto: %w", err)
	}
	return load(files)
}

// LoadFS reads the files that the patterns match (see [path.Match]) as one
// set, in the order of names. Without patterns it reads what LoadDir would.
// A pattern that matches nothing is an error: a set from which a file is
// missing is not the one that was meant.
func LoadFS(fsys fs.FS, patterns ...string) (*PolicySet, error) {
	files, err := readFS(fsys, "", patterns)
	if err != nil {
		return nil, fmt.Errorf("veto: %w", err)
	}
	return load(files)
}

// Schema returns the JSON Schema (draft 2020-12) of policy documents, for
// editors. It describes their shape and most bounds; [Load] has the last word.
func Schema() []byte { return policydoc.Schema() }

func load(files []policydoc.File) (*PolicySet, error) {
	set, faults := policydoc.LoadWith(files, compileFaults, evaluator.PartialFaults)
	if len(faults) == 0 {
		return set, nil
	}
	e := &LoadError{Faults: make([]Fault, len(faults))}
	for i, f := range faults {
		e.Faults[i] = Fault{File: f.File, Line: f.Line, Column: f.Column, Fault: f.Fault}
	}
	return nil, e
}

// compileFaults returns what only the compiler sees, so that Load can say in
// which line it is.
func compileFaults(set *PolicySet) []rules.Fault {
	_, err := evaluator.Compile(set, nil)
	if faults := (rules.Faults)(nil); errors.As(err, &faults) {
		return faults
	}
	if err != nil {
		return []rules.Fault{{Message: err.Error()}}
	}
	return nil
}

// readFile reads an open file, one byte past the bound at most, which is
// enough for policydoc to refuse it.
func readFile(f fs.File, err error) ([]byte, error) {
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(io.LimitReader(f, policydoc.MaxBytes+1))
}

// readFS reads the documents of a file system; dir is put before their names.
func readFS(fsys fs.FS, dir string, patterns []string) ([]policydoc.File, error) {
	names, err := documents(fsys, dir, patterns)
	if err != nil {
		return nil, err
	}
	files := make([]policydoc.File, len(names))
	for i, name := range names {
		f, err := fsys.Open(name)
		data, err := readFile(f, err)
		if err != nil {
			return nil, err
		}
		files[i] = policydoc.File{Name: filepath.Join(dir, filepath.FromSlash(name)), Data: data}
	}
	return files, nil
}

// documents returns the names of the documents, sorted.
func documents(fsys fs.FS, dir string, patterns []string) ([]string, error) {
	var names []string
	for _, pattern := range patterns {
		matches, err := fs.Glob(fsys, pattern)
		if err != nil {
			return nil, fmt.Errorf("pattern %q: %w", pattern, err)
		}
		if len(matches) == 0 {
			return nil, fmt.Errorf("no file matches %q: %w", pattern, fs.ErrNotExist)
		}
		names = append(names, matches...)
	}
	if patterns == nil {
		entries, err := fs.ReadDir(fsys, ".")
		if err != nil {
			return nil, fmt.Errorf("directory %q: %w", dir, err)
		}
		for _, e := range entries {
			if isDocument(fsys, e) {
				names = append(names, e.Name())
			}
		}
		if names == nil {
			return nil, fmt.Errorf("no policy documents in directory %q: %w", dir, fs.ErrNotExist)
		}
	}
	slices.Sort(names)
	return slices.Compact(names), nil
}

func isDocument(fsys fs.FS, e fs.DirEntry) bool {
	switch strings.ToLower(path.Ext(e.Name())) {
	case ".json", ".yaml", ".yml":
	default:
		return false
	}
	if strings.HasPrefix(e.Name(), ".") {
		return false
	}
	// A link to a directory is a directory; one that leads nowhere is an
	// error when it is opened.
	info, err := fs.Stat(fsys, e.Name())
	return err != nil || !info.IsDir()
}
