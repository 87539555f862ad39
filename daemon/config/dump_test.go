package config

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func dump(t *testing.T, c *Config) string {
	t.Helper()
	var b strings.Builder
	if err := c.Dump(&b); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestDump(t *testing.T) {
	c := load(t, `
site: https://www.example.com
output: /srv/public
state: /srv/state
templates: /srv/templates
redis: redis://app:canary1@127.0.0.1:6379/0
secret: [canary-canary-canary-canary-2, "${S}"]
sources:
  z: {url: https://z.example}
  a:
    url: https://a.example
    headers: {X-Key: canary4, Authorization: "Basic ${S}"}
    rate: 600/m
routes:
  - {path: /, template: home.html}
`, "S", "canary-canary-canary-canary-3")
	want := `site: https://www.example.com
output: /srv/public
state: /srv/state
redis: redis://app:<secret>@127.0.0.1:6379/0
durability: ""
listen: 127.0.0.1:8600
admin: 127.0.0.1:8601
secret:
  - <secret>
  - <secret>
sources:
  a:
    url: https://a.example
    headers:
      Authorization: <secret>
      X-Key: <secret>
    timeout: 10s
    concurrency: 8
    rate: 10/s
    max_bytes: 16777216
  z:
    url: https://z.example
    timeout: 10s
    concurrency: 8
    max_bytes: 16777216
templates: /srv/templates
routes:
  - path: /
    template: home.html
reserved:
  - /api
  - /_rebake
  - /admin
  - /metrics
  - /assets
ignore_query:
  - utm_*
  - gclid
  - fbclid
  - msclkid
  - dclid
  - gbraid
  - wbraid
  - mc_cid
  - mc_eid
  - _ga
  - _gl
bypass_cookies:
  - wordpress_logged_in_*
  - wp-postpass_*
  - comment_author_*
  - __prerender_bypass
  - __next_preview_data
compress:
  - gzip
trailing_slash: auto
workers: 64
limits:
  render: 30s
  max_wait: 1m0s
  max_body: 1048576
  paths: 100
  memory: 67108864
  spool: 67108864
  free_space: auto
quota:
  pages: 0
shutdown: 10s
log:
  level: info
  format: text
`
	if diff := cmp.Diff(want, dump(t, c)); diff != "" {
		t.Errorf("Dump (-want +got):\n%s", diff)
	}
}

func TestDumpHidesOneSecret(t *testing.T) {
	if got := dump(t, load(t, required)); !strings.Contains(got, "\nsecret: <secret>\n") || strings.Contains(got, goodSecret) {
		t.Errorf("Dump:\n%s", got)
	}
}

func TestDumpHidesSecretOfFile(t *testing.T) {
	c := valid()
	c.SecretFile = "/run/key"
	if got := dump(t, c); strings.Contains(got, "secret: ") || !strings.Contains(got, "secret_file: /run/key") {
		t.Errorf("Dump:\n%s", got)
	}
}

func TestDumpHidesRedisPassword(t *testing.T) {
	for redis, want := range map[string]string{
		"":                                    "",
		"memory":                              "memory",
		"redis://h:6379/1":                    "redis://h:6379/1",
		"redis://:canary@h":                   "redis://:<secret>@h",
		"rediss://u:c%40nary@h/0?db=1":        "rediss://u:<secret>@h/0?db=1",
		"redis://canary@h":                    "redis://<secret>@h",
		"redis://h?sentinel_password=canary":  "redis://h?sentinel_password=<secret>",
		"unix://u:canary@/run/r.sock?db=1":    "unix://u:<secret>@/run/r.sock?db=1",
		"unix:///run/r.sock":                  "unix:///run/r.sock",
		"redis://u:can#ary@h":                 "<secret>",
		"redis://u:12/canary@h":               "<secret>",
		"redis://%zz:canary@h":                "<secret>",
		"redis://:canary@h?Pass%77ord=canary": "redis://:<secret>@h?Pass%77ord=<secret>",
	} {
		if got := hideRedis(redis); got != want {
			t.Errorf("hideRedis(%q) = %q, want %q", redis, got, want)
		}
	}
}

func TestErrorsHideRedisPassword(t *testing.T) {
	for _, redis := range []string{"redis://u:canary#@h", "redis://u:%zzcanary@h", "canary://x", "redis://:canary@"} {
		if got := loadError(t, required+"redis: \""+redis+"\"\n"); strings.Contains(got, "canary") {
			t.Errorf("the error for %q holds the password: %s", redis, got)
		}
	}
}

type fullDisk struct{}

func (fullDisk) Write([]byte) (int, error) { return 0, errors.New("disk full") }

func TestDumpReportsWriteError(t *testing.T) {
	if err := valid().Dump(fullDisk{}); err == nil || !strings.Contains(err.Error(), "disk full") {
		t.Errorf("Dump: %v, want the writer's error", err)
	}
}

func TestDump_H34_hidesKeysInQueries(t *testing.T) {
	for get, want := range map[string]string{
		"/x?key=canary":                       "/x?key=<secret>",
		"/x?page=2&api_key=canary&per_page=1": "/x?page=2&api_key=<secret>&per_page=1",
		"/x?Access_Token=canary":              "/x?Access_Token=<secret>",
		"/x?key={slug}":                       "/x?key={slug}",
		"/x?meta_key=price&author=3&keys=a,b": "/x?meta_key=price&author=3&keys=a,b",
	} {
		c := load(t, required+"sources: {cms: {url: http://127.0.0.1}}\nroutes: [{path: '/{slug}', template: a.html, data: {post: {source: cms, get: \""+get+"\"}}}]\n")
		if got := dump(t, c); !strings.Contains(got, "get: "+want+"\n") {
			t.Errorf("Dump of %s holds no %s:\n%s", get, want, got)
		}
	}
}
