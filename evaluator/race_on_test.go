//go:build race

package evaluator

// raceEnabled: everything takes ten times as long, so there is less of it.
const raceEnabled = true
