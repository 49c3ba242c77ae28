//go:build race

package guard_test

// raceEnabled: under the race detector pools drop what they are given, and time
// is no measure.
const raceEnabled = true
