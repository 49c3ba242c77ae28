package veto

import (
	"context"
	"sync/atomic"
)

var defaultAuthorizer atomic.Pointer[Authorizer]

// Default returns the Authorizer that the package-level Authorize asks. Until
// SetDefault it is nil, and denies every call.
func Default() *Authorizer { return defaultAuthorizer.Load() }

// SetDefault makes a the Authorizer that Default returns. A nil a denies
// every call.
func SetDefault(a *Authorizer) { defaultAuthorizer.Store(a) }

// Authorize is Default().Authorize.
func Authorize(ctx context.Context, agentID, tool string, params any) (Result, error) {
	return Default().Authorize(ctx, agentID, tool, params)
}
