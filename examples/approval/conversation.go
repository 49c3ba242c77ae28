package main

import (
	"encoding/json"
	"errors"
	"io/fs"
	"os"
)

// conversation is what the agent remembers over a restart: what its calls came
// to, and the tickets that the others wait for. Frameworks have such a thing.
type conversation struct {
	ID      string            `json:"id"`
	Results map[string]string `json:"results"` // by call id
	Waiting map[string]string `json:"waiting"` // tickets by call id

	path string
}

func loadConversation(path string) (*conversation, error) {
	c := &conversation{ID: "chat-7", Results: map[string]string{}, Waiting: map[string]string{}, path: path}
	data, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return c, nil
	}
	if err != nil {
		return nil, err
	}
	return c, json.Unmarshal(data, c)
}

// save writes the conversation: all of it, or nothing.
func (c *conversation) save() error {
	data, err := json.MarshalIndent(c, "", "  ")
	if err != nil {
		return err
	}
	if err := os.WriteFile(c.path+".new", data, 0o600); err != nil {
		return err
	}
	return os.Rename(c.path+".new", c.path)
}
