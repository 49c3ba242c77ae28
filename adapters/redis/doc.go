// Package vetoredis keeps the limits, budgets and sessions of Veto in Redis,
// for several processes that share them.
//
//	client := redis.NewClient(&redis.Options{Addr: "localhost:6379", ContextTimeoutEnabled: true})
//	store, err := vetoredis.New(ctx, client, nil)
//	…
//	authorizer, err := veto.New(policies, &veto.Options{Store: store})
//
// A decision that limits or sessions have a say in is one command, EVALSHA, of
// one script (the directory lua) that answers it atomically and by the
// server's clock: limits of several processes are as exact as those of one.
// Other decisions ask nothing.
//
// # What denies
//
// A server that is down, slower than Options.Timeout, full, a replica, or that
// answers something else than was asked, denies the calls that need it, with
// the code limits_unavailable. A question is asked once and never again: what
// it is unknown of whether it was counted may be, and then permits less. The
// client reconnects by itself.
//
// # What the server must keep
//
// A limit that is forgotten begins anew. So New refuses a server that does not
// write each count to its disk before it answers (appendonly yes, appendfsync
// always, no-appendfsync-on-rewrite no), or that may evict keys (any
// maxmemory-policy but noeviction), or that does not show its configuration;
// Options.AcceptThatCountsMayBeForgotten takes it all the same. A server that
// has restarted, or another one that has taken its place, is checked again
// before it is used. A configuration that is changed while the server runs is
// not seen.
//
// Replication is asynchronous: when a replica is promoted, what its master
// counted in the last moments is forgotten, whatever either writes to its
// disk. That can be as much as was counted since the replica fell behind. WAIT,
// and min-replicas-to-write, make this rarer, and guarantee nothing. Where no
// call too many may pass a failover: promote by hand, after the longest window
// has passed, or put the agents on hold (Authorizer.SuspendAll) until then.
// Sessions that the replica has not heard of are unknown, and deny.
//
// Limits are as good as the server's clock: one that is set forward ends
// windows early. One that is set back frees nothing: counters of a time that
// was ahead stand still until it has come.
//
// # Scale
//
// All keys of a project carry one hash tag and are on one server of a cluster:
// the project is what scales. Several projects spread over the servers; one
// does not. On a server one script runs at a time.
//
// All processes must decide by the same policies (the same Revision), since a
// counter is that of a rule as it is written, and with the same Prefix and
// bounds of these Options.
package vetoredis
