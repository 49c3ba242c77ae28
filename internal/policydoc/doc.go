// Package policydoc reads policy documents.
//
// A document is JSON, or YAML as the JSON that it denotes. Either becomes a
// [value.Tree] first, by the same strict reader that reads the arguments of
// calls; YAML is rewritten as JSON on the way, so that there is one set of
// rules about duplicate keys, numbers, depth and Unicode. One decoder then
// fills the types of package rules from the tree, by their json tags. It
// refuses what encoding/json would forgive: unknown members, members whose
// case differs, null, empty strings.
//
// Nothing records where each value stood. The tree knows, and only a fault
// asks: its path is walked down the tree again, to a line and a column. That
// works for what the decoder finds as well as for what rules.Validate or the
// evaluator says about the finished set.
package policydoc
