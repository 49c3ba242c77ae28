package approval

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/useveto/veto-go/internal/dirnames"
)

// Dir is a Store in a directory of a local file system that has hard links and,
// for the lock, flock. It is safe for concurrent use, also by several
// processes.
type Dir struct {
	root  *os.Root // the directory that was opened, wherever it is moved
	paths []string // its names, when it was opened
}

// tempPrefix begins the names of files that are being written. Whoever finds
// one that is older than tempAge removes it.
const (
	tempPrefix = "tmp-"
	tempAge    = time.Hour
)

// OpenDir opens a directory, which it makes if it is not there, for its owner
// only. It refuses one that its group or everybody may write to, except on
// Windows, where the file system's own lists say who may. Close it after use.
func OpenDir(path string) (*Dir, error) {
	_, err := os.Lstat(path)
	missing := errors.Is(err, fs.ErrNotExist)
	if err := os.MkdirAll(path, 0o700); err != nil {
		return nil, fmt.Errorf("approval: %w", err)
	}
	paths, err := dirnames.Of(path)
	if err != nil {
		return nil, fmt.Errorf("approval: %w", err)
	}
	real := paths[len(paths)-1]
	root, err := os.OpenRoot(real) // so that it is what the last name says
	if err != nil {
		return nil, fmt.Errorf("approval: %w", err)
	}
	d := &Dir{root, paths}
	if err := d.check(); err != nil {
		root.Close()
		return nil, err
	}
	if missing {
		// The entries are no safer than the name of their directory.
		if parent, err := os.Open(filepath.Dir(real)); err == nil {
			_ = syncDirectory(parent)
		}
	}
	d.tidy()
	return d, nil
}

// Close releases the directory.
func (d *Dir) Close() error { return d.root.Close() }

// Paths returns the absolute names of the directory: the one that it was opened
// by, those that it has by the symbolic links on the way, and last the one
// without any. They are those of the moment in which it was opened.
func (d *Dir) Paths() []string { return slices.Clone(d.paths) }

func (d *Dir) check() error {
	info, err := d.root.Stat(".")
	if err != nil {
		return fmt.Errorf("approval: %w", err)
	}
	if mode := info.Mode().Perm(); runtime.GOOS != "windows" && mode&0o022 != 0 {
		return fmt.Errorf("approval: the directory of the tickets is writable for others (%v)", mode)
	}
	return nil
}

// tidy removes what writers that were killed have left.
func (d *Dir) tidy() {
	names, err := d.names()
	if err != nil {
		return
	}
	for _, name := range names {
		if !strings.HasPrefix(name, tempPrefix) {
			continue
		}
		if info, err := d.root.Lstat(name); err == nil && time.Since(info.ModTime()) > tempAge {
			_ = d.root.Remove(name)
		}
	}
}

// Create writes a file under another name and links it to its own when it is
// whole and on the disk: a link, unlike a renaming, never replaces anything.
func (d *Dir) Create(ctx context.Context, name string, data []byte) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if err := checkName(name); err != nil {
		return err
	}
	if _, err := d.root.Lstat(name); err == nil {
		return d.exists(name)
	}
	temp := tempPrefix + rand.Text()
	defer d.root.Remove(temp)
	if err := d.write(temp, data); err != nil {
		return err
	}
	switch err := d.root.Link(temp, name); {
	case errors.Is(err, fs.ErrExist):
		return d.exists(name)
	case err != nil:
		return fmt.Errorf("approval: %w", err)
	}
	return d.sync()
}

// exists returns the error that says so, once it is durable: the one who made
// the file may have died before that.
func (d *Dir) exists(name string) error {
	if err := d.sync(); err != nil {
		return err
	}
	return &fs.PathError{Op: "create", Path: name, Err: fs.ErrExist}
}

func (d *Dir) write(name string, data []byte) error {
	f, err := d.root.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return fmt.Errorf("approval: %w", err)
	}
	_, err = f.Write(data)
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return fmt.Errorf("approval: write %s: %w", name, err)
	}
	return nil
}

// sync makes the names in the directory durable.
func (d *Dir) sync() error {
	f, err := d.root.Open(".")
	if err != nil {
		return fmt.Errorf("approval: %w", err)
	}
	return syncDirectory(f)
}

// syncDirectory syncs and closes f. Windows has nothing to sync there.
func syncDirectory(f *os.File) error {
	defer f.Close()
	if runtime.GOOS == "windows" {
		return nil
	}
	if err := f.Sync(); err != nil {
		return fmt.Errorf("approval: sync the directory: %w", err)
	}
	return nil
}

// Read returns the bytes of a file. A link, a pipe or a directory is none, and
// is not opened.
func (d *Dir) Read(ctx context.Context, name string) ([]byte, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if err := checkName(name); err != nil {
		return nil, err
	}
	info, err := d.root.Lstat(name)
	if err != nil {
		return nil, fmt.Errorf("approval: %w", err)
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%w: %s is no regular file", ErrForged, name)
	}
	f, err := d.root.Open(name)
	if err != nil {
		return nil, fmt.Errorf("approval: %w", err)
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxEntryBytes+1))
	switch {
	case err != nil:
		return nil, fmt.Errorf("approval: read %s: %w", name, err)
	case len(data) > maxEntryBytes:
		return nil, fmt.Errorf("%w: %s has over %d bytes", ErrForged, name, maxEntryBytes)
	}
	return data, nil
}

// List returns the names of the files that are not being written.
func (d *Dir) List(ctx context.Context) ([]string, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	all, err := d.names()
	if err != nil {
		return nil, err
	}
	names := all[:0]
	for _, name := range all {
		if checkName(name) == nil && !strings.HasPrefix(name, tempPrefix) {
			names = append(names, name)
		}
	}
	return names, nil
}

func (d *Dir) names() ([]string, error) {
	f, err := d.root.Open(".")
	if err != nil {
		return nil, fmt.Errorf("approval: %w", err)
	}
	defer f.Close()
	names, err := f.Readdirnames(-1)
	if err != nil {
		return nil, fmt.Errorf("approval: list the directory: %w", err)
	}
	return names, nil
}

// Remove removes a file.
func (d *Dir) Remove(ctx context.Context, name string) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if err := checkName(name); err != nil {
		return err
	}
	if err := d.root.Remove(name); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("approval: %w", err)
	}
	return nil
}

func checkName(name string) error {
	ok := name != "" && len(name) <= 64 && name[0] != '.'
	for _, c := range name {
		ok = ok && (c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '.' || c == '-' || c == '_')
	}
	if !ok {
		return fmt.Errorf("%w: not the name of an entry", ErrInvalid)
	}
	return nil
}
