//go:build !race

package veto_test

const raceEnabled = false
