package corpus

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/useveto/veto-go"
)

// fault is one fault that the documents must have.
type fault struct {
	file string
	line int
	path string
	text string // a part of the message or of the hint
}

func parseFaults(f file) ([]fault, error) {
	var faults []fault
	for line := range strings.Lines(f.text) {
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		parts := strings.SplitN(line, ": ", 3)
		if len(parts) != 3 {
			return nil, fmt.Errorf("%q has no place, path and text", line)
		}
		name, number, _ := strings.Cut(parts[0], ":")
		n, err := strconv.Atoi(number)
		if err != nil {
			return nil, fmt.Errorf("%q does not begin with a file and a line", line)
		}
		if parts[1] == "-" {
			parts[1] = ""
		}
		faults = append(faults, fault{name, n, parts[1], parts[2]})
	}
	return faults, nil
}

func (f *fault) matches(got *veto.Fault) bool {
	return f.file == got.File && f.line == got.Line && f.path == got.Path &&
		strings.Contains(got.Message+"; "+got.Hint, f.text)
}

func (f *fault) String() string {
	path := f.path
	if path == "" {
		path = "-"
	}
	return fmt.Sprintf("%s:%d: %s: %s", f.file, f.line, path, f.text)
}

// differences says which faults are missing, and which there are besides.
func differences(want []fault, got []veto.Fault) (all []string) {
	matched := make([]bool, len(got))
	for i := range want {
		found := false
		for j := range got {
			if !matched[j] && want[i].matches(&got[j]) {
				matched[j], found = true, true
				break
			}
		}
		if !found {
			all = append(all, "missing: "+want[i].String())
		}
	}
	for j := range got {
		if !matched[j] {
			all = append(all, "not expected: "+got[j].Error())
		}
	}
	return all
}
