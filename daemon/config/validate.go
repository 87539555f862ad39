package config

import (
	"errors"
	"fmt"
	"maps"
	"net"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"rebake/storage"
	"rebake/storage/output"
)

// Validate returns every problem as one *Error. Load has done it already; a
// Config made in code needs it. What a template, source or route means, and
// whether anything can be reached, others check.
func (c *Config) Validate() error { return asError(c.check()) }

// checker collects the problems of a config.
type checker struct {
	c        *Config
	problems []Problem
}

func (k *checker) bad(key, format string, args ...any) {
	k.problems = append(k.problems, k.c.problem(key, fmt.Sprintf(format, args...)))
}

// oneOf checks a value that must be one of a few words.
func (k *checker) oneOf(key, value string, known ...string) {
	if slices.Contains(known, value) {
		return
	}
	k.bad(key, "unknown value %q; known: %s", value, strings.Join(known, ", "))
}

func (k *checker) atLeast(key string, value, least int64) {
	if value < least {
		k.bad(key, "must be at least %d", least)
	}
}

func (k *checker) lasts(key string, value, least time.Duration) {
	if value < least {
		k.bad(key, "must be at least %s", least)
	}
}

func (c *Config) check() []Problem {
	k := &checker{c: c}
	k.site()
	k.paths()
	k.queue()
	k.addresses()
	k.secrets()
	k.sources()
	k.origins()
	k.webhooks()
	k.routes()
	k.reserved()
	for i, name := range c.Compress {
		key := fmt.Sprintf("compress[%d]", i)
		k.oneOf(key, name, "gzip", "br")
		if slices.Index(c.Compress, name) < i {
			k.bad(key, "%s stands in the list twice", name)
		}
	}
	k.oneOf("trailing_slash", c.TrailingSlash, "auto", "always", "never")
	if c.Workers < 1 || c.Workers > 1024 {
		k.bad("workers", "must be between 1 and 1024")
	}
	k.lasts("limits.render", c.Limits.Render, 10*time.Millisecond)
	k.lasts("limits.max_wait", c.Limits.MaxWait, 10*time.Millisecond)
	k.atLeast("limits.max_body", c.Limits.MaxBody, 1)
	k.atLeast("limits.paths", int64(c.Limits.Paths), 1)
	k.atLeast("limits.memory", c.Limits.Memory, 8<<20)
	k.atLeast("limits.spool", c.Limits.Spool, 1<<20)
	if err := new(output.Space).UnmarshalText([]byte(c.Limits.FreeSpace)); err != nil {
		k.bad("limits.free_space", "%s", err)
	}
	k.atLeast("quota.pages", c.Quota.Pages, 0)
	k.lasts("shutdown", c.Shutdown, 0)
	k.oneOf("log.level", c.Log.Level, "debug", "info", "warn", "error")
	k.oneOf("log.format", c.Log.Format, "text", "json")
	return k.problems
}

func (k *checker) site() {
	switch u, err := url.Parse(k.c.Site); {
	case k.c.Site == "":
		k.bad("site", "required: the public URL of the site, such as https://www.example.com")
	case err != nil || u.Hostname() == "" || (u.Scheme != "http" && u.Scheme != "https"):
		k.bad("site", "must be an http or https URL with a host, such as https://www.example.com")
	case u.User != nil || strings.Trim(u.Path, "/") != "" || strings.ContainsAny(k.c.Site, "?#"):
		k.bad("site", "must be scheme and host alone, such as https://www.example.com")
	}
}

// paths checks that nothing private lies where the web server would serve it.
func (k *checker) paths() {
	c := k.c
	if c.State == "" {
		k.bad("state", "must name a directory")
	}
	if c.Templates == "" {
		k.bad("templates", "must name a directory")
	}
	if c.Output == "" {
		k.bad("output", "required: the directory that the web server serves, such as ./public")
		return
	}
	if c.State != "" && within(c.State, c.Output) && !within(c.Output, c.State) {
		k.bad("output", "must not lie inside state (%s), which only rebake may read", c.State)
	}
	for _, private := range []struct{ key, path string }{
		{"state", c.State}, {"templates", c.Templates}, {"secret_file", c.SecretFile},
	} {
		if private.path != "" && within(c.Output, private.path) {
			k.bad(private.key, "must not lie inside output (%s): the web server would serve it", c.Output)
		}
	}
	if c.place.file != "" && within(c.Output, c.place.file) {
		k.bad("output", "must not hold %s: the web server would serve it", filepath.Base(c.place.file))
	}
}

// within reports whether path is dir or lies below it, also by way of symbolic
// links.
func within(dir, path string) bool {
	rel, err := filepath.Rel(followed(dir), followed(path))
	return err == nil && rel != ".." && !strings.HasPrefix(rel, ".."+string(filepath.Separator))
}

