package webhook

import (
	"time"

	"rebake/storage"
)

// Config is one entry of `webhooks` in rebake.yaml: who may send events to
// /_rebake/webhooks/NAME, and what they mean.
type Config struct {
	// Kind is the sender: one of Kinds. It brings all that the other keys can
	// say otherwise.
	Kind string `yaml:"kind"`
	// Secret is what the sender signs with, or sends; any of several does.
	Secret storage.Secrets `yaml:"secret,omitempty"`
	// SecretFile holds the secret in Secret's place.
	SecretFile string `yaml:"secret_file,omitempty"`
	// Verify says how the sender proves that it has the secret. Default: as the
	// kind does.
	Verify *Verify `yaml:"verify,omitempty"`
	// Settle is how long a page waits until no event about it has come for as
	// long. Default the kind's.
	Settle *time.Duration `yaml:"settle,omitempty"`
	// MaxWait bounds what Settle adds up to. Default the kind's.
	MaxWait *time.Duration `yaml:"max_wait,omitempty"`
	// Recheck is when pages are looked at once more after their render; 0 is
	// never. Default the kind's.
	Recheck *time.Duration `yaml:"recheck,omitempty"`
	// MaxBody is the largest body accepted, in bytes. Default limits.max_body.
	MaxBody int64 `yaml:"max_body,omitempty"`
	// Rules say what events mean. Without any, the kind's own reading counts.
	// With some, only events that one of them matches count.
	Rules []Rule `yaml:"rules,omitempty"`
	// Upstream says that it belongs to a source or an origin of its name, whose
	// lists pages are tagged with.
	Upstream bool `yaml:"-"`
}

// Rule says what one sort of event means. Text in it may hold {…} over body,
// header, query, method and source; one that is null drops its entry.
type Rule struct {
	// When is an expression that has to be true; left out, every event matches.
	When string `yaml:"when,omitempty"`
	// Paths are the pages to render: paths, or URLs of the site.
	Paths Texts `yaml:"paths,omitempty"`
	// Tags are those of pages to render.
	Tags Texts `yaml:"tags,omitempty"`
	// Prefixes are paths whose pages are to be rendered, with all below them.
	Prefixes Texts `yaml:"prefixes,omitempty"`
	// Item is what has changed in the CMS, by the tag of pages that show it. It
	// takes the place of what the kind reads by itself.
	Item string `yaml:"item,omitempty"`
	// Version is what Item is now: a date or a number that only grows. A render
	// that shows an older one is not published. Default what the kind reads.
	Version string `yaml:"version,omitempty"`
	// All is every page, at low priority.
	All bool `yaml:"all,omitempty"`
}

// Texts are several texts; in YAML a list, or a single text. One that is {…}
// from its first to its last character may give a list of texts.
type Texts []string
