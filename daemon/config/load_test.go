package config

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"rebake/renderer"
	"rebake/renderer/source"
	"rebake/storage"
)

const goodSecret = "0123456789abcdef0123456789abcdef"

// required is what every good file needs; three lines.
const required = "site: https://www.example.com\noutput: ./public\nsecret: " + goodSecret + "\n"

func env(pairs ...string) func(string) (string, bool) {
	return func(name string) (string, bool) {
		for i := 0; i < len(pairs); i += 2 {
			if pairs[i] == name {
				return pairs[i+1], true
			}
		}
		return "", false
	}
}

// write makes a rebake.yaml in a directory of its own.
func write(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "rebake.yaml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func load(t *testing.T, text string, environ ...string) *Config {
	t.Helper()
	c, err := Load(write(t, text), env(environ...))
	if err != nil {
		t.Fatalf("Load: %v", err)
	}
	return c
}

// loadError returns the error of a bad file, with the directory taken off.
func loadError(t *testing.T, text string, environ ...string) string {
	t.Helper()
	path := write(t, text)
	_, err := Load(path, env(environ...))
	var all *Error
	if !errors.As(err, &all) {
		t.Fatalf("Load gave %v, want an *Error", err)
	}
	return strings.ReplaceAll(err.Error(), filepath.Dir(path)+"/", "")
}

func TestLoadFillsInDefaults(t *testing.T) {
	path := write(t, required)
	dir := filepath.Dir(path)
	got, err := Load(path, env())
	if err != nil {
		t.Fatal(err)
	}
	want := Default()
	want.Site = "https://www.example.com"
	want.Output = filepath.Join(dir, "public")
	want.State = filepath.Join(dir, ".rebake")
	want.Templates = filepath.Join(dir, "templates")
	want.Secret = Secrets{goodSecret}
	if diff := cmp.Diff(want, got, cmpopts.IgnoreUnexported(Config{})); diff != "" {
		t.Errorf("Load (-want +got):\n%s", diff)
	}
}

func TestLoadReadsEveryKindOfValue(t *testing.T) {
	c := load(t, `
site: https://www.example.com/
output: /srv/out
redis: unix:///run/redis.sock
secret: [`+goodSecret+`, "${OLD}"]
sources:
  cms: &cms
    url: https://cms.example.com
    headers: {Authorization: "Basic ${AUTH}"}
    rate: 600/m
    timeout: 2s
  copy: *cms
  plain: {url: http://127.0.0.1:1337}
routes:
  - path: "/blog/{slug}"
    template: post.html
    data: {post: {source: cms, get: "/p?price=$${x}", one: true}}
    gates: {complete: false}
reserved: [/shop]
compress: []
workers: "${N}"
limits: {max_wait: 1m30s}
log:
`, "OLD", "an older secret: # [not yaml", "AUTH", "abc", "N", "3")

	cms := source.Config{
		URL: "https://cms.example.com", Headers: map[string]storage.Secret{"Authorization": "Basic abc"},
		Rate: 10, Timeout: 2 * time.Second, Concurrency: 8, MaxBytes: 16 << 20,
	}
	plain := source.DefaultConfig()
	plain.URL = "http://127.0.0.1:1337"
	no := false
	want := Default()
	want.Site = "https://www.example.com"
	want.Output = "/srv/out"
	want.State, want.Templates = c.State, c.Templates
	want.Redis = "unix:///run/redis.sock"
	want.Secret = Secrets{goodSecret, "an older secret: # [not yaml"}
	want.Sources = map[string]source.Config{"cms": cms, "copy": cms, "plain": plain}
	want.Routes = []renderer.RouteConfig{{
		Path: "/blog/{slug}", Template: "post.html",
		Data:  map[string]renderer.FetchConfig{"post": {Source: "cms", Get: "/p?price=${x}", One: true}},
		Gates: renderer.GatesConfig{Complete: &no},
	}}
	want.Reserved = []string{"/shop", "/api/revalidate", "/_rebake"}
	want.Compress = []string{}
	want.Workers = 3
	want.Limits.MaxWait = 90 * time.Second
	if diff := cmp.Diff(want, c, cmpopts.IgnoreUnexported(Config{})); diff != "" {
		t.Errorf("Load (-want +got):\n%s", diff)
	}
}

