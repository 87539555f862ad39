package config

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// valid returns a config that passes, as code would make it.
func valid() *Config {
	c := Default()
	c.Site, c.Output, c.Secret = "https://www.example.com", "./public", Secrets{goodSecret}
	return c
}

func TestValidate(t *testing.T) {
	const (
		makeOne   = "; make one with: openssl rand -hex 32"
		siteAlone = "site: must be scheme and host alone, such as https://www.example.com"
		siteURL   = "site: must be an http or https URL with a host, such as https://www.example.com"
		escape    = "in a password, write @ : / ? # % as %40 %3A %2F %3F %23 %25"
	)
	tests := map[string]struct {
		change func(c *Config)
		want   string
	}{
		"good":                  {func(c *Config) {}, ""},
		"site with slash":       {func(c *Config) { c.Site += "/" }, ""},
		"site with port":        {func(c *Config) { c.Site = "http://localhost:8080" }, ""},
		"site without scheme":   {func(c *Config) { c.Site = "www.example.com" }, siteURL},
		"site with scheme only": {func(c *Config) { c.Site = "https://" }, siteURL},
		"site of ftp":           {func(c *Config) { c.Site = "ftp://example.com" }, siteURL},
		"site unreadable":       {func(c *Config) { c.Site = "https://%zz" }, siteURL},
		"site with path":        {func(c *Config) { c.Site += "/blog" }, siteAlone},
		"site with query":       {func(c *Config) { c.Site += "?a" }, siteAlone},
		"site with fragment":    {func(c *Config) { c.Site += "#" }, siteAlone},
		"site with user":        {func(c *Config) { c.Site = "https://u:p@example.com" }, siteAlone},

		"state empty":         {func(c *Config) { c.State = "" }, "state: must name a directory"},
		"templates empty":     {func(c *Config) { c.Templates = "" }, "templates: must name a directory"},
		"state is output":     {func(c *Config) { c.Output, c.State = "/srv/a", "/srv/a/" }, "state: must not lie inside output (/srv/a): the web server would serve it"},
		"state in output":     {func(c *Config) { c.Output, c.State = "/srv/a", "/srv/a/.rebake" }, "state: must not lie inside output (/srv/a): the web server would serve it"},
		"output in state":     {func(c *Config) { c.Output, c.State = "/srv/a/public", "/srv/a" }, "output: must not lie inside state (/srv/a), which only rebake may read"},
		"state beside output": {func(c *Config) { c.Output, c.State = "/srv/a", "/srv/a..b" }, ""},
		"templates in output": {func(c *Config) { c.Output, c.Templates = "/srv/a", "/srv/a/t" }, "templates: must not lie inside output (/srv/a): the web server would serve it"},
		"secret in output":    {func(c *Config) { c.Output, c.SecretFile = "/srv/a", "/srv/a/key" }, "secret_file: must not lie inside output (/srv/a): the web server would serve it"},

		"redis in memory":         {func(c *Config) { c.Redis = "memory" }, ""},
		"redis by URL":            {func(c *Config) { c.Redis = "redis://u:p%40@h:6379/0?read_timeout=1s" }, ""},
		"redis by TLS":            {func(c *Config) { c.Redis = "rediss://h" }, ""},
		"redis by socket":         {func(c *Config) { c.Redis = "unix://u:p@/run/redis.sock?db=1" }, ""},
		"redis without scheme":    {func(c *Config) { c.Redis = "redis.internal" }, "redis: must be a redis://, rediss:// or unix:// URL, memory, or left out"},
		"redis of http":           {func(c *Config) { c.Redis = "http://h" }, "redis: must be a redis://, rediss:// or unix:// URL, memory, or left out"},
		"redis without host":      {func(c *Config) { c.Redis = "redis:///0" }, "redis: must name a host, such as redis://127.0.0.1:6379/0"},
		"redis, relative socket":  {func(c *Config) { c.Redis = "unix://run/redis.sock" }, "redis: must be unix:// and the absolute path of a socket, such as unix:///run/redis/redis.sock"},
		"redis, password with #":  {func(c *Config) { c.Redis = "redis://u:12#34@h" }, "redis: " + escape},
		"redis, password with /":  {func(c *Config) { c.Redis = "redis://u:12/34@h" }, "redis: " + escape},
		"redis, password with ?":  {func(c *Config) { c.Redis = "redis://u:12?34@h" }, "redis: " + escape},
		"redis, password with %":  {func(c *Config) { c.Redis = "redis://u:%zz@h" }, "redis: must be a URL such as redis://127.0.0.1:6379/0; " + escape},
		"durability":              {func(c *Config) { c.Durability = "none" }, `durability: unknown value "none"; known: relaxed, or leave it out`},
		"listen without port":     {func(c *Config) { c.Listen = "127.0.0.1" }, "listen: must be host:port, such as 127.0.0.1:8600"},
		"listen, port too large":  {func(c *Config) { c.Listen = "127.0.0.1:70000" }, "listen: must be host:port, such as 127.0.0.1:8600"},
		"admin with a word":       {func(c *Config) { c.Admin = "127.0.0.1:http" }, "admin: must be host:port, such as 127.0.0.1:8600"},
		"admin is listen":         {func(c *Config) { c.Admin = c.Listen }, "admin: must differ from listen"},
		"admin is localhost":      {func(c *Config) { c.Admin = "localhost:8600" }, "admin: must differ from listen"},
		"admin within listen":     {func(c *Config) { c.Listen = "0.0.0.0:8601" }, "admin: must differ from listen"},
		"admin on another host":   {func(c *Config) { c.Admin = "[::1]:8600" }, ""},
		"both on any free port":   {func(c *Config) { c.Listen, c.Admin = "127.0.0.1:0", "127.0.0.1:0" }, ""},
		"no secret":               {func(c *Config) { c.Secret = nil }, "secret: required, it opens /api/revalidate" + makeOne},
		"secret too short":        {func(c *Config) { c.Secret = Secrets{"1234567"} }, "secret: must have at least 8 bytes" + makeOne},
		"secret obvious":          {func(c *Config) { c.Secret = Secrets{goodSecret, "ChangeMe"} }, "secret[1]: is the first that anybody would try" + makeOne},
		"secret obvious, short":   {func(c *Config) { c.Secret = Secrets{"secret"} }, "secret: is the first that anybody would try" + makeOne},
		"secret with line break":  {func(c *Config) { c.Secret = Secrets{"12345678\n9"} }, "secret: holds a line break or another control character, which no header can carry"},
		"compress unknown":        {func(c *Config) { c.Compress = []string{"zstd"} }, `compress[0]: unknown value "zstd"; known: gzip, br`},
		"trailing slash":          {func(c *Config) { c.TrailingSlash = "maybe" }, `trailing_slash: unknown value "maybe"; known: auto, always, never`},
		"compress twice":          {func(c *Config) { c.Compress = []string{"br", "gzip", "br"} }, "compress[2]: br stands in the list twice"},
		"no workers":              {func(c *Config) { c.Workers = 0 }, "workers: must be between 1 and 1024"},
		"too many workers":        {func(c *Config) { c.Workers = 1025 }, "workers: must be between 1 and 1024"},
		"no render time":          {func(c *Config) { c.Limits.Render = 0 }, "limits.render: must be at least 10ms"},
		"no wait":                 {func(c *Config) { c.Limits.MaxWait = -1 }, "limits.max_wait: must be at least 10ms"},
		"no body":                 {func(c *Config) { c.Limits.MaxBody = 0 }, "limits.max_body: must be at least 1"},
		"small memory":            {func(c *Config) { c.Limits.Memory = 64 }, "limits.memory: must be at least 8388608"},
		"small spool":             {func(c *Config) { c.Limits.Spool = 1000 }, "limits.spool: must be at least 1048576"},
		"free space of nonsense":  {func(c *Config) { c.Limits.FreeSpace = "much" }, "limits.free_space: must be a size such as 500MB or 1GiB, a share such as 5%, auto or off"},
		"negative quota":          {func(c *Config) { c.Quota.Pages = -1 }, "quota.pages: must be at least 0"},
		"no paths":                {func(c *Config) { c.Limits.Paths = 0 }, "limits.paths: must be at least 1"},
		"shutdown before the end": {func(c *Config) { c.Shutdown = -1 }, "shutdown: must be at least 0s"},
		"log level":               {func(c *Config) { c.Log.Level = "" }, `log.level: unknown value ""; known: debug, info, warn, error`},
		"log format":              {func(c *Config) { c.Log.Format = "xml" }, `log.format: unknown value "xml"; known: text, json`},
		"reserved, no path":       {func(c *Config) { c.Reserved = []string{"api"} }, "reserved[0]: must be a path prefix, such as /api: must start with / and carry no scheme or host"},
		"reserved, everything":    {func(c *Config) { c.Reserved = []string{"/"} }, "reserved[0]: would reserve every page"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			c := valid()
			test.change(c)
			got := ""
			if err := c.Validate(); err != nil {
				got = err.Error()
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("Validate (-want +got):\n%s", diff)
			}
		})
	}
}

