//go:build race

package veto_test

// raceEnabled: under the race detector pools drop what they are given, so
// allocations cannot be counted.
const raceEnabled = true
