//go:build race

package condition

// slow is how much longer everything takes under the race detector.
const slow = 20
