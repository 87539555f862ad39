package setup

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"rebake/daemon/config"
	"rebake/daemon/setup/setuptest"
	"rebake/renderer"
	"rebake/renderer/origin"
	"rebake/renderer/source"
	"rebake/storage"
)

// written writes the plan's files and loads them as every command does.
func written(t *testing.T, p Plan) (*config.Config, *renderer.Renderer) {
	t.Helper()
	if p.Dir == "" {
		p.Dir = t.TempDir()
	}
	list, err := p.Files()
	if err != nil {
		t.Fatal(err)
	}
	if err := Write(p.Dir, list, false); err != nil {
		t.Fatal(err)
	}
	cfg, err := config.Load(p.Config(), os.LookupEnv)
	if err != nil {
		text, _ := os.ReadFile(p.Config())
		t.Fatalf("the config is not accepted: %v\n%s", err, text)
	}
	if warnings := cfg.Warnings(); len(warnings) > 0 {
		t.Errorf("the config has warnings: %q", warnings)
	}
	rc := renderer.Config{Site: cfg.Site, Routes: cfg.Routes, Sources: map[string]*source.Source{}, Origins: map[string]*origin.Origin{}}
	for name, c := range cfg.Sources {
		s, err := source.New(name, c)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(s.Close)
		rc.Sources[name] = s
	}
	for name, c := range cfg.Origins {
		o, err := origin.New(name, c, cfg.Site, cfg.TrailingSlash)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(o.Close)
		rc.Origins[name] = o
	}
	if p.Site.Headless != nil {
		if rc.Templates, err = renderer.LoadTemplates(os.DirFS(cfg.Templates)); err != nil {
			t.Fatal(err)
		}
	}
	r, err := renderer.New(rc)
	if err != nil {
		t.Fatal(err)
	}
	return cfg, r
}

func TestPlan_keepsTheSite(t *testing.T) {
	for name, tc := range map[string]struct {
		site   Site
		build  string
		routes []renderer.RouteConfig
		origin func(*origin.Config)
	}{
		"WordPress": {
			site:   Site{URL: site, Kind: origin.WordPress, Origin: "http://127.0.0.1:8080", Host: "10.0.0.1:81", Slash: "always", Feeds: []string{"/feed"}},
			routes: []renderer.RouteConfig{{Path: "/", Origin: "wordpress"}, {Path: "/feed", Origin: "wordpress"}, {Path: "/{rest...}", Origin: "wordpress"}},
			origin: func(c *origin.Config) { c.Host = "10.0.0.1:81" },
		},
		"Next, with what could hurt in a comment": {
			site: Site{
				URL: "http://10.1.2.3:3000", Kind: origin.Next, Origin: "http://10.1.2.3:3000", Slash: "auto",
				Private: "Cache-Control: private", Cookies: []string{"a\nroutes: []", "b"},
			},
			build:  "/srv/my app ${HOME}/.next",
			routes: []renderer.RouteConfig{{Path: "/", Origin: "app"}, {Path: "/{rest...}", Origin: "app"}},
			origin: func(c *origin.Config) { c.Build = "/srv/my app ${HOME}/.next" },
		},
		"Nuxt, whose / leads elsewhere": {
			site:   Site{URL: site, Kind: origin.Nuxt, Origin: "http://app:3000", Slash: "never", Start: "/en\nx"},
			routes: []renderer.RouteConfig{{Path: "/", Pass: "app"}, {Path: "/{rest...}", Origin: "app"}},
		},
	} {
		t.Run(name, func(t *testing.T) {
			cfg, _ := written(t, Plan{Site: &tc.site, Build: tc.build})
			want := origin.DefaultConfig()
			want.Kind, want.URLs = tc.site.Kind, []string{tc.site.Origin}
			if tc.origin != nil {
				tc.origin(&want)
			}
			if diff := cmp.Diff(tc.routes, cfg.Routes); diff != "" {
				t.Errorf("routes (-want +got):\n%s", diff)
			}
			if len(cfg.Origins) != 1 {
				t.Fatalf("%d origins", len(cfg.Origins))
			}
			for _, got := range cfg.Origins {
				if diff := cmp.Diff(want, got, cmpopts.IgnoreFields(origin.Config{}, "Webhook")); diff != "" {
					t.Errorf("origin (-want +got):\n%s", diff)
				}
				if told := got.Webhook != nil && len(got.Webhook.Secret) == 1; told != (tc.site.Kind == origin.WordPress) {
					t.Errorf("webhook %+v: a site of WordPress has one, with a secret, and no other", got.Webhook)
				}
			}
			if cfg.Site != tc.site.URL || cfg.TrailingSlash != tc.site.Slash || cfg.Listen != config.Default().Listen {
				t.Errorf("site %s, trailing_slash %s, listen %s", cfg.Site, cfg.TrailingSlash, cfg.Listen)
			}
		})
	}
}

