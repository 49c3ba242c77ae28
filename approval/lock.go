package approval

import (
	"context"
	"errors"
	"time"
)

// How long Dir waits for its lock, and how often it looks. It is held for
// milliseconds; who has it for longer hangs, or means no good.
const (
	lockWait  = 10 * time.Second
	lockRetry = 2 * time.Millisecond
)

var errLocked = errors.New("approval: another process holds the lock of the tickets")

// Lock takes a lock of the operating system, which ends with the process. It
// waits at most ten seconds.
func (d *Dir) Lock(ctx context.Context) (unlock func(), err error) {
	timeout := time.NewTimer(lockWait)
	defer timeout.Stop()
	for {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		unlock, err := d.tryLock()
		if !errors.Is(err, errLocked) {
			return unlock, err
		}
		retry := time.NewTimer(lockRetry)
		select {
		case <-retry.C:
		case <-timeout.C:
			return nil, errLocked
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}