func TestLoadLocatesProblemsOfSourcesAndRoutes(t *testing.T) {
	got := loadError(t, required+`sources:
  cms:
    url: ftp://cms.example.com
    timeout: 1ms
  bare: {}
  "a b": {url: https://a.example}
routes:
  - path: /
  - template: post.html
  -
`)
	const url = "must be an http or https URL with a host, such as https://cms.example.com/wp-json/wp/v2"
	const path = "required: which pages this is about, such as /blog/{slug}"
	const template = "required: a file below templates, such as post.html; or origin, or pass"
	want := strings.Join([]string{
		"rebake.yaml:6: sources.cms.url: " + url,
		"rebake.yaml:7: sources.cms.timeout: must be at least 10ms",
		"rebake.yaml:8: sources.bare.url: " + url,
		`rebake.yaml:9: sources."a b": the name of a source is made of letters, digits, _ and -`,
		"rebake.yaml:11: routes[0].template: " + template,
		"rebake.yaml:12: routes[1].path: " + path,
		"rebake.yaml:13: routes[2].path: " + path,
		"rebake.yaml:13: routes[2].template: " + template,
	}, "\n")
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("error (-want +got):\n%s", diff)
	}
}

func TestLoadLocatesSecrets(t *testing.T) {
	got := loadError(t, "site: https://www.example.com\noutput: ./public\nsecret:\n  - "+goodSecret+"\n  - short\n")
	if want := "rebake.yaml:5: secret[1]: must have at least 8 bytes; make one with: openssl rand -hex 32"; got != want {
		t.Errorf("error %q, want %q", got, want)
	}
}

