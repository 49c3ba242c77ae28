//go:build !(darwin || dragonfly || freebsd || linux || netbsd || openbsd || windows)

package approval

import (
	"errors"
	"fmt"
)

// tryLock: the standard library has no such lock here.
func (d *Dir) tryLock() (unlock func(), err error) {
	return nil, fmt.Errorf("approval: lock the directory: %w", errors.ErrUnsupported)
}
