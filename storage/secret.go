package storage

import (
	"fmt"
	"io"
)

// Secret is a string that shows itself to nobody: logs, errors, metrics, YAML
// and JSON all print "<secret>". Only Reveal gives it away.
//
// BUG(rebake): fmt cannot call the methods of an unexported struct field, and
// asks none for %p; encoding/json asks none for a map key. Keep a Secret in
// exported fields, or never print the struct that holds it.
type Secret string

const hidden = "<secret>"

// Reveal returns the secret itself, for the one place that needs it.
func (s Secret) Reveal() string { return string(s) }

// String hides the secret from callers that want text.
func (s Secret) String() string {
	if s == "" {
		return ""
	}
	return hidden
}

// Format hides it from fmt under every verb; a String method alone would show
// it under a wrong one, as in "%!d(storage.Secret=…)".
func (s Secret) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, s.String()) }

// MarshalText hides it from YAML and JSON.
func (s Secret) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// UnmarshalText takes the secret from a config file.
func (s *Secret) UnmarshalText(b []byte) error { *s = Secret(b); return nil }

// Secrets are several secrets of which any one opens, so that they can be
// rotated; in YAML a list, or a single value.
type Secrets []Secret

// MarshalYAML writes one secret as a value and several as a list, all hidden.
func (s Secrets) MarshalYAML() (any, error) {
	if len(s) == 1 {
		return s[0], nil
	}
	return []Secret(s), nil
}
