//go:build darwin || dragonfly || freebsd || linux || netbsd || openbsd

package approval

import (
	"errors"
	"fmt"
	"syscall"
)

// tryLock locks the directory itself, so that there is no file to delete.
func (d *Dir) tryLock() (unlock func(), err error) {
	f, err := d.root.Open(".")
	if err != nil {
		return nil, fmt.Errorf("approval: %w", err)
	}
	for {
		err = syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		if !errors.Is(err, syscall.EINTR) {
			break
		}
	}
	if err == nil {
		return func() {
			// Not left to Close: a child that is just being started has the
			// descriptor too.
			_ = syscall.Flock(int(f.Fd()), syscall.LOCK_UN)
			f.Close()
		}, nil
	}
	f.Close()
	if errors.Is(err, syscall.EWOULDBLOCK) {
		return nil, errLocked
	}
	return nil, fmt.Errorf("approval: lock the directory: %w", err)
}
