package corpus

import (
	"fmt"
	"io/fs"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/useveto/veto-go"
)

// Case is one case.
type Case struct {
	// Name is the path of the file without its extension.
	Name string
	// Prose says what the case guards, Sections what it is about, as in
	// "3.4 Order".
	Prose    string
	Sections []string

	options   veto.Options
	documents map[string]file
	steps     []step
	faults    []fault
}

// Load reads every file of fsys whose name ends in .txtar, in the order of
// their names.
func Load(fsys fs.FS) ([]*Case, error) {
	var cases []*Case
	err := fs.WalkDir(fsys, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || path.Ext(name) != ".txtar" {
			return err
		}
		text, err := fs.ReadFile(fsys, name)
		if err != nil {
			return err
		}
		c, err := Parse(strings.TrimSuffix(name, ".txtar"), string(text))
		cases = append(cases, c)
		return err
	})
	return cases, err
}

var sectionLine = regexp.MustCompile(`^Section: ([0-9]+(?:\.[0-9]+)? .+)$`)

// Parse reads one case.
func Parse(name, text string) (*Case, error) {
	c := &Case{Name: name, documents: make(map[string]file)}
	prose, files, err := unpack(text)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	var words []string
	for line := range strings.Lines(prose) {
		if m := sectionLine.FindStringSubmatch(strings.TrimSpace(line)); m != nil {
			c.Sections = append(c.Sections, m[1])
		} else if line = strings.TrimSpace(line); line != "" {
			words = append(words, line)
		}
	}
	c.Prose = strings.Join(words, " ")
	for _, f := range files {
		if err := c.add(f); err != nil {
			return nil, fmt.Errorf("%s: %s: %w", name, f.name, err)
		}
	}
	return c, c.check()
}

// add takes in one file of the case.
func (c *Case) add(f file) (err error) {
	switch path.Ext(f.name) {
	case ".yaml", ".yml", ".json":
		c.documents[f.name] = f
		return nil
	}
	switch f.name {
	case "options":
		return c.setOptions(f.text)
	case "calls":
		c.steps, err = parseSteps(f)
	case "faults":
		c.faults, err = parseFaults(f)
	default:
		return fmt.Errorf("a case has no such file")
	}
	return err
}

// check looks for what makes a case say nothing.
func (c *Case) check() error {
	switch {
	case c.Prose == "":
		return fmt.Errorf("%s: it does not say what it guards", c.Name)
	case c.Sections == nil:
		return fmt.Errorf("%s: it names no section", c.Name)
	case len(c.documents) == 0:
		return fmt.Errorf("%s: it has no policy document", c.Name)
	case (c.steps == nil) == (c.faults == nil):
		return fmt.Errorf("%s: it has neither calls nor faults, or both", c.Name)
	}
	for _, s := range c.steps {
		for _, name := range s.load {
			if _, ok := c.documents[name]; !ok {
				return fmt.Errorf("%s: line %d: there is no file %s", c.Name, s.line, name)
			}
		}
	}
	return nil
}

func (c *Case) setOptions(text string) (err error) {
	for line := range strings.Lines(text) {
		name, value, _ := strings.Cut(strings.TrimSpace(line), ": ")
		o := &c.options
		switch name {
		case "":
		case "strictGrant":
			o.StrictGrant, err = strconv.ParseBool(value)
		case "project":
			o.Project = value
		case "requireProject":
			o.RequireProject, err = strconv.ParseBool(value)
		case "requireSession":
			o.RequireSession, err = strconv.ParseBool(value)
		case "maxParameterBytes":
			o.MaxParameterBytes, err = strconv.Atoi(value)
		case "mode":
			err = o.Mode.UnmarshalText([]byte(value))
		default:
			err = fmt.Errorf("there is no option %q", name)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// first returns the names of the documents that are loaded at the start.
func (c *Case) first() (names []string) {
	later := make(map[string]bool)
	for _, s := range c.steps {
		for _, name := range s.load {
			later[name] = true
		}
	}
	for name := range c.documents {
		if !later[name] {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}
