package veto

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"time"

	"go.uber.org/zap"

	"github.com/useveto/veto-go/internal/policydoc"
)

// WatchOptions are the options of Watch.
type WatchOptions struct {
	// Interval is how often the files are looked at; default one second.
	Interval time.Duration
	// OnLoad is told of each set that took effect, the first included. It
	// must not change the set.
	OnLoad func(*PolicySet)
	// OnError is told of each change that could not take effect. The
	// Authorizer's Logger is told too.
	OnError func(error)
}

// Watch keeps the policies of a those of a file, or of the documents of a
// directory as by [LoadDir]. It loads them once, and returns the error if
// that fails; then it blocks until ctx is done, looks at the files again and
// again, and returns nil.
//
// A change takes effect when the files have been the same on two looks, so
// that a file that is being written is not taken for a shorter one; replacing
// a file by a rename is still the better way to change it. What cannot be
// used takes no effect: the policies stay as they are when a document has a
// fault, when the file is gone and when the directory is empty. Files are
// compared by content, so links and file systems without change notices work.
func Watch(ctx context.Context, a *Authorizer, path string, opts *WatchOptions) error {
	if a == nil {
		return errors.New("veto: Watch: the Authorizer is nil")
	}
	if opts == nil {
		opts = &WatchOptions{}
	}
	w := watcher{a: a, path: path, opts: *opts}
	now := w.look()
	if err := w.apply(now); err != nil {
		return err
	}
	interval := opts.Interval
	if interval <= 0 {
		interval = time.Second
	}
	tick := time.NewTicker(interval)
	defer tick.Stop()
	done, before := now.content, now.content
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
		now := w.look()
		if now.content != done && now.content == before {
			done = now.content
			if err := w.apply(now); err != nil {
				w.report(err)
			}
		}
		before = now.content
	}
}

type watcher struct {
	a    *Authorizer
	path string
	opts WatchOptions
}

// sight is what a look at the files has found.
type sight struct {
	files   []policydoc.File
	err     error
	content [sha256.Size]byte // of the names and texts, or of the error
}

func (w *watcher) look() sight {
	var s sight
	if info, err := os.Stat(w.path); err == nil && info.IsDir() {
		s.files, s.err = readFS(os.DirFS(w.path), w.path, nil)
	} else {
		var data []byte
		data, s.err = readFile(os.Open(w.path))
		s.files = []policydoc.File{{Name: w.path, Data: data}}
	}
	h := sha256.New()
	part := func(b []byte) {
		// Lengths keep what is written in two parts apart.
		var size [8]byte
		binary.BigEndian.PutUint64(size[:], uint64(len(b)))
		h.Write(size[:])
		h.Write(b)
	}
	if s.err != nil {
		part([]byte(s.err.Error()))
	} else {
		for _, f := range s.files {
			part([]byte(f.Name))
			part(f.Data)
		}
	}
	h.Sum(s.content[:0])
	return s
}

// apply makes what was found the policies of the Authorizer.
func (w *watcher) apply(s sight) error {
	if s.err != nil {
		return fmt.Errorf("veto: %w", s.err)
	}
	set, err := load(s.files)
	if err != nil {
		return err
	}
	if err := w.a.SetPolicies(set); err != nil {
		return err
	}
	if w.opts.OnLoad != nil {
		w.opts.OnLoad(set)
	}
	return nil
}

func (w *watcher) report(err error) {
	w.a.logger().Error("veto: changed policies cannot be used, the old ones stay", zap.String("path", w.path), zap.Error(err))
	if w.opts.OnError != nil {
		w.opts.OnError(err)
	}
}
