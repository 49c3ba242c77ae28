package approval_test

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/useveto/veto-go/approval"
)

// BenchmarkFind is what a call costs whose ticket is there.
func BenchmarkFind(b *testing.B) {
	book, _ := newBook(b, newDir(b, b.TempDir()+"/d"))
	approved(b, book, 1)
	b.ReportAllocs()
	for b.Loop() {
		_, err := book.Find(ctx, binding(1))
		require.NoError(b, err)
	}
}

// BenchmarkScan is what a call costs that has no ticket, beside those of a week.
func BenchmarkScan(b *testing.B) {
	for _, n := range []int{100, 10_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			path := b.TempDir() + "/d"
			dir := newDir(b, path)
			for name, data := range used(b, n) {
				// Not through the store, which would sync each.
				require.NoError(b, os.WriteFile(filepath.Join(path, name), data, 0o600))
			}
			book, _ := newBook(b, dir)
			b.ReportAllocs()
			for b.Loop() {
				_, err := book.Find(ctx, binding(-1))
				require.ErrorIs(b, err, approval.ErrNotFound)
			}
		})
	}
}

// used returns the entries of n tickets that were used.
func used(b *testing.B, n int) map[string][]byte {
	all := make(map[string][]byte)
	for i := range n {
		store := new(approval.Memory) // each alone: no others to list
		book, _ := newBook(b, store)
		ticket := approved(b, book, i)
		require.NoError(b, book.Use(ctx, ticket.ID, binding(i)))
		names, err := store.List(ctx)
		require.NoError(b, err)
		for _, name := range names {
			all[name] = read(b, store, name)
		}
	}
	return all
}
