//go:build !race

package constraint

const raceDetector = false
