package corpus

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/useveto/veto-go"
)

// step is one line of calls: a call with its answer, or something that
// happens in between.
type step struct {
	line   int
	call   *veto.Call
	answer answer

	at     time.Time     // the time from here on, if not zero
	move   time.Duration // or how it moves
	action string        // what an operator does
	agent  string        // to whom, in suspend and resume
	load   []string      // the files, in load and refuse
	list   []string      // the name of a list and its new values

	session, project string // in open and end
}

// answer is what is expected of a call. What is nil was not said.
type answer struct {
	outcome, code, policy, rule string

	reason *string
	retry  *time.Duration
	shadow []string
	runs   *bool
	json   *string
}

func parseSteps(f file) ([]step, error) {
	var steps []step
	n := f.line - 1
	for line := range strings.Lines(f.text) {
		n++
		text := strings.TrimSpace(line)
		if text == "" || strings.HasPrefix(text, "#") {
			continue
		}
		var err error
		if text != strings.TrimRight(line, " \n") {
			if len(steps) == 0 || steps[len(steps)-1].call == nil {
				err = errors.New("an answer without a call")
			} else {
				err = steps[len(steps)-1].answer.add(text)
			}
		} else {
			s := step{line: n}
			err = s.parse(text)
			steps = append(steps, s)
		}
		if err != nil {
			return nil, fmt.Errorf("line %d: %w", n, err)
		}
	}
	for _, s := range steps {
		if s.call != nil && s.answer.outcome == "" {
			return nil, fmt.Errorf("line %d: a call without an answer", s.line)
		}
	}
	return steps, nil
}

func (s *step) parse(text string) (err error) {
	switch text[0] {
	case '@':
		when := strings.TrimSpace(text[1:])
		if when != "" && (when[0] == '+' || when[0] == '-') {
			s.move, err = time.ParseDuration(when)
		} else {
			s.at, err = time.Parse(time.RFC3339, when)
		}
		return err
	case '!':
		return s.parseAction(strings.Fields(text[1:]))
	case '{':
		s.call, err = parseObject(text)
		return err
	default:
		s.call, err = parseCall(text)
		return err
	}
}

func (s *step) parseAction(words []string) error {
	if len(words) == 0 {
		return errors.New("no action")
	}
	s.action = words[0]
	switch {
	case (s.action == "suspend" || s.action == "resume") && len(words) == 2:
		s.agent = words[1]
	case (s.action == "load" || s.action == "refuse") && len(words) > 1:
		s.load = words[1:]
	case s.action == "list" && len(words) > 1:
		s.list = words[1:]
	case s.action == "cancel" && len(words) == 1:
	case (s.action == "open" || s.action == "end") && (len(words) == 2 || len(words) == 3):
		s.session = words[1]
		if len(words) == 3 {
			s.project = words[2]
		}
	default:
		return fmt.Errorf("there is no action %q", strings.Join(words, " "))
	}
	return nil
}

// parseCall reads a call in words.
func parseCall(text string) (*veto.Call, error) {
	call := new(veto.Call)
	var ok bool
	if call.AgentID, text, ok = strings.Cut(text, " "); !ok {
		return nil, errors.New("a call names an agent and a tool")
	}
	call.Tool, text, _ = strings.Cut(text, " ")
	for text != "" {
		word, rest, _ := strings.Cut(text, " ")
		name, value, _ := strings.Cut(word, "=")
		switch name {
		case "project":
			call.Project = value
		case "session":
			call.Session = value
		case "user":
			call.User = value
		case "call":
			call.CallID = value
		case "context":
			call.Context = json.RawMessage(value)
		default:
			call.Parameters = json.RawMessage(text)
			return call, nil
		}
		text = rest
	}
	return call, nil
}

// parseObject reads a call in JSON.
func parseObject(text string) (*veto.Call, error) {
	var in struct {
		Agent, Tool, Project, Session, User, CallID string

		Context json.RawMessage
		Raw     *string
		Hex     *string
	}
	d := json.NewDecoder(strings.NewReader(text))
	d.DisallowUnknownFields()
	if err := d.Decode(&in); err != nil {
		return nil, err
	}
	call := &veto.Call{AgentID: in.Agent, Tool: in.Tool, Project: in.Project, Session: in.Session, User: in.User, CallID: in.CallID}
	if in.Context != nil {
		call.Context = in.Context
	}
	if in.Raw != nil {
		call.Parameters = json.RawMessage(*in.Raw)
	}
	if in.Hex != nil {
		data, err := hex.DecodeString(strings.ReplaceAll(*in.Hex, " ", ""))
		if err != nil {
			return nil, err
		}
		call.Parameters = json.RawMessage(data)
	}
	return call, nil
}

// add takes in one line below a call.
func (a *answer) add(text string) error {
	name, value, detail := strings.Cut(text, ": ")
	if a.outcome == "" {
		return a.parse(strings.Fields(text))
	}
	if !detail {
		return fmt.Errorf("%q says nothing", text)
	}
	switch name {
	case "reason":
		a.reason = &value
	case "retry":
		d, err := time.ParseDuration(value)
		a.retry = &d
		return err
	case "shadow":
		a.shadow = append(a.shadow, value)
	case "runs":
		if value != "yes" && value != "no" {
			return fmt.Errorf("runs is yes or no")
		}
		runs := value == "yes"
		a.runs = &runs
	case "json":
		var b bytes.Buffer
		err := json.Compact(&b, []byte(value))
		compact := b.String()
		a.json = &compact
		return err
	default:
		return fmt.Errorf("an answer has no %q", name)
	}
	return nil
}

func (a *answer) parse(words []string) error {
	a.outcome = words[0]
	words = words[1:]
	switch a.outcome {
	case "allowed":
		a.code = "allowed"
	case "escalated":
		a.code = "approval_required"
	case "denied":
		if len(words) == 0 {
			return errors.New("a denial has a code")
		}
		a.code, words = words[0], words[1:]
	default:
		return fmt.Errorf("%q is no outcome", a.outcome)
	}
	for i, to := range []*string{&a.policy, &a.rule} {
		if i < len(words) {
			*to = words[i]
		}
	}
	if len(words) > 2 {
		return fmt.Errorf("there is more than a policy and a rule: %q", words)
	}
	return nil
}
