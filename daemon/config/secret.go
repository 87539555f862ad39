package config

import (
	"fmt"
	"net"
	"net/url"
	"slices"
	"strings"
	"unicode"

	"rebake/storage"
)

// Lengths of a secret in bytes: below the first it is refused, below the
// second warned of. 24 random letters and digits are beyond guessing.
const (
	leastSecret = 8
	fairSecret  = 24
)

const howToMakeSecret = "make one with: openssl rand -hex 32"

// obvious are secrets that stand in tutorials, and so in every attacker's list.
var obvious = []string{
	"changeme", "change-me", "change_me", "secret", "mysecret", "my-secret", "topsecret", "supersecret",
	"password", "passw0rd", "12345678", "123456789", "1234567890", "qwertyuiop", "your-secret", "your_secret_token",
	"revalidate", "revalidation", "my_secret_token", "my-secret-token",
}

func (k *checker) secrets() {
	if len(k.c.Secret) == 0 {
		k.bad("secret", "required, it opens /api/revalidate; %s", howToMakeSecret)
	}
	for i, s := range k.c.Secret {
		key := k.c.secretKey(i)
		switch text := s.Reveal(); {
		case slices.Contains(obvious, strings.ToLower(text)):
			k.bad(key, "is the first that anybody would try; %s", howToMakeSecret)
		case len(text) < leastSecret:
			k.bad(key, "must have at least %d bytes; %s", leastSecret, howToMakeSecret)
		case strings.ContainsFunc(text, unicode.IsControl):
			k.bad(key, "holds a line break or another control character, which no header can carry")
		}
	}
}

// secretKey returns the key at which the i-th secret stands.
func (c *Config) secretKey(i int) string {
	key := fmt.Sprintf("secret[%d]", i)
	switch _, listed := c.place.lines[key]; {
	case c.SecretFile != "":
		return "secret_file"
	case listed || len(c.Secret) > 1:
		return key
	}
	return "secret"
}

// Warnings returns what works but should not stay so, each as a line like
// those of an Error.
func (c *Config) Warnings() []string {
	var lines []string
	warn := func(key, message string) { lines = append(lines, c.problem(key, message).String()) }
	if c.Redis == "memory" {
		warn("redis", "the queue is kept in memory: a stop loses every trigger that is not done")
	}
	if c.Durability == "relaxed" {
		warn("durability", "Redis may lose triggers that were accepted")
	}
	for i, s := range c.Secret {
		if n := len(s.Reveal()); n < fairSecret {
			warn(c.secretKey(i), fmt.Sprintf("has less than %d bytes; %s", fairSecret, howToMakeSecret))
		}
	}
	c.warnWebhooks(warn)
	if host, _, ok := splitAddress(c.Admin); ok && !isLoopback(host) {
		warn("admin", "other machines can reach it; whoever has the token rules the site, and the token comes to it unencrypted")
	}
	if !onLoopback(c.Admin) {
		warn("admin", "answers other machines, too, and its token goes over the network as it is; use 127.0.0.1, and a tunnel from elsewhere")
	}
	if len(c.Routes) == 0 {
		warn("routes", "there are none, so no page is rendered")
	}
	return lines
}

// onLoopback reports whether only this machine can reach an address.
func onLoopback(address string) bool {
	host, _, _ := net.SplitHostPort(address)
	return host == "localhost" || net.ParseIP(host).IsLoopback()
}

// checkRedis says what is wrong with the value of redis, "" for nothing. It
// never repeats the value, nor any error that does: a password may be in it.
func checkRedis(s string) string {
	if s == "" || s == "memory" {
		return ""
	}
	u, err := url.Parse(s)
	if err != nil {
		return "must be a URL such as redis://127.0.0.1:6379/0; in a password, write @ : / ? # % as %40 %3A %2F %3F %23 %25"
	}
	switch u.Scheme {
	case "unix":
		if u.Host != "" || !strings.HasPrefix(u.Path, "/") {
			return "must be unix:// and the absolute path of a socket, such as unix:///run/redis/redis.sock"
		}
	case "redis", "rediss":
		if u.Hostname() == "" {
			return "must name a host, such as redis://127.0.0.1:6379/0"
		}
	default:
		return "must be a redis://, rediss:// or unix:// URL, memory, or left out"
	}
	// What follows an unescaped /, ? or # of a password is read as the host's
	// end, and would then be printed.
	if strings.Contains(u.Path+u.RawQuery, "@") || strings.Contains(s, "#") {
		return "in a password, write @ : / ? # % as %40 %3A %2F %3F %23 %25"
	}
	return ""
}

// hideRedis returns the value of redis without what could be a password.
func hideRedis(s string) string {
	hidden := storage.Secret("x").String()
	if s == "" || s == "memory" {
		return s
	}
	u, err := url.Parse(s)
	if err != nil || checkRedis(s) != "" {
		return hidden
	}
	user := u.User
	u.User = nil
	query := strings.Split(u.RawQuery, "&")
	for i, pair := range query {
		if name, _, _ := strings.Cut(pair, "="); strings.Contains(strings.ToLower(name), "pass") {
			query[i] = name + "=" + hidden
		}
	}
	u.RawQuery = strings.Join(query, "&")
	before, after, _ := strings.Cut(u.String(), "://")
	switch _, both := user.Password(); {
	case both:
		hidden = url.User(user.Username()).String() + ":" + hidden
	case user == nil:
		return before + "://" + after
	}
	return before + "://" + hidden + "@" + after // a lone user name is often a misplaced password
}
