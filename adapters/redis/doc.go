// Package vetoredis is a placeholder.
package vetoredis
