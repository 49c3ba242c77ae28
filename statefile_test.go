package veto_test

import (
	"errors"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/useveto/veto-go"
	"github.com/useveto/veto-go/evaluator"
	"github.com/useveto/veto-go/rules"
)

func statePolicies() *veto.PolicySet {
	return set(allowlist("*"), limit(3, 86400, "limited"),
		budget(rules.Budget{Cost: number("1"), Max: number("3"), PerSession: true}, "limited"),
		sequence(rules.Sequence{BlockedBy: entries("read")}, "send"))
}

// files are the names of a directory.
func files(t testing.TB, dir string) []string {
	t.Helper()
	all, err := os.ReadDir(dir)
	require.NoError(t, err)
	names := []string{}
	for _, f := range all {
		names = append(names, f.Name())
	}
	return names
}

// What was counted is there again after a restart from the file, which only
// its owner can read.
func TestSaveAndLoadState(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "state")
	state := evaluator.NewState(nil)
	a := inSession(t, statePolicies(), &veto.Options{State: state})
	say(a, "limited", nil)
	say(a, "limited", nil)
	say(a, "read", nil)
	state.Close()
	require.NoError(t, a.SaveState(path))
	require.Equal(t, []string{"state", "state.sessions"}, files(t, dir))
	info, err := os.Stat(path)
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o600), info.Mode())

	state, err = veto.LoadState(path, nil)
	require.NoError(t, err)
	require.Equal(t, []string{"state"}, files(t, dir))
	b := newAuthorizer(t, statePolicies(), &veto.Options{State: state})
	require.Equal(t, rules.CodeSequenceViolated, say(b, "send", nil))
	require.Equal(t, rules.CodeAllowed, say(b, "limited", nil))
	require.Equal(t, rules.CodeRateLimited, say(b, "limited", nil))

	// It is replaced as a whole, also where it was readable for others.
	require.NoError(t, os.Chmod(path, 0o644))
	require.NoError(t, b.SaveState(path))
	info, err = os.Stat(path)
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o600), info.Mode())
	state, err = veto.LoadState(path, nil)
	require.NoError(t, err)
	c := newAuthorizer(t, statePolicies(), &veto.Options{State: state})
	require.Equal(t, rules.CodeRateLimited, say(c, "limited", nil))
}

// A file that is not there, or is damaged, is an error and no empty State.
func TestLoadStateFails(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "state")
	s, err := veto.LoadState(path, nil)
	require.ErrorIs(t, err, os.ErrNotExist)
	require.Nil(t, s)
	a := inSession(t, statePolicies(), nil)
	require.NoError(t, a.SaveState(path))
	data, err := os.ReadFile(path)
	require.NoError(t, err)
	for name, bad := range map[string][]byte{"empty": nil, "cut": data[:len(data)-1], "longer": append(data[:len(data):len(data)], '\n'), "something else": []byte("{}")} {
		require.NoError(t, os.WriteFile(path, bad, 0o600))
		s, err := veto.LoadState(path, nil)
		require.ErrorIs(t, err, evaluator.ErrState, name)
		require.ErrorContains(t, err, path, name)
		require.Nil(t, s, name)
	}
	s, err = veto.LoadState(dir, nil)
	require.Error(t, err)
	require.False(t, errors.Is(err, os.ErrNotExist))
	require.Nil(t, s)
}

// Where the file cannot be written, what was there stays, and nothing is left
// over.
func TestSaveStateFails(t *testing.T) {
	dir := t.TempDir()
	a := inSession(t, statePolicies(), nil)
	require.ErrorIs(t, a.SaveState(filepath.Join(dir, "none", "state")), os.ErrNotExist)
	require.Empty(t, files(t, dir))
	path := filepath.Join(dir, "state")
	require.NoError(t, os.MkdirAll(filepath.Join(path, "old"), 0o700))
	require.Error(t, a.SaveState(path), "a directory is in the way")
	require.Equal(t, []string{"state"}, files(t, dir))
	require.Equal(t, []string{"old"}, files(t, path))
	var none *veto.Authorizer
	require.Error(t, none.SaveState(path))
	require.Error(t, new(veto.Authorizer).SaveState(path))
}