// followed returns the absolute path with symbolic links followed as far as it
// exists.
func followed(path string) string {
	if abs, err := filepath.Abs(path); err == nil {
		path = abs
	}
	rest := ""
	for p := path; ; p = filepath.Dir(p) {
		if found, err := filepath.EvalSymlinks(p); err == nil {
			return filepath.Join(found, rest)
		} else if !errors.Is(err, os.ErrNotExist) || p == filepath.Dir(p) {
			return path
		}
		rest = filepath.Join(filepath.Base(p), rest)
	}
}

func (k *checker) queue() {
	if message := checkRedis(k.c.Redis); message != "" {
		k.bad("redis", "%s", message)
	}
	if d := k.c.Durability; d != "" && d != "relaxed" {
		k.bad("durability", "unknown value %q; known: relaxed, or leave it out", d)
	}
}

func (k *checker) addresses() {
	for _, a := range []struct{ key, addr string }{{"listen", k.c.Listen}, {"admin", k.c.Admin}} {
		if _, _, ok := splitAddress(a.addr); !ok {
			k.bad(a.key, "must be host:port, such as 127.0.0.1:8600")
		}
	}
	listenHost, listenPort, ok1 := splitAddress(k.c.Listen)
	adminHost, adminPort, ok2 := splitAddress(k.c.Admin)
	if !ok1 || !ok2 || listenPort != adminPort || listenPort == 0 { // 0: any free port
		return
	}
	if listenHost == adminHost || listenHost == "" || adminHost == "" {
		k.bad("admin", "must differ from listen")
	}
}

// splitAddress returns an address' host, "" for all of the machine's.
func splitAddress(addr string) (host string, port uint16, ok bool) {
	host, p, err := net.SplitHostPort(addr)
	n, err2 := strconv.ParseUint(p, 10, 16)
	switch host {
	case "0.0.0.0", "::":
		host = ""
	case "localhost":
		host = "127.0.0.1"
	}
	return host, uint16(n), err == nil && err2 == nil
}

// isLoopback reports whether a host of splitAddress is this machine alone.
func isLoopback(host string) bool {
	ip, err := netip.ParseAddr(host)
	return err == nil && ip.Unmap().IsLoopback()
}

// nameForm is what can stand in a URL, a metric and a key.
var nameForm = regexp.MustCompile(`^[A-Za-z0-9][\w-]*$`)

func (k *checker) sources() {
	for _, name := range slices.Sorted(maps.Keys(k.c.Sources)) {
		k.named("sources", "source", name, k.c.Sources[name].Validate)
	}
}

func (k *checker) origins() {
	for _, name := range slices.Sorted(maps.Keys(k.c.Origins)) {
		k.named("origins", "origin", name, k.c.Origins[name].Validate)
	}
	for _, list := range []struct {
		key   string
		names []string
	}{{"ignore_query", k.c.IgnoreQuery}, {"bypass_cookies", k.c.BypassCookies}} {
		for i, name := range list.names {
			if !requestName.MatchString(name) {
				k.bad(fmt.Sprintf("%s[%d]", list.key, i), "must be a name of letters, digits, _, . and -, maybe with * at its end")
			}
		}
	}
}

// requestName is a query parameter or a cookie, or the beginning of one. It
// goes into patterns of nginx.
var requestName = regexp.MustCompile(`^[A-Za-z0-9_.-]+\*?$`)

// named checks an entry that has a name of the user's.
func (k *checker) named(list, kind, name string, validate func() error) {
	key := join(list, name)
	if !nameForm.MatchString(name) {
		k.bad(key, "the name of a %s is made of letters, digits, _ and -", kind)
		return
	}
	for _, err := range split(validate()) {
		sub, message := splitKey(key + "." + err.Error())
		k.bad(sub, "%s", message)
	}
}

func (k *checker) routes() {
	for i, r := range k.c.Routes {
		key := fmt.Sprintf("routes[%d]", i)
		if r.Path == "" {
			k.bad(key+".path", "required: which pages this is about, such as /blog/{slug}")
		}
		switch kinds := set(r.Template, r.Origin, r.Pass); {
		case kinds == 0:
			k.bad(key+".template", "required: a file below templates, such as post.html; or origin, or pass")
		case kinds > 1:
			k.bad(key, "has more than one of template, origin and pass; a route has one")
		}
	}
}

// set counts the texts that are not empty.
func set(texts ...string) int {
	return len(slices.DeleteFunc(texts, func(s string) bool { return s == "" }))
}

func (k *checker) reserved() {
	for i, prefix := range k.c.Reserved {
		key := fmt.Sprintf("reserved[%d]", i)
		var bad *storage.PathError
		if _, err := storage.ParsePath(prefix); errors.As(err, &bad) {
			k.bad(key, "must be a path prefix, such as /api: %s", bad.Hint)
		} else if prefix == "/" {
			k.bad(key, "would reserve every page")
		}
	}
}
