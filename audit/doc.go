// Package audit keeps the records of decisions.
//
// Every decision gives one [Record], which goes to a [Sink]. The package has
// sinks that keep records in memory ([Memory]) and that write them to a zap
// or slog logger ([NewZap], [NewSlog]), and [Multi] for several at once.
//
// # What a record holds
//
// A record names the call and what decided it. Parameters are redacted: the
// value of every key that names a secret is replaced, at any depth, before
// anything is kept; see [Redactor]. Beside them stands a keyed digest of the
// parameters as they were, by which a call can be recognised by whoever has
// the key.
//
// # Sinks
//
// A decision whose record a sink does not keep is a denial. A sink that wants
// a record after Record has returned keeps a [Record.Clone].
package audit
