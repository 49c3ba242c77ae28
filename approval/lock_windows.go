package approval

import (
	"errors"
	"fmt"
	"path/filepath"
	"syscall"
)

// errSharingViolation is what Windows says of a file that another has opened
// for itself alone.
const errSharingViolation syscall.Errno = 32

// tryLock opens a file for this process alone.
func (d *Dir) tryLock() (unlock func(), err error) {
	path, err := syscall.UTF16PtrFromString(filepath.Join(d.root.Name(), ".lock"))
	if err != nil {
		return nil, fmt.Errorf("approval: lock the directory: %w", err)
	}
	const shareNothing = 0
	h, err := syscall.CreateFile(path, syscall.GENERIC_WRITE, shareNothing, nil, syscall.OPEN_ALWAYS, syscall.FILE_ATTRIBUTE_NORMAL, 0)
	switch {
	case errors.Is(err, errSharingViolation):
		return nil, errLocked
	case err != nil:
		return nil, fmt.Errorf("approval: lock the directory: %w", err)
	}
	return func() { _ = syscall.CloseHandle(h) }, nil
}
