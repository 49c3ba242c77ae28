// Package audit keeps the records of decisions.
//
// Every decision gives one [Record], which goes to a [Sink]. The package has
// sinks that keep records in memory ([Memory]) and that write them to a zap or
// slog logger ([NewZap], [NewSlog]), and [Multi] for several at once. Package
// audittest checks those that others write.
//
// # What a record holds
//
// A record names the call and what decided it. Parameters are redacted: the
// value of every key that names a secret is replaced, at any depth, before a
// sink can see anything; see [Redactor] for the keys, and for what they cannot
// find. Beside them stands a keyed digest of the parameters as they were, by
// which a call can be recognised by whoever has the [DigestKey]. Of parameters
// over 8 KiB a record has the size and the digest only, and of an invalid
// request it has none.
//
// The names of the call are recorded as the host gave them. Do not put a
// secret in an agent, tool, project, session, user or call id.
//
// # Sinks
//
// A decision whose record a sink does not keep is a denial. A sink that wants
// a record after Record has returned keeps a [Record.Clone].
//
// # Programs that log with log/slog
//
// [NewSlog] takes a *slog.Logger for the records. What else Veto has to tell
// goes to a *zap.Logger; one whose core hands its entries to a slog.Handler is
// a page of code, shown as an example of this package.
package audit
