package source

import (
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"time"

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
	Rate Rate `yaml:"rate,omitempty"`
	// MaxBytes is the most bytes of one answer, decompressed.
	MaxBytes int64 `yaml:"max_bytes"`
	// Pagination says how the lists of this source go on after their first
	// answer; a list can say otherwise.
	Pagination Pagination `yaml:"pagination,omitempty"`
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
	if c.Timeout < 10*time.Millisecond {
		bad("timeout", "must be at least 10ms")
	}
	if c.Concurrency < 1 {
		bad("concurrency", "must be at least 1")
	}
	if c.MaxBytes < 1 {
		bad("max_bytes", "must be at least 1")
	}
	if c.Rate < 0 {
		bad("rate", "must not be negative")
	}
	errs = append(errs, checkHeaders(c.Headers)...)
	if _, err := c.Pagination.compile(c.Kind); err != nil {
		errs = append(errs, keyed("pagination", err))
	}
	return errors.Join(errs...)
}

// Rate is a number of requests per second, written "20/s" or "600/m"; the
// zero value sets no limit.
type Rate float64

// UnmarshalText reads "20/s", "600/m" or "1000/h".
func (r *Rate) UnmarshalText(b []byte) error {
	n, unit, ok := strings.Cut(string(b), "/")
	per := map[string]float64{"s": 1, "m": 60, "h": 3600}[strings.TrimSpace(unit)]
	v, err := strconv.ParseFloat(strings.TrimSpace(n), 64)
	if !ok || per == 0 || err != nil || !(v > 0) || v > 1e9 {
		return fmt.Errorf("rate %q: write it as 20/s, 600/m or 1000/h", b)
	}
	*r = Rate(v / per)
	return nil
}

// MarshalText writes the rate per second.
func (r Rate) MarshalText() ([]byte, error) {
	return []byte(strconv.FormatFloat(float64(r), 'g', -1, 64) + "/s"), nil
}