// The state can be saved during a storm of calls, again and again; at every
// moment there is a whole file.
func TestSaveStateDuringAStorm(t *testing.T) {
	path := filepath.Join(t.TempDir(), "state")
	a := inSession(t, statePolicies(), nil)
	require.NoError(t, a.SaveState(path))
	var calls, saves sync.WaitGroup
	stop := make(chan struct{})
	for range 2 {
		saves.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				if err := a.SaveState(path); err != nil {
					t.Error(err)
				}
				if _, err := veto.LoadState(path, nil); err != nil {
					t.Error(err)
				}
			}
		})
	}
	for g := range 8 {
		calls.Go(func() {
			for i := range 300 {
				say(a, []string{"limited", "look", "send"}[(g+i)%3], map[string]any{"n": i})
			}
		})
	}
	calls.Wait()
	close(stop)
	saves.Wait()
	require.Equal(t, []string{"state"}, files(t, filepath.Dir(path)))
	state, err := veto.LoadState(path, nil)
	require.NoError(t, err)
	require.NotNil(t, state)
}

// Who starts from a file that was saved while calls went on does not know what
// was called since: its sessions are unknown. So are those of a file that
// another process has started from.
func TestSessionsAreNotForgottenHalf(t *testing.T) {
	path := filepath.Join(t.TempDir(), "state")
	state := evaluator.NewState(nil)
	a := inSession(t, statePolicies(), &veto.Options{State: state})
	require.NoError(t, a.SaveState(path))
	require.Equal(t, rules.CodeAllowed, say(a, "read", nil))
	restart := func() *veto.Authorizer {
		state, err := veto.LoadState(path, nil)
		require.NoError(t, err)
		return newAuthorizer(t, statePolicies(), &veto.Options{State: state})
	}
	b := restart() // a crashed
	require.Equal(t, rules.CodeSessionUnknown, say(b, "send", nil))
	require.Equal(t, rules.CodeSessionUnknown, say(b, "limited", nil))

	state.Close()
	require.NoError(t, a.SaveState(path))
	c := restart()
	require.Equal(t, rules.CodeSequenceViolated, say(c, "send", nil))
	require.Equal(t, rules.CodeAllowed, say(c, "limited", nil))
	d := restart() // c crashed
	require.Equal(t, rules.CodeSessionUnknown, say(d, "send", nil))
	require.Equal(t, rules.CodeSessionUnknown, say(d, "limited", nil))
}

// closedFile saves a closed state with one session.
func closedFile(t *testing.T, path string) {
	t.Helper()
	state := evaluator.NewState(nil)
	a := inSession(t, statePolicies(), &veto.Options{State: state})
	require.Equal(t, rules.CodeAllowed, say(a, "read", nil))
	state.Close()
	require.NoError(t, a.SaveState(path))
}

// However many start at once from a file, and by whatever name, one has its
// sessions.
func TestSessionsAreForOne(t *testing.T) {
	dir := t.TempDir()
	path, link := filepath.Join(dir, "state"), filepath.Join(dir, "link")
	for range 20 {
		closedFile(t, path)
		var all sync.WaitGroup
		var got [4]*evaluator.State
		for i := range got {
			all.Go(func() {
				var err error
				got[i], err = veto.LoadState(path, nil)
				if err != nil {
					t.Error(err)
				}
			})
		}
		all.Wait()
		sessions := 0
		for _, s := range got {
			sessions += s.Sessions()
		}
		require.Equal(t, 1, sessions)
	}
	closedFile(t, path)
	if err := os.Symlink(path, link); err != nil {
		t.Skip("no symbolic links here: ", err)
	}
	s, err := veto.LoadState(link, nil)
	require.NoError(t, err)
	require.Equal(t, 1, s.Sessions())
	s, err = veto.LoadState(path, nil)
	require.NoError(t, err)
	require.Zero(t, s.Sessions())

	// What another process has left is not for this one's state.
	closedFile(t, path)
	a := inSession(t, statePolicies(), nil)
	require.NoError(t, a.SaveState(link))
	require.Equal(t, []string{"link", "state"}, files(t, dir))
}

// A State that is closed denies what it would have to count, so that what is
// saved then is all there is.
func TestClosedState(t *testing.T) {
	state := evaluator.NewState(nil)
	a := inSession(t, statePolicies(), &veto.Options{State: state})
	res := reserve(t, a, "limited", nil)
	state.Close()
	require.Equal(t, rules.CodeLimitsUnavailable, say(a, "limited", nil))
	require.Equal(t, rules.CodeLimitsUnavailable, say(a, "look", nil), "a session remembers it")
	r, err := a.Authorize(ctx, "bot", "look", nil)
	require.NoError(t, err, "nothing counts it")
	require.True(t, r.Allowed)
	require.ErrorIs(t, a.OpenSession(ctx, "", "other"), evaluator.ErrClosed)
	require.ErrorIs(t, res.Commit(ctx, "2"), evaluator.ErrClosed)
}
