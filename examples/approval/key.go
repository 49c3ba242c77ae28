package main

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"runtime"

	"github.com/useveto/veto-go/approval"
)

// loadKey reads the key from a file, which it makes when it is not there:
// random, and for its owner only. Whoever can read it can approve anything.
func loadKey(path string) (*approval.Key, error) {
	secret, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		secret = make([]byte, approval.MinKeyBytes)
		rand.Read(secret) // it never fails
		return saveKey(path, secret)
	}
	if err != nil {
		return nil, err
	}
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if info.Mode().Perm()&0o077 != 0 && runtime.GOOS != "windows" {
		return nil, fmt.Errorf("the key %s can be read by others; make a new one, in a file of mode 0600", path)
	}
	return approval.NewKey(secret)
}

// saveKey writes a new key, and never over one that is there.
func saveKey(path string, secret []byte) (*approval.Key, error) {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return nil, err
	}
	_, err = f.Write(secret)
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return nil, err
	}
	return approval.NewKey(secret)
}
