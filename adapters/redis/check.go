package vetoredis

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"

	goredis "github.com/redis/go-redis/v9"
)

// ErrForgets is the error of a server that could forget what it counted, or
// that does not say. [Options.AcceptThatCountsMayBeForgotten] takes it all the
// same.
var ErrForgets = errors.New("vetoredis: the server could forget what it counts")

// oldest is the first version of Redis that is known to work.
const oldest = 7

// durable are the settings that a server needs.
var durable = []struct{ name, want string }{
	{"appendonly", "yes"},
	{"appendfsync", "always"},
	{"no-appendfsync-on-rewrite", "no"},
	{"maxmemory-policy", "noeviction"},
}

// accept says what to do about a server that cannot be otherwise.
const accept = "; set Options.AcceptThatCountsMayBeForgotten to use it all the same, if limits may begin anew when it restarts"

// checkServer reports a server that cannot be used.
func checkServer(ctx context.Context, c *goredis.Client, mayForget bool) error {
	info, err := c.Info(ctx, "server", "replication").Result()
	switch {
	case refused(err) && mayForget:
		return nil
	case refused(err):
		return fmt.Errorf("%w: it does not say what it is (INFO: %w)"+accept, ErrForgets, err)
	case err != nil:
		return err
	}
	version := infoField(info, "redis_version")
	major, _, _ := strings.Cut(version, ".")
	if n, err := strconv.Atoi(major); err != nil || n < oldest {
		return fmt.Errorf("vetoredis: the server is of version %.20q; it must be %d.0 or later", version, oldest)
	}
	if role := infoField(info, "role"); role != "master" {
		return fmt.Errorf("vetoredis: the server is a %.20q and not a master", role)
	}
	if mayForget {
		return nil
	}
	names := make([]string, len(durable))
	for i, d := range durable {
		names[i] = d.name
	}
	settings, err := configGet(ctx, c, names)
	switch {
	case refused(err):
		return fmt.Errorf("%w: it does not show its configuration (CONFIG GET: %w)"+accept, ErrForgets, err)
	case err != nil:
		return err
	}
	var wrong []string
	for _, d := range durable {
		switch got, ok := settings[d.name]; {
		case !ok:
			wrong = append(wrong, fmt.Sprintf("%s is not shown and must be %q", d.name, d.want))
		case got != d.want:
			wrong = append(wrong, fmt.Sprintf("%s is %.20q and must be %q", d.name, got, d.want))
		}
	}
	if wrong != nil {
		return fmt.Errorf("%w: %s"+accept, ErrForgets, strings.Join(wrong, "; "))
	}
	return nil
}

// configGet asks for several settings at once.
func configGet(ctx context.Context, c *goredis.Client, names []string) (map[string]string, error) {
	args := []any{"config", "get"}
	for _, n := range names {
		args = append(args, n)
	}
	cmd := goredis.NewMapStringStringCmd(ctx, args...)
	_ = c.Process(ctx, cmd)
	return cmd.Result()
}

// refused reports whether err is the answer of a server that has understood,
// and does not do it: because of who asks, or for nobody. Servers that others
// manage have words of their own for that.
func refused(err error) bool {
	var answer goredis.Error
	if !errors.As(err, &answer) {
		return false
	}
	text := answer.Error()
	return strings.HasPrefix(text, "NOPERM ") || strings.HasPrefix(text, "ERR ") && !strings.HasPrefix(text, "ERR max number of clients")
}

func infoField(info, name string) string {
	for line := range strings.Lines(info) {
		if value, ok := strings.CutPrefix(line, name+":"); ok {
			return strings.TrimSpace(value)
		}
	}
	return ""
}
