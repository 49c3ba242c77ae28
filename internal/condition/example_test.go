package condition_test

import (
	"fmt"

	"github.com/useveto/veto-go/internal/condition"
	"github.com/useveto/veto-go/internal/value"
)

func Example() {
	env := condition.NewEnv(nil)
	c, err := env.Compile(`args.amount > 100 && args.currency != "EUR"`, condition.When)
	if err != nil {
		fmt.Println(err)
		return
	}
	var args value.Tree
	in := &condition.Input{Args: &args, Tool: "pay"}

	args.SetGo(map[string]any{"amount": 250, "currency": "USD"}, value.DefaultLimits)
	fmt.Println(c.Eval(in))
	args.SetGo(map[string]any{"amount": 250}, value.DefaultLimits)
	fmt.Println(c.Eval(in))

	_, err = env.Compile(`args.amount > 100 && toll == "pay"`, condition.When)
	fmt.Println(err)
	// Output:
	// true <nil>
	// false 1:26: the condition reads a value that is absent
	// 1:22: undeclared reference to 'toll' (did you mean 'tool'?)
	//   args.amount > 100 && toll == "pay"
	//                        ^
}
