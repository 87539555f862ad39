// Package config reads rebake.yaml: one strict file per site. Whatever is
// wrong with it is said at once, each problem with its file, line and key.
package config

import (
	"time"

	"rebake/api/webhook"
	"rebake/renderer"
	"rebake/renderer/origin"
	"rebake/renderer/source"
	"rebake/storage"
	"rebake/storage/output"
)

// Config is the whole of rebake.yaml. Load makes one; it is not changed
// afterwards, and so is safe for concurrent use.
type Config struct {
	// Site is the public URL of the site, without a path or trailing slash.
	Site string `yaml:"site"`
	// Output is the directory that the web server serves. Load makes it and
	// the other paths absolute.
	Output string `yaml:"output"`
	// State is Rebake's private directory, on the same file system as Output:
	// staging, lock, spool, embedded queue. Default ./.rebake.
	State string `yaml:"state"`

	// Redis is a redis://, rediss:// or unix:// URL, "" for a redis-server of
	// Rebake's own, or "memory" for one in process that forgets everything at
	// the end. It may hold a password: Dump hides it, fmt does not.
	Redis string `yaml:"redis"`
	// Durability is "", or "relaxed" to accept a Redis that can lose triggers.
	Durability string `yaml:"durability"`

	// Listen is the address for the web server: revalidate, webhooks, misses.
	// Default 127.0.0.1:8600.
	Listen string `yaml:"listen"`
	// Admin is the address of dashboard, metrics and /v1, always behind a
	// token. Default 127.0.0.1:8601.
	Admin string `yaml:"admin"`

	// Secret opens /api/revalidate and nothing else; any of several does.
	Secret Secrets `yaml:"secret,omitempty"`
	// SecretFile holds the secret in Secret's place; Load reads it.
	SecretFile string `yaml:"secret_file,omitempty"`

	// Sources are the JSON APIs that templates read, by name.
	Sources map[string]source.Config `yaml:"sources"`
	// Origins are the servers whose pages are snapshotted, by name.
	Origins map[string]origin.Config `yaml:"origins,omitempty"`
	// Webhooks are where senders that are no source or origin tell of changes,
	// or with rules of the user's own, by name.
	Webhooks map[string]webhook.Config `yaml:"webhooks,omitempty"`
	// Templates is the directory of the html/template files. Default
	// ./templates.
	Templates string `yaml:"templates"`
	// Routes say which template renders which page; the first match wins.
	Routes []renderer.RouteConfig `yaml:"routes"`
	// Reserved are path prefixes that no page may have, since another program
	// answers there. /api/revalidate and /_rebake are always covered.
	Reserved []string `yaml:"reserved"`

	// IgnoreQuery are the query parameters that change nothing about a page:
	// addresses with these alone are served from the files, all others go to
	// the origin. A name may end in *. nginx and builds, which follow links,
	// know of them.
	IgnoreQuery []string `yaml:"ignore_query"`
	// BypassCookies are cookies whose visitors are sent to the origin; a name
	// may end in *. Only nginx knows of them.
	BypassCookies []string `yaml:"bypass_cookies"`

	// Compress are the encodings written beside each text page: gzip, br.
	// Default gzip. Without one the web server compresses for each visitor.
	Compress []string `yaml:"compress"`
	// TrailingSlash says which form of an address nginx redirects to: always
	// (/blog/a/), never (/blog/a), or auto, which serves both. Default auto.
	TrailingSlash string `yaml:"trailing_slash"`
	// Workers is how many pages render at once. Default 64: a page waits for
	// disks most of its time, and many wait together. The sources' own
	// concurrency bounds what reaches them, and Limits.Memory what they hold.
	Workers int `yaml:"workers"`
	// Limits bound what one render or one request may take.
	Limits Limits `yaml:"limits"`
	// Quota bounds what the site may grow to.
	Quota Quota `yaml:"quota"`
	// Shutdown is how long a stop waits for what is running; what is not done
	// by then is done at the next start. Default 10s.
	Shutdown time.Duration `yaml:"shutdown"`
	// Log says what is logged, and how.
	Log Log `yaml:"log"`

	place place
}

// Secrets are several secrets of which any one opens.
type Secrets = storage.Secrets

// Limits bound what one render or one request may take.
type Limits struct {
	// Render is the deadline of one render, all its fetches included; a later
	// one is tried again. Default 30s.
	Render time.Duration `yaml:"render"`
	// MaxWait is the longest that a request with wait= is kept waiting.
	// Default 60s.
	MaxWait time.Duration `yaml:"max_wait"`
	// MaxBody is the largest request body accepted, in bytes; a larger one is
	// answered 413. Default 1 MiB.
	MaxBody int64 `yaml:"max_body"`
	// Paths is the most paths that one trigger may name; a longer one is
	// answered 400. Default 100.
	Paths int `yaml:"paths"`
	// Memory is the bytes that pages may take while a process renders and
	// publishes them; others wait for their turn. One that needs more by itself
	// has it, alone. The process takes about as much again, and 50 MiB. Default
	// 64 MiB.
	Memory int64 `yaml:"memory"`
	// Spool is the most bytes of triggers that a process keeps in files while
	// Redis does not take them; beyond it they are answered 503. Default 64 MiB.
	Spool int64 `yaml:"spool"`
	// FreeSpace is how much of the output's disk is kept free of new pages;
	// those that are there are still replaced. Default auto: 2 %, but at most
	// 1 GiB.
	FreeSpace output.Space `yaml:"free_space"`
}

// Quota bounds what a site may grow to.
type Quota struct {
	// Pages is the most pages, those counted that were removed a short while
	// ago; 0 is no limit. A page beyond it is refused, and the others are
	// still rendered. Default 0.
	Pages int64 `yaml:"pages"`
}

// Log says what is logged, and how.
type Log struct {
	// Level is the least level logged, as slog.Level reads it: debug, info,
	// warn or error. Default info.
	Level string `yaml:"level"`
	// Format is text for people or json for programs. Default text.
	Format string `yaml:"format"`
}

// Default returns what an empty file says. Site, Output and Secret have no
// default, so it does not pass Validate.
func Default() *Config {
	return &Config{
		State:         "./.rebake",
		Listen:        "127.0.0.1:8600",
		Admin:         "127.0.0.1:8601",
		Templates:     "./templates",
		Reserved:      []string{"/api", "/_rebake", "/admin", "/metrics", "/assets"},
		IgnoreQuery:   []string{"utm_*", "gclid", "fbclid", "msclkid", "dclid", "gbraid", "wbraid", "mc_cid", "mc_eid", "_ga", "_gl"},
		BypassCookies: []string{"wordpress_logged_in_*", "wp-postpass_*", "comment_author_*", "__prerender_bypass", "__next_preview_data"},
		Compress:      []string{"gzip"},
		TrailingSlash: "auto",
		Workers:       64,
		Limits:        Limits{Render: 30 * time.Second, MaxWait: 60 * time.Second, MaxBody: 1 << 20, Paths: 100, Memory: 64 << 20, Spool: 64 << 20, FreeSpace: "auto"},
		Shutdown:      10 * time.Second,
		Log:           Log{Level: "info", Format: "text"},
	}
}