func TestPlan_ofOneSiteAmongMany(t *testing.T) {
	p := Plan{Site: &Site{URL: site, Kind: origin.WordPress, Origin: "http://127.0.0.1:8080", Slash: "auto", Shop: true}, Listen: "127.0.0.1:8602", Admin: "127.0.0.1:8603"}
	cfg, _ := written(t, p)
	if cfg.Listen != p.Listen || cfg.Admin != p.Admin {
		t.Errorf("listen %s, admin %s", cfg.Listen, cfg.Admin)
	}
	if want := append(config.Default().BypassCookies, "woocommerce_items_in_cart", "wp_woocommerce_session_*"); !slices.Equal(cfg.BypassCookies, want) {
		t.Errorf("bypass_cookies %q, want %q", cfg.BypassCookies, want)
	}
	if p.Unit() != "rebake-www.example.com" {
		t.Errorf("unit %s", p.Unit())
	}
}

// rendered makes a page as the worker does.
func rendered(t *testing.T, r *renderer.Renderer, path string) (storage.Page, error) {
	t.Helper()
	p, err := storage.ParsePath(path)
	if err != nil {
		t.Fatal(err)
	}
	m, ok := r.Match(p)
	if !ok {
		t.Fatalf("no route has %s", path)
	}
	return r.Render(t.Context(), m, true)
}

// listed are the pages that the lists and routes name.
func listed(t *testing.T, r *renderer.Renderer) []string {
	t.Helper()
	var paths []string
	for _, p := range r.FixedPaths() {
		paths = append(paths, p.String())
	}
	for _, l := range r.Lists() {
		if err := l.Each(t.Context(), none, collect(&paths)); err != nil {
			t.Errorf("list %s: %v", l.Route(), err)
		}
	}
	slices.Sort(paths)
	return paths
}

func TestPlan_headlessIsAWholeSite(t *testing.T) {
	for name, tc := range map[string]struct {
		wp    setuptest.WordPress
		pages []string
	}{
		"posts by date": {
			setuptest.WordPress{},
			[]string{"/", "/2025/01/hello-world", "/2026/10/rye", "/2026/11/fresh-bread", "/about", "/about/team", "/category/loaves", "/category/uncategorized", "/feed"},
		},
		"posts as pages": {
			setuptest.WordPress{Post: "/{slug}/"},
			[]string{"/", "/about", "/about/team", "/category/loaves", "/category/uncategorized", "/feed", "/fresh-bread", "/hello-world", "/rye"},
		},
		"posts by number": {
			setuptest.WordPress{Post: "/archives/{id}"},
			[]string{"/", "/about", "/about/team", "/archives/1", "/archives/5", "/archives/7", "/category/loaves", "/category/uncategorized", "/feed"},
		},
		"a page as the home page": {
			setuptest.WordPress{Front: true, Post: "/{slug}/"},
			[]string{"/", "/about/team", "/category/loaves", "/category/uncategorized", "/feed", "/fresh-bread", "/hello-world", "/rye"},
		},
		"WordPress under a host of its own": {
			setuptest.WordPress{Home: "https://cms.example.com"},
			[]string{"/", "/2025/01/hello-world", "/2026/10/rye", "/2026/11/fresh-bread", "/about", "/about/team", "/category/loaves", "/category/uncategorized", "/feed"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			found, _ := look(t, Wish{URL: site, Origin: serve(t, tc.wp), Headless: true})
			_, r := written(t, Plan{Site: found})
			if diff := cmp.Diff(tc.pages, listed(t, r)); diff != "" {
				t.Errorf("pages (-want +got):\n%s", diff)
			}
			for _, path := range tc.pages {
				page, err := rendered(t, r, path)
				if err != nil {
					t.Errorf("%s: %v", path, err)
				} else if strings.HasPrefix(page.Type, "text/html") && !strings.HasSuffix(strings.TrimSpace(string(page.Body)), "</html>") {
					t.Errorf("%s does not end: %s", path, page.Body)
				}
			}
		})
	}
}

func TestPlan_headlessPages(t *testing.T) {
	found, _ := look(t, Wish{URL: site, Origin: serve(t, setuptest.WordPress{Home: "https://cms.example.com"}), Headless: true})
	_, r := written(t, Plan{Site: found})
	for path, texts := range map[string][]string{
		"/": {"<h1>The Slow Loaf</h1>", "<p>Bread &amp; more</p>", `<a href="/2026/11/fresh-bread/">Fresh bread &amp; butter</a>`, `<link rel="canonical" href="https://www.example.com/">`, `<a href="/about/">About</a>`},
		"/2026/11/fresh-bread": {
			"<title>Fresh bread &amp; butter · The Slow Loaf</title>", `<a href="/category/loaves/">Loaves &amp; rolls</a>`, "<p>The text of Fresh bread",
			`<link rel="canonical" href="https://www.example.com/2026/11/fresh-bread/">`,
		},
		"/about/team":      {"<h1>The team</h1>", "<p>The text of The team</p>"},
		"/category/loaves": {"<h1>Loaves &amp; rolls</h1>", `<a href="/2026/10/rye/">Rye</a>`},
		"/feed":            {"<link>https://www.example.com/2026/11/fresh-bread/</link>", "<title>Fresh bread &amp; butter</title>", `<atom:link href="https://www.example.com/feed/"`},
	} {
		page, err := rendered(t, r, path)
		if err != nil {
			t.Errorf("%s: %v", path, err)
			continue
		}
		for _, text := range texts {
			if !strings.Contains(string(page.Body), text) {
				t.Errorf("%s lacks %q:\n%s", path, text, page.Body)
			}
		}
	}
	if page, err := rendered(t, r, "/category/loaves"); err == nil && strings.Contains(string(page.Body), "Hello world") {
		t.Error("/category/loaves shows a post of another category")
	}
	for _, path := range []string{"/2024/11/fresh-bread", "/team", "/category/nothing", "/nothing"} {
		if page, err := rendered(t, r, path); err == nil {
			t.Errorf("%s is a page:\n%s", path, page.Body)
		}
	}
}

