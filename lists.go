package veto

import (
	"fmt"
	"slices"
)

// SetList replaces the content of a named list of the policies, at once and
// without a reload; it copies values. The content stays when policies are
// replaced by others that have the list. The error says that the policies have
// no such list; then nothing changes.
func (a *Authorizer) SetList(name string, values []string) error {
	if a == nil {
		return fmt.Errorf("veto: SetList %q: the Authorizer is nil; make one with New", name)
	}
	a.change.Lock()
	defer a.change.Unlock()
	values = slices.Clone(values)
	if !a.program.Load().ReplaceList(name, values) {
		return fmt.Errorf("veto: the policies have no list %q", name)
	}
	if a.lists == nil {
		a.lists = make(map[string][]string)
	}
	a.lists[name] = values
	return nil
}
