package approval

import (
	"bytes"
	"context"
	"io/fs"
	"sync"
)

// Memory is a Store that lasts as long as the program: for tests, and for
// programs whose approvals need not survive them. The zero Memory is empty and
// ready. It is safe for concurrent use.
type Memory struct {
	mu      sync.Mutex
	entries map[string][]byte
	lock    chan struct{} // holds one value while locked
}

// Create makes an entry.
func (m *Memory) Create(ctx context.Context, name string, data []byte) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if _, ok := m.entries[name]; ok {
		return &fs.PathError{Op: "create", Path: name, Err: fs.ErrExist}
	}
	if m.entries == nil {
		m.entries = make(map[string][]byte)
	}
	m.entries[name] = bytes.Clone(data)
	return nil
}

// Read returns an entry.
func (m *Memory) Read(ctx context.Context, name string) ([]byte, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	data, ok := m.entries[name]
	if !ok {
		return nil, &fs.PathError{Op: "read", Path: name, Err: fs.ErrNotExist}
	}
	return bytes.Clone(data), nil
}

// List returns the names of all entries.
func (m *Memory) List(ctx context.Context) ([]string, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	names := make([]string, 0, len(m.entries))
	for name := range m.entries {
		names = append(names, name)
	}
	return names, ctx.Err()
}

// Remove removes an entry.
func (m *Memory) Remove(ctx context.Context, name string) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.entries, name)
	return nil
}

// Lock waits for the lock.
func (m *Memory) Lock(ctx context.Context) (unlock func(), err error) {
	m.mu.Lock()
	if m.lock == nil {
		m.lock = make(chan struct{}, 1)
	}
	lock := m.lock
	m.mu.Unlock()
	select {
	case lock <- struct{}{}:
		return func() { <-lock }, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}