func TestLoadReadsSecretFile(t *testing.T) {
	path := write(t, "site: https://www.example.com\noutput: ./public\nsecret_file: key\n")
	key := filepath.Join(filepath.Dir(path), "key")
	for _, content := range []string{goodSecret, goodSecret + "\n", goodSecret + "\r\n"} {
		if err := os.WriteFile(key, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		c, err := Load(path, env())
		if err != nil {
			t.Fatalf("Load with %q: %v", content, err)
		}
		if diff := cmp.Diff(Secrets{goodSecret}, c.Secret); diff != "" {
			t.Errorf("secret of %q (-want +got):\n%s", content, diff)
		}
	}
}

func TestLoadReportsBadSecretFile(t *testing.T) {
	tests := map[string]struct{ content, want string }{
		"empty":     {"\n", "DIR/key is empty"},
		"large":     {strings.Repeat("x", 4097), "DIR/key is larger than 4096 bytes"},
		"two lines": {goodSecret + "\n\n", "holds a line break or another control character, which no header can carry"},
		"weak":      {"changeme\n", "is the first that anybody would try; make one with: openssl rand -hex 32"},
		"missing":   {"", "open DIR/key: no such file or directory"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			path := write(t, "site: https://www.example.com\noutput: ./public\nsecret_file: key\n")
			dir := filepath.Dir(path)
			if name != "missing" {
				if err := os.WriteFile(filepath.Join(dir, "key"), []byte(test.content), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			_, err := Load(path, env())
			want := path + ":3: secret_file: " + strings.ReplaceAll(test.want, "DIR", dir)
			if err == nil || err.Error() != want {
				t.Errorf("Load: %v\nwant: %s", err, want)
			}
		})
	}
}

func TestLoadOfMissingFile(t *testing.T) {
	_, err := Load(filepath.Join(t.TempDir(), "none.yaml"), env())
	if !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("Load: %v, want fs.ErrNotExist", err)
	}
}

func TestLoadMakesPathsAbsoluteWithRelativeFile(t *testing.T) {
	t.Chdir(filepath.Dir(write(t, required)))
	c, err := Load("rebake.yaml", env())
	if err != nil {
		t.Fatal(err)
	}
	if !filepath.IsAbs(c.Output) {
		t.Errorf("output is %q, want an absolute path", c.Output)
	}
}

func TestFind(t *testing.T) {
	dir := t.TempDir()
	here, there := filepath.Join(dir, "rebake.yaml"), filepath.Join(dir, "etc", "rebake.yaml")
	check := func(flag, want string) {
		t.Helper()
		if got, err := find(flag, here, there); got != want || err != nil {
			t.Errorf("find(%q) = %q, %v, want %q", flag, got, err, want)
		}
	}

	want := "no config: looked for " + here + " and " + there + "; `rebake init URL` writes one (rebake.example.yaml shows every key), or name one with --config"
	if _, err := find("", here, there); err == nil || err.Error() != want {
		t.Errorf("find without files: %v\nwant: %s", err, want)
	}
	check("other.yaml", "other.yaml")
	os.Mkdir(filepath.Dir(there), 0o755)
	os.WriteFile(there, nil, 0o600)
	check("", there)
	os.WriteFile(here, nil, 0o600)
	check("", here)
	check("other.yaml", "other.yaml")
}

func TestFindLooksInTheWorkingDirectory(t *testing.T) {
	t.Chdir(filepath.Dir(write(t, "")))
	if got, err := Find(""); got != "rebake.yaml" || err != nil {
		t.Errorf("Find = %q, %v, want rebake.yaml", got, err)
	}
}
