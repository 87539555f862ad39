package config

import (
	"fmt"
	"io"

	"go.yaml.in/yaml/v3"
)

// Dump writes the effective config as YAML, defaults filled in and secrets
// hidden, in the order of the fields and of the entries' names.
func (c *Config) Dump(w io.Writer) error {
	shown := *c
	shown.Redis = hideRedis(c.Redis)
	if c.SecretFile != "" {
		shown.Secret = nil // it is the file's
	}
	enc := yaml.NewEncoder(w)
	enc.SetIndent(2)
	if err := enc.Encode(&shown); err != nil {
		return fmt.Errorf("write config: %w", err)
	}
	return enc.Close()
}
