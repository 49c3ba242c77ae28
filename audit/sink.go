package audit

import (
	"context"
	"errors"
	"fmt"
)

// Sink keeps the records of decisions.
type Sink interface {
	// Record keeps r, or returns an error: then the call that r is about is
	// refused. It may be called from several goroutines at once. r and what
	// it points to belong to the caller again when Record returns; a sink
	// that keeps a record keeps r.Clone(). ctx is never done.
	Record(ctx context.Context, r *Record) error
}

// Discard is a Sink that keeps nothing.
var Discard Sink = discard{}

type discard struct{}

func (discard) Record(context.Context, *Record) error { return nil }

// Multi returns a Sink that hands each record to all sinks, in order, and
// fails where any of them does: the errors are joined, and a panic of one is
// an error that does not keep the record from the rest.
func Multi(sinks ...Sink) Sink { return multi(append([]Sink(nil), sinks...)) }

type multi []Sink

func (m multi) Record(ctx context.Context, r *Record) error {
	var errs []error
	for _, s := range m {
		if err := try(ctx, s, r); err != nil {
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}

func try(ctx context.Context, s Sink, r *Record) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("audit: sink panicked: %v", p)
		}
	}()
	return s.Record(ctx, r)
}
