package twin

import (
	"errors"
	"strings"
	"unicode/utf8"
)

// conditions are the conditions that rules may have, with what they say: an
// interpreter that cannot be wrong.
var conditions = map[string]func(Vars) (bool, error){
	"true":           func(Vars) (bool, error) { return true, nil },
	"false":          func(Vars) (bool, error) { return false, nil },
	`tool == "read"`: func(v Vars) (bool, error) { return v.Call.Tool == "read", nil },
	`args.flag == true`: func(v Vars) (bool, error) {
		flag, ok := v.Args["flag"]
		if !ok {
			return false, errCondition
		}
		return flag == true, nil // values of two kinds are not equal
	},
	`has(args.to)`:          func(v Vars) (bool, error) { _, ok := v.Args["to"]; return ok, nil },
	`agent.startsWith("a")`: func(v Vars) (bool, error) { return strings.HasPrefix(v.Call.AgentID, "a"), nil },
	`user == "u"`: func(v Vars) (bool, error) {
		if v.Call.User == "" {
			return false, errCondition
		}
		return v.Call.User == "u", nil
	},
	`project == "p" || args.nothing == 1`: func(v Vars) (bool, error) {
		if v.Call.Project == "p" {
			return true, nil
		}
		return false, errCondition
	},
	// What an earlier call was made with, and when.
	`args.to == "bob"`: func(v Vars) (bool, error) {
		to, ok := v.Args["to"]
		if !ok {
			return false, errCondition
		}
		return to == "bob", readable(to)
	},
	`now.getSeconds() > 57`: func(v Vars) (bool, error) { return v.Now.UTC().Second() > 57, nil },
	`session == "s" && tool != "write"`: func(v Vars) (bool, error) {
		if v.Call.Session == "" {
			return false, errCondition
		}
		return v.Call.Session == "s" && v.Call.Tool != "write", nil
	},
	`has(context.k)`: func(v Vars) (bool, error) {
		context, _, _ := object(v.Call.Context)
		_, ok := context["k"]
		return ok, nil
	},
}

var errCondition = errors.New("the condition fails")

// expressions are the same for the expressions of constraints.
var expressions = map[string]func(Vars) (bool, error){
	`value == "bob"`: func(v Vars) (bool, error) { return v.Value == "bob", readable(v.Value) },
	`args.flag == true && value == "abc"`: func(v Vars) (bool, error) {
		flag, ok := v.Args["flag"]
		if !ok {
			return false, errCondition
		}
		if flag != true {
			return false, nil
		}
		return v.Value == "abc", readable(v.Value)
	},
	`value.size() > 3`: func(v Vars) (bool, error) {
		switch x := v.Value.(type) {
		case string:
			return utf8.RuneCountInString(x) > 3, readable(x)
		case []any:
			return len(x) > 3, nil
		case map[string]any:
			return len(x) > 3, nil
		}
		return false, errCondition
	},
}

// readable says that a condition must not read a string of more than 4 KiB.
func readable(v any) error {
	if s, ok := v.(string); ok && len(s) > 4<<10 {
		return errCondition
	}
	return nil
}

func condition(source string, vars Vars) (bool, error) {
	f, ok := conditions[source]
	if !ok {
		f, ok = expressions[source]
	}
	if !ok {
		panic("no such condition: " + source)
	}
	return f(vars)
}
