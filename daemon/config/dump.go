package config

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"regexp"

	"go.yaml.in/yaml/v3"

	"rebake/storage"
)

// Dump writes the effective config as YAML, defaults filled in and secrets
// hidden, in the order of the fields and of the entries' names.
func (c *Config) Dump(w io.Writer) error {
	shown := *c
	shown.withoutFileSecrets()
	shown.Redis = hideRedis(c.Redis)
	if c.SecretFile != "" {
		shown.Secret = nil // it is the file's
	}
	var text bytes.Buffer
	enc := yaml.NewEncoder(&text)
	enc.SetIndent(2)
	if err := errors.Join(enc.Encode(&shown), enc.Close()); err != nil {
		return fmt.Errorf("encode config: %w", err)
	}
	hidden := "${1}" + storage.Secret("x").String()
	if _, err := w.Write(keyInQuery.ReplaceAll(text.Bytes(), []byte(hidden))); err != nil {
		return fmt.Errorf("write config: %w", err)
	}
	return nil
}

// keyInQuery is a parameter of a query that holds a key, by its name: APIs that
// know no headers for it take it so, and it stands in a get then. What is in
// braces is computed, and not hidden.
var keyInQuery = regexp.MustCompile(`(?i)([?&](?:key|api[_-]?key|consumer_key|\w*token|\w*secret|pass(?:word)?|auth|sig(?:nature)?)=)[^&\s"'{}]+`)
