// Package dirnames finds the names under which a directory is reached, for
// checks of paths that are lexical and look at no file system.
package dirnames

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// maxLinks is how many symbolic links are followed.
const maxLinks = 255

// Of returns the absolute names of what path leads to: as it is given, with
// each symbolic link on the way in turn replaced by its target, and last
// without any. It is as the file system is now; of links elsewhere that lead to
// the same place it knows nothing. What is not there, or cannot be read, is
// taken for no link.
func Of(path string) ([]string, error) {
	if !filepath.IsAbs(path) {
		dir, err := filepath.Abs(".")
		if err != nil {
			return nil, err
		}
		path = dir + string(filepath.Separator) + path // not cleaned: "link/.." is not "."
	}
	names := []string{filepath.Clean(path)}
	real, rest := split(path)
	for links := 0; len(rest) > 0; {
		first := rest[0]
		rest = rest[1:]
		switch first {
		case "", ".":
			continue
		case "..":
			real = filepath.Dir(real)
			continue
		}
		name := filepath.Join(real, first)
		target, err := os.Readlink(name)
		if err != nil {
			real = name
			continue
		}
		if links++; links > maxLinks {
			return nil, fmt.Errorf("%s: more than %d symbolic links", path, maxLinks)
		}
		if filepath.IsAbs(target) {
			real = filepath.VolumeName(target) + string(filepath.Separator)
		}
		_, parts := split(target)
		rest = append(parts, rest...)
		names = append(names, filepath.Join(real, filepath.Join(rest...)))
	}
	names = slices.DeleteFunc(names, func(n string) bool { return n == real })
	return append(slices.Compact(names), real), nil
}

// split takes a path apart, into the root that it begins at and its segments.
func split(path string) (root string, segments []string) {
	volume := filepath.VolumeName(path)
	rest := filepath.ToSlash(path[len(volume):])
	return volume + string(filepath.Separator), strings.Split(rest, "/")
}
