package vetoredis

import (
	"crypto/sha1"
	"embed"
	"encoding/hex"
	"strings"
)

//go:embed lua/*.lua
var luaFiles embed.FS

// script is what the server runs for each question.
type script struct{ text, sha string }

// newScript puts the files together. The text says whether the server was
// checked: so a server knows a process's script only if that process, or one
// that demands as much, has checked it since it started.
func newScript(checked bool) script {
	var b strings.Builder
	entries, err := luaFiles.ReadDir("lua") // in the order of their names
	if err != nil {
		panic(err) // they are part of the program
	}
	for _, e := range entries {
		text, err := luaFiles.ReadFile("lua/" + e.Name())
		if err != nil {
			panic(err)
		}
		b.Write(text)
	}
	if checked {
		b.WriteString("\n-- This server keeps what it counts.\n")
	} else {
		b.WriteString("\n-- This server may forget what it counts.\n")
	}
	sum := sha1.Sum([]byte(b.String())) // by which Redis names scripts
	return script{b.String(), hex.EncodeToString(sum[:])}
}