// What a site says of itself becomes text in the templates, never an action.
func TestPlan_headlessNameIsText(t *testing.T) {
	server := serve(t, setuptest.WordPress{})
	found, _ := look(t, Wish{URL: server, Headless: true})
	found.Headless.Name = `{{.secret}} "<b>" \ [[x]] 'é`
	found.Headless.Menu = []Link{{Text: "{{end}}", Path: `/a"b`}}
	_, r := written(t, Plan{Site: found})
	page, err := rendered(t, r, "/")
	if err != nil || !strings.Contains(string(page.Body), "&#123;&#123;.secret&#125;&#125; &#34;&lt;b&gt;&#34;") {
		t.Errorf("%v\n%s", err, page.Body)
	}
}

// systemd reads the unit itself, where it is at hand.
//
// H125: the secret stands in a file that only the service's user can read, and
// not in the unit or the command line, where everybody sees it; the memory is
// written into no file.
func TestPlan_unit_H125(t *testing.T) {
	program, err := exec.LookPath("true")
	if err != nil {
		t.Fatal("there is no program to name")
	}
	dir := filepath.Join(t.TempDir(), "my site 100%")
	cfg, _ := written(t, Plan{Site: &Site{URL: site, Kind: origin.WordPress, Origin: "http://127.0.0.1:8080", Slash: "auto"}, Dir: dir, Program: program, User: "daemon"})
	name := filepath.Join(dir, ServiceFile)
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range []string{
		"User=daemon", "ExecStart=" + program + ` serve --config "` + strings.ReplaceAll(dir, "%", "%%") + `/rebake.yaml"`,
		`ReadWritePaths="` + strings.ReplaceAll(dir, "%", "%%") + `"`, "Restart=always", "RestartPreventExitStatus=78", "ProtectHome=yes",
		"LimitCORE=0", "ProtectProc=invisible",
	} {
		if !slices.Contains(strings.Split(string(text), "\n"), line) {
			t.Errorf("the unit lacks %q:\n%s", line, text)
		}
	}
	for _, name := range []string{ServiceFile, ConfigFile} {
		b, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil || len(cfg.Secret) != 1 || strings.Contains(string(b), cfg.Secret[0].Reveal()) {
			t.Errorf("%s: %v, or it holds the secret", name, err)
		}
	}
	for _, name := range []string{SecretFile, WebhookFile} {
		if info, err := os.Stat(filepath.Join(dir, name)); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: %v, %v", name, info, err)
		}
	}
	verify, err := exec.LookPath("systemd-analyze")
	if err != nil && os.Getenv("CI") == "true" {
		t.Fatal("systemd-analyze is not installed: run scripts/test")
	}
	if err != nil {
		t.Skip("systemd-analyze is not installed: run scripts/test")
	}
	if out, err := exec.CommandContext(t.Context(), verify, "verify", "--man=no", name).CombinedOutput(); err != nil || len(out) > 0 {
		t.Errorf("systemd-analyze verify: %v\n%s", err, out)
	}
	// In tenths: 1.5 of 10.
	if out, err := exec.CommandContext(t.Context(), verify, "security", "--offline=true", "--threshold=15", name).CombinedOutput(); err != nil {
		t.Errorf("systemd-analyze security: %v\n%s", err, out)
	}
}

func TestPlan_unitSeesHomes(t *testing.T) {
	for dir, want := range map[string]bool{"/home/ada/site": true, "/srv/home/site": false, "/root": true} {
		if got := (Plan{Dir: dir}).InHome(); got != want {
			t.Errorf("%s: %v, want %v", dir, got, want)
		}
	}
}

func TestPlan_unitHasItsOwnTmp(t *testing.T) {
	for dir, want := range map[string]bool{"/tmp/site": true, "/var/tmp": true, "/srv/tmp/site": false, "/tmpfs": false} {
		told := strings.Join(Plan{Dir: dir}.Unseen(), "\n")
		if got := strings.HasPrefix(told, "the unit does not see "+dir+", since rebake.service says PrivateTmp=yes"); got != want {
			t.Errorf("%s: %q, want a word: %v", dir, told, want)
		}
	}
}
