package policydoc

import "slices"

// The checks of constraints have other names, or none, in tool policies. Who
// writes one of the other form gets told, and no name that is near by chance.
var (
	inConstraint = map[string]string{
		"minimum": "min", "greaterThanOrEqual": "min", "maximum": "max", "lessThanOrEqual": "max",
		"in": "enum", "notIn": "notEnum", "required": "optional: true for what may be absent", "notNull": "nullable: true for what may be null",
	}
	inToolPolicy = map[string]string{
		"min": "minimum", "max": "maximum", "optional": "required: false for what may be absent",
		"match": "regex, with ^(?: before the expression and )$ after it",
	}
	onlyConstraint = []string{
		"type", "inList", "notInList", "ignoreCase", "nullable", "within", "hosts", "assumeScheme", "noQuery", "emailDomains", "expression",
	}
)

// otherForm returns a hint for a name that the other form of constraint has.
// known are the names of this one, or of something else.
func otherForm(name string, known []string) (hint string, ok bool) {
	switch {
	case slices.Contains(known, "argumentName"):
		if slices.Contains(onlyConstraint, name) {
			return "tool policies do not have this check; write a parameter_constraint of a policy", true
		}
		hint = inToolPolicy[name]
	case slices.Contains(known, "emailDomains"):
		hint = inConstraint[name]
	}
	if hint == "" {
		return "", false
	}
	return "that is of the other form of constraint; here it is " + hint, true
}
