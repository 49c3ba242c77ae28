package veto

import (
	"fmt"
	"slices"
)

// SetList replaces the content of a named list of the policies, at once and
// without a reload; it copies values. The content stays when policies are
// replaced by others that have the list. The error says that the policies have
// no such list; then nothing changes.
//
// While a content is set so, what documents say of the list has no effect: see
// ResetList. Results and records name it after the revision of the policies, as
// in "4f…+lists-2", where the number counts the changes.
func (a *Authorizer) SetList(name string, values []string) error {
	if a == nil {
		return fmt.Errorf("veto: SetList %q: the Authorizer is nil; make one with New", name)
	}
	a.change.Lock()
	defer a.change.Unlock()
	values = slices.Clone(values)
	p := a.current.Load().get().program
	if !p.ReplaceList(name, values) {
		return fmt.Errorf("veto: the policies have no list %q", name)
	}
	if a.lists == nil {
		a.lists = make(map[string][]string)
	}
	a.lists[name] = values
	a.listChanges++
	a.setCurrent(p)
	return nil
}

// ResetList ends a SetList: the content of the list is that of the policies
// again. The error says that the policies have no such list.
func (a *Authorizer) ResetList(name string) error {
	if a == nil {
		return fmt.Errorf("veto: ResetList %q: the Authorizer is nil; make one with New", name)
	}
	a.change.Lock()
	defer a.change.Unlock()
	p := a.current.Load().get().program
	if !p.ResetList(name) {
		return fmt.Errorf("veto: the policies have no list %q", name)
	}
	delete(a.lists, name)
	a.listChanges++
	a.setCurrent(p)
	return nil
}
