package rules

import "encoding/json"

// Constraint is what one parameter must be. Every check that is given must
// hold, for every value that the parameter's name selects. The zero
// Constraint demands that the parameter is present and not null.
type Constraint struct {
	// Regex and NotRegex are RE2, at most 256 characters, searched for
	// anywhere in the value; Match must match the whole value.
	Regex    *string `json:"regex,omitempty"`
	NotRegex *string `json:"notRegex,omitempty"`
	Match    *string `json:"match,omitempty"`
	// Type is string, number, integer, boolean, array or object.
	Type string `json:"type,omitempty"`
	// Enum and NotEnum: 1..100 strings, numbers or booleans.
	Enum    []Scalar `json:"enum,omitzero"`
	NotEnum []Scalar `json:"notEnum,omitzero"`
	// InList and NotInList name a list of the document.
	InList    string `json:"inList,omitempty"`
	NotInList string `json:"notInList,omitempty"`
	// IgnoreCase folds case (Unicode simple folding) in Enum, NotEnum,
	// InList, NotInList and Match.
	IgnoreCase bool `json:"ignoreCase,omitempty"`

	// Min and Max are inclusive. Numbers compare as exact decimals.
	Min         *json.Number `json:"min,omitempty"`
	Max         *json.Number `json:"max,omitempty"`
	GreaterThan *json.Number `json:"greaterThan,omitempty"`
	LessThan    *json.Number `json:"lessThan,omitempty"`
	// MinLength and MaxLength count code points of a string.
	MinLength *int `json:"minLength,omitempty"`
	MaxLength *int `json:"maxLength,omitempty"`
	// MinItems and MaxItems count elements of an array.
	MinItems *int  `json:"minItems,omitempty"`
	MaxItems *int  `json:"maxItems,omitempty"`
	MustBe   *bool `json:"mustBe,omitempty"`

	// Optional lets an absent parameter pass; Nullable lets null pass.
	Optional bool `json:"optional,omitempty"`
	Nullable bool `json:"nullable,omitempty"`

	// Within lists absolute directories that a path must be in, lexically.
	Within []string `json:"within,omitzero"`
	// Hosts lists host patterns that an http or https URL must point to.
	Hosts []string `json:"hosts,omitzero"`
	// AssumeScheme "https" reads a value without "//" as if it began with
	// "https://". NoQuery refuses "?" and "#". Both go with Hosts.
	AssumeScheme string `json:"assumeScheme,omitempty"`
	NoQuery      bool   `json:"noQuery,omitempty"`
	// EmailDomains lists the domains that one e-mail address must be at.
	EmailDomains []string `json:"emailDomains,omitzero"`

	// Expression is CEL over "value" and "args".
	Expression string `json:"expression,omitempty"`
}

// Scalar is a string, a json.Number or a bool.
type Scalar struct {
	// Value holds a string, json.Number or bool; anything else is invalid.
	Value any
}

// MarshalJSON writes the scalar as itself.
func (s Scalar) MarshalJSON() ([]byte, error) { return json.Marshal(s.Value) }
