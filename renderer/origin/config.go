package origin

import (
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"rebake/renderer/upstream"
	"rebake/storage"
)

// Kind is what an origin runs, which says how its own cache is got past and
// where its answers name what they show.
type Kind string

// The kinds of origins.
const (
	Plain     Kind = "plain"     // any server
	Next      Kind = "next"      // next start
	Nuxt      Kind = "nuxt"      // a Nitro server
	WordPress Kind = "wordpress" // WordPress with a theme
)

var kinds = []Kind{Plain, Next, Nuxt, WordPress}

// Config is one entry of `origins` in rebake.yaml: a server whose HTML is
// snapshotted.
type Config struct {
	// Kind is plain, next, nuxt or wordpress. Default plain.
	Kind Kind `yaml:"kind"`
	// URLs are where the origin answers, scheme and host alone. All of several
	// run the same site; each render asks another one.
	URLs []string `yaml:"urls"`
	// Host is what the origin takes itself for: what it is asked as (the Host
	// header), and whose absolute links become the site's. Default the site's
	// own host.
	Host string `yaml:"host,omitempty"`
	// Build is the folder that "next build" has written (.next). With it, each
	// render is Next's own on-demand revalidation, in every instance.
	Build string `yaml:"build,omitempty"`
	// Headers are sent with every request.
	Headers map[string]storage.Secret `yaml:"headers,omitempty"`
	// Timeout bounds one request, from the dial to the last byte. Default 20s.
	Timeout time.Duration `yaml:"timeout"`
	// Concurrency is the most requests at once; one of them is kept free for
	// critical triggers when there is more than one. Default 8.
	Concurrency int `yaml:"concurrency"`
	// Rate is the most requests per second, unlimited when zero.
	Rate upstream.Rate `yaml:"rate,omitempty"`
	// MaxBytes is the most bytes of one answer, decompressed. Default 16 MiB.
	MaxBytes int64 `yaml:"max_bytes"`
	// Discover says how a build finds the pages: sitemap, crawl, or both. []
	// for none. Default both.
	Discover []string `yaml:"discover"`
	// Assets is origin when scripts, styles and images are the origin's to
	// serve, or copy when builds make files of those that pages name. Default
	// origin.
	Assets string `yaml:"assets"`
	// Reconcile is how often a WordPress is asked what has changed of which it
	// told nobody, or off. Default 5m.
	Reconcile upstream.Every `yaml:"reconcile,omitempty"`
	// Webhook is where the origin's CMS tells of changes; nil is nowhere.
	Webhook *upstream.Webhook `yaml:"webhook,omitempty"`
}

// DefaultConfig is an origin of which nothing was said.
func DefaultConfig() Config {
	return Config{
		Kind: Plain, Timeout: 20 * time.Second, Concurrency: 8, MaxBytes: 16 << 20,
		Discover: []string{"sitemap", "crawl"}, Assets: "origin",
	}
}

// Validate returns every problem, each led by the key that it is about.
func (c Config) Validate() error {
	var errs []error
	bad := func(key, format string, args ...any) {
		errs = append(errs, fmt.Errorf("%s: "+format, append([]any{key}, args...)...))
	}
	if !slices.Contains(kinds, c.Kind) {
		bad("kind", "unknown kind %q; known: plain, next, nuxt, wordpress", c.Kind)
	}
	if len(c.URLs) == 0 {
		bad("urls", "is missing: where the origin answers, such as [http://127.0.0.1:3000]")
	}
	for i, s := range c.URLs {
		if !isBase(s) {
			bad(fmt.Sprintf("urls[%d]", i), "must be scheme and host alone, such as http://127.0.0.1:3000")
		}
	}
	if u, err := url.Parse("http://" + c.Host); c.Host != "" && (err != nil || u.Host != c.Host) {
		bad("host", "must be a host, such as www.example.com")
	}
	if c.Build != "" && c.Kind != Next {
		bad("build", "is for kind next alone")
	}
	for i, how := range c.Discover {
		if how != "sitemap" && how != "crawl" {
			bad(fmt.Sprintf("discover[%d]", i), "unknown value %q; known: sitemap, crawl", how)
		}
	}
	if c.Reconcile > 0 && c.Kind != WordPress {
		bad("reconcile", "is for kind wordpress alone; nothing says what has changed in another origin")
	}
	if c.Assets != "origin" && c.Assets != "copy" {
		bad("assets", "unknown value %q; known: origin, copy", c.Assets)
	}
	return errors.Join(append(errs, c.limits().Validate()...)...)
}

func isBase(s string) bool {
	u, err := url.Parse(s)
	return err == nil && u.Host != "" && (u.Scheme == "http" || u.Scheme == "https") &&
		u.User == nil && strings.Trim(u.Path, "/") == "" && !strings.ContainsAny(s, "?#")
}

// Passes are the prefixes of paths that are never pages of this kind of
// origin: what is signed in, what is computed, what is an API. A file's name
// among them stands for itself. Whole segments are meant.
func (c Config) Passes() []string {
	switch c.Kind {
	case WordPress:
		return []string{"/wp-admin", "/wp-json", "/wp-login.php", "/wp-cron.php", "/wp-comments-post.php", "/wp-signup.php", "/wp-activate.php", "/wp-trackback.php", "/xmlrpc.php"}
	case Next:
		return []string{"/api", "/_next/data", "/_next/image"}
	case Nuxt:
		return []string{"/api", "/_ipx", "/__nuxt_island"}
	}
	return nil
}

// limits is what the origin's client keeps to.
func (c Config) limits() upstream.Config {
	return upstream.Config{Headers: c.Headers, Timeout: c.Timeout, Concurrency: c.Concurrency, Rate: c.Rate, MaxBytes: c.MaxBytes}
}
