// Package shape knows what a Go type makes of JSON, and finds arguments that
// it would take otherwise than a decision on that JSON takes them. What reads
// the JSON is encoding/json or something in its manner.
package shape

import (
	"maps"
	"reflect"
	"slices"
)

// Shape is what is made of JSON for values of a type. It is read only, and may
// be used by many at once.
type Shape struct {
	object   bool                // they are objects
	fields   map[string][]*Shape // of a struct by their names, each with all that it could be
	folded   map[string]string   // of a struct: those names by their folding
	owners   map[string]string   // of a struct: the fields by those names
	named    map[string]bool     // of a struct: those names that a tag gives
	exact    bool                // a key that differs in case is none of a field
	speaks   bool                // they speak for themselves: there may be other fields
	members  *Shape              // of maps
	integers bool                // of maps: their keys are read as integers
	element  *Shape              // of arrays and slices
	fixed    bool                // they are arrays
	length   int                 // of so many elements, where fixed
	bytes    bool                // they are slices of bytes, in base64, or of what speaks for itself, in arrays
	maybe    bool                // they are bytes only if what is there can be
	number   bool                // they are numbers, which are read from a string, too
	twice    bool                // they are read from the text in a string
	float    int                 // bits that are kept of a number; 0 for all of it

	parts    []*Shape  // what is in them, where they may read themselves into one of it
	readings []reading // they and their parts, and the parts of those
}

// Object reports whether the values are JSON objects.
func (s *Shape) Object() bool { return s.object }

// Names returns the parameters, sorted; nil where they are not known.
func (s *Shape) Names() []string {
	if s.fields == nil || s.speaks {
		return nil
	}
	names := slices.AppendSeq([]string{}, maps.Keys(s.fields))
	slices.Sort(names)
	return names
}

// reading is one way in which a value may be read: by a shape, but for the
// members that another one has under a name which a tag gives.
type reading struct {
	*Shape
	but *Shape // nil for none
}

// finish finds the readings of s.
func (s *Shape) finish() {
	s.readings = []reading{{Shape: s}}
	for i := 0; i < len(s.readings); i++ {
		r := s.readings[i]
		but := r.but
		if len(r.named) > 0 {
			but = r.Shape
		}
		for _, p := range r.parts {
			if next := (reading{p, but}); !slices.Contains(s.readings, next) {
				s.readings = append(s.readings, next)
			}
		}
	}
}

// Way is how a type is used.
type Way uint8

// The ways.
const (
	// Both is to be written and read by encoding/json.
	Both Way = iota
	// Read is to be read by encoding/json.
	Read
	// ReadExactly is to be read by something that takes a key for a field only
	// if it is spelt as that. Types that read themselves do so by encoding/json.
	ReadExactly
)

// Survey is what there is to know of a type and of all that it is made of,
// each as text for whoever wrote it; "" for nothing.
type Survey struct {
	Hidden  string // a field that is not in the JSON
	Foreign string // what JSON cannot be, or cannot be read into
	Clash   string // two fields whose names differ in case only
	Twice   string // two fields of one name, of which at most one is in the JSON
	Loose   string // what is read as the same from what is not to a decision
	OneWay  string // what is never read as it is written
}

// Of surveys t. Of types that speak for themselves only they know all: to who
// reads JSON those are the ones that read themselves.
func Of(t reflect.Type, way Way) (*Survey, *Shape) {
	v := &survey{way: way, seen: make(map[visit]*Shape)}
	s := v.of(t)
	for _, made := range v.made {
		made.finish()
	}
	return &v.Survey, s
}
