package upstream

import (
	"time"

	"rebake/storage"
)

// Webhook is the key `webhook` of a source or an origin: its CMS tells of
// changes at /_rebake/webhooks/NAME, by the name of the source or origin. The
// packages that read from the CMS have no use for it.
type Webhook struct {
	// Kind is the sender. Default wordpress, where that is the kind of the
	// source or origin.
	Kind string `yaml:"kind,omitempty"`
	// Secret is what the sender signs with, or sends; any of several does.
	Secret storage.Secrets `yaml:"secret,omitempty"`
	// SecretFile holds the secret in Secret's place.
	SecretFile string `yaml:"secret_file,omitempty"`
	// Settle is how long a page waits until no event about it has come for as
	// long. Default the kind's.
	Settle *time.Duration `yaml:"settle,omitempty"`
	// MaxWait bounds what Settle adds up to. Default the kind's.
	MaxWait *time.Duration `yaml:"max_wait,omitempty"`
}
