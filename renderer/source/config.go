package source

import (
	"errors"
	"fmt"
	"net/url"
	"time"

	"rebake/renderer/upstream"
	"rebake/storage"
)

// Config is one entry of `sources` in rebake.yaml: a JSON API that templates read.
type Config struct {
	// Kind is "wordpress" or "" (plain JSON).
	Kind string `yaml:"kind,omitempty"`
	// URL is the base that every get is appended to.
	URL string `yaml:"url"`
	// Headers are sent with every request, for keys and tokens.
	Headers map[string]storage.Secret `yaml:"headers,omitempty"`
	// Timeout bounds one request, from the dial to the last byte.
	Timeout time.Duration `yaml:"timeout"`
	// Concurrency is the most requests at once; one of them is kept free for
	// critical triggers when there is more than one.
	Concurrency int `yaml:"concurrency"`
	// Rate is the most requests per second, unlimited when zero.
	Rate upstream.Rate `yaml:"rate,omitempty"`
	// MaxBytes is the most bytes of one answer, decompressed.
	MaxBytes int64 `yaml:"max_bytes"`
	// Pagination says how the lists of this source go on after their first
	// answer; a list can say otherwise.
	Pagination Pagination `yaml:"pagination,omitempty"`
	// Reconcile is how often the source is asked what has changed of which it
	// told nobody, or off. Default 5m for wordpress, else off.
	Reconcile upstream.Every `yaml:"reconcile,omitempty"`
	// Webhook is where the source's CMS tells of changes; nil is nowhere.
	Webhook *upstream.Webhook `yaml:"webhook,omitempty"`
}

// DefaultConfig is a source of which only the URL was said.
func DefaultConfig() Config {
	return Config{Timeout: 10 * time.Second, Concurrency: 8, MaxBytes: 16 << 20}
}

// Validate returns every problem, each led by the key that it is about.
func (c Config) Validate() error {
	var errs []error
	bad := func(key, format string, args ...any) {
		errs = append(errs, fmt.Errorf("%s: "+format, append([]any{key}, args...)...))
	}
	if u, err := url.Parse(c.URL); err != nil || u.Host == "" || (u.Scheme != "http" && u.Scheme != "https") {
		bad("url", "must be an http or https URL with a host, such as https://cms.example.com/wp-json/wp/v2")
	} else if u.User != nil {
		bad("url", "must not carry a user or password; send them in headers")
	} else if u.RawQuery != "" || u.Fragment != "" {
		bad("url", "must have no query or fragment; put them into get")
	}
	if c.Kind != "" && c.Kind != kindWordPress {
		bad("kind", "unknown kind %q; known: wordpress, or leave it out", c.Kind)
	}
	errs = append(errs, c.limits().Validate()...)
	if _, err := c.Pagination.compile(c.Kind); err != nil {
		errs = append(errs, keyed("pagination", err))
	}
	return errors.Join(errs...)
}

// limits is what the source's client keeps to.
func (c Config) limits() upstream.Config {
	return upstream.Config{Headers: c.Headers, Timeout: c.Timeout, Concurrency: c.Concurrency, Rate: c.Rate, MaxBytes: c.MaxBytes}
}