func TestLoadRefusesSecretTwice(t *testing.T) {
	got := loadError(t, required+"secret_file: key\n")
	if want := "rebake.yaml:4: secret_file: secret is set too; keep one of them"; got != want {
		t.Errorf("error %q, want %q", got, want)
	}
}

func TestLoadRefusesOutputThatHoldsTheConfig(t *testing.T) {
	got := loadError(t, "site: https://www.example.com\noutput: .\nstate: /srv/state\ntemplates: /srv/templates\nsecret: "+goodSecret+"\n")
	if want := "rebake.yaml:2: output: must not hold rebake.yaml: the web server would serve it"; got != want {
		t.Errorf("error %q, want %q", got, want)
	}
}

func TestValidateFollowsSymbolicLinks(t *testing.T) {
	dir := t.TempDir()
	c := valid()
	c.Output = filepath.Join(dir, "public")
	c.State = filepath.Join(dir, "link", "not-yet", "state")
	if err := os.Mkdir(c.Output, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("public", filepath.Join(dir, "link")); err != nil {
		t.Fatal(err)
	}
	if err := c.Validate(); err == nil || !strings.HasPrefix(err.Error(), "state: must not lie inside output") {
		t.Errorf("Validate: %v, want a problem with state", err)
	}
}

// H124
func TestWarnings_adminForOtherMachines(t *testing.T) {
	for addr, want := range map[string]bool{
		"127.0.0.1:1": false, "localhost:1": false, "[::1]:1": false, "127.0.0.2:1": false,
		":1": true, "0.0.0.0:1": true, "[::]:1": true, "10.0.0.1:1": true, "admin.example.com:1": true,
	} {
		c := valid()
		c.Admin = addr
		if got := strings.Contains(strings.Join(c.Warnings(), "\n"), "admin: other machines can reach it"); got != want {
			t.Errorf("%s: warned %v, want %v", addr, got, want)
		}
	}
}

func TestWarnings(t *testing.T) {
	c := load(t, "site: https://www.example.com\noutput: ./public\nsecret: twelve-bytes\nredis: memory\ndurability: relaxed\n")
	got := strings.ReplaceAll(strings.Join(c.Warnings(), "\n"), filepath.Dir(c.Output)+"/", "")
	want := `rebake.yaml:4: redis: the queue is kept in memory: a stop loses every trigger that is not done
rebake.yaml:5: durability: Redis may lose triggers that were accepted
rebake.yaml:3: secret: has less than 24 bytes; make one with: openssl rand -hex 32
rebake.yaml: routes: there are none, so no page is rendered`
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("Warnings (-want +got):\n%s", diff)
	}
}

func TestWarnings_H124_adminOnTheNetwork(t *testing.T) {
	for address, warned := range map[string]bool{
		"127.0.0.1:8601": false, "[::1]:8601": false, "localhost:8601": false,
		":8601": true, "0.0.0.0:8601": true, "[::]:8601": true, "192.0.2.1:8601": true,
	} {
		c := valid()
		c.Admin = address
		if got := strings.Contains(strings.Join(c.Warnings(), "\n"), "admin: answers other machines"); got != warned {
			t.Errorf("admin: %s is warned of: %v, want %v", address, got, warned)
		}
	}
}
