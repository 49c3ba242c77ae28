package condition

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"cel.dev/cel-go/common"
	"cel.dev/cel-go/common/ast"
	"cel.dev/cel-go/common/types"
)

// SyntaxError is what is wrong with the text of a condition, and where.
type SyntaxError struct {
	// Line and Column count from 1; columns count code points.
	Line, Column int
	Message      string
	// Snippet is the line, cut to its part around the column, and a caret on
	// a line below it.
	Snippet string
	// More is how many further errors there are.
	More int
}

// Error implements error. It has three lines: position and message, the line
// of the source, and a caret below the column.
func (e *SyntaxError) Error() string {
	more := ""
	if e.More > 0 {
		more = fmt.Sprintf(" (and %d more)", e.More)
	}
	return fmt.Sprintf("%d:%d: %s%s\n%s", e.Line, e.Column, e.Message, more, e.Snippet)
}

func syntaxError(source string, line, column int, message string) *SyntaxError {
	return &SyntaxError{Line: line, Column: column, Message: message, Snippet: snippet(source, line, column)}
}

// snippet shows the column of a line, at most 60 characters of it.
func snippet(source string, line, column int) string {
	const before, width = 40, 60
	lines := strings.Split(source, "\n")
	if line < 1 || line > len(lines) {
		return ""
	}
	text := []rune(strings.TrimRight(lines[line-1], "\r"))
	column = max(0, min(column-1, len(text)))
	start := max(0, column-before)
	end := min(len(text), start+width)
	// A tab is a tab in the line of the caret too.
	pad := make([]rune, column-start)
	for i := range pad {
		pad[i] = ' '
		if text[start+i] == '\t' {
			pad[i] = '\t'
		}
	}
	return "  " + string(text[start:end]) + "\n  " + string(pad) + "^"
}

// syntaxErrors makes one error of those of cel-go about a condition of a kind.
func syntaxErrors(source string, kind Kind, errs []*common.Error) error {
	out := make([]*SyntaxError, 0, len(errs))
	for _, e := range errs {
		line, column := 1, 1
		if e.Location != nil && e.Location.Line() > 0 {
			line, column = e.Location.Line(), e.Location.Column()+1
		}
		out = append(out, syntaxError(source, line, column, improve(e.Message, kind)))
	}
	return firstOf(out)
}

// firstOf returns the first of errs in the order of the text, or nil.
func firstOf(errs []*SyntaxError) error {
	if len(errs) == 0 {
		return nil
	}
	slices.SortStableFunc(errs, func(a, b *SyntaxError) int {
		if a.Line != b.Line {
			return a.Line - b.Line
		}
		return a.Column - b.Column
	})
	first := *errs[0]
	first.More = len(errs) - 1
	return &first
}

// planError is an error of planning, which knows its place at best.
func planError(source string, tree *ast.AST, err error) error {
	line, column := 1, 1
	if e := (*types.Err)(nil); errors.As(err, &e) && e.NodeID() > 0 {
		loc := tree.SourceInfo().GetStartLocation(e.NodeID())
		line, column = loc.Line(), loc.Column()+1
	}
	return syntaxError(source, line, column, err.Error())
}

var operatorNames = strings.NewReplacer(
	"_==_", "==", "_!=_", "!=", "_<_", "<", "_<=_", "<=", "_>_", ">", "_>=_", ">=",
	"_+_", "+", "_-_", "-", "_*_", "*", "_/_", "/", "_%_", "%",
	"_&&_", "&&", "_||_", "||", "!_", "!", "-_", "-", "_[_]", "[]", "_?_:_", "?:", "@in", "in",
	" (in container '')", "")

// improve makes a message of cel-go speak of the source: operators as they
// are written, and nothing of containers, which we have not, or of tokens. A
// variable that other kinds of condition have is no slip of the pen.
func improve(message string, kind Kind) string {
	if m, ok := strings.CutPrefix(message, "Syntax error: "); ok {
		if strings.Contains(m, "'<EOF>'") {
			return "syntax error: the condition ends too early"
		}
		m, _, _ = strings.Cut(m, " expecting ")
		return "syntax error: " + m
	}
	message = operatorNames.Replace(message)
	if rest, ok := strings.CutPrefix(message, "undeclared reference to '"); ok {
		name, _, _ := strings.Cut(rest, "'")
		if advice := elsewhere(name, kind); advice != "" {
			return advice
		}
	}
	return message
}

// elsewhere says what to write in the place of a variable that conditions of
// this kind do not have, and others do.
func elsewhere(name string, kind Kind) string {
	named := func(v variable) bool { return v.name == name }
	switch {
	case kind == Earlier && name == "now":
		return "now is not the time of the earlier call, and cannot be read here: say with withinSeconds how long ago the call may be"
	case kind == Value && slices.ContainsFunc(variables[When], named):
		return name + " cannot be read in an expression, which is about value and args: say it in the when of the rule"
	case kind != Value && name == "value":
		return "value is what the expression of a constraint is about, and cannot be read here: read args"
	default:
		return ""
	}
}
