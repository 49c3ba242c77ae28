//go:build !race

package condition

const slow = 1
