package rules

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// An ID is a UUID of version 7, sorts by time, and reads back.
func TestID(t *testing.T) {
	at := time.Date(2026, 1, 2, 3, 4, 5, 6_000_000, time.UTC)
	id := NewID(at)
	text := id.String()
	require.Regexp(t, `^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`, text)
	ms := uint64(0)
	for _, b := range id[:6] {
		ms = ms<<8 | uint64(b)
	}
	require.EqualValues(t, at.UnixMilli(), ms)
	require.Less(t, text, NewID(at.Add(time.Millisecond)).String())
	var back ID
	require.NoError(t, back.UnmarshalText([]byte(text)))
	require.Equal(t, id, back)
	for _, bad := range []string{"", text[:35], text + "0", "g" + text[1:]} {
		if back.UnmarshalText([]byte(bad)) == nil {
			t.Error(bad)
		}
	}
	seen := make(map[ID]bool)
	for range 10_000 {
		seen[NewID(at)] = true
	}
	require.Len(t, seen, 10_000)
}
