package daemon

import (
	"bytes"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"rebake/daemon/setup"
	"rebake/daemon/setup/setuptest"
	"rebake/renderer/origin"
)

func TestInit_tellsNoSecret(t *testing.T) {
	dir := t.TempDir()
	var out bytes.Buffer
	for _, dry := range []bool{false, true} {
		opts := initOptions{wish: setup.Wish{URL: setuptest.Serve(setuptest.WordPress{}, t.Cleanup)}, dir: dir, dryRun: dry}
		if err := runInit(t.Context(), &out, opts); err != nil && !strings.Contains(err.Error(), "not everything works") {
			t.Fatal(err)
		}
	}
	secret, err := os.ReadFile(filepath.Join(dir, setup.SecretFile))
	if err != nil || len(secret) < 24 {
		t.Fatalf("the secret is %q, %v", secret, err)
	}
	if strings.Contains(out.String(), strings.TrimSpace(string(secret))) {
		t.Errorf("the secret is printed:\n%s", &out)
	}
}

func TestInit_refusesFilesOfOthers(t *testing.T) {
	dir := t.TempDir()
	if err := os.MkdirAll(filepath.Join(dir, "templates"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "templates/home.html"), []byte("mine"), 0o600); err != nil {
		t.Fatal(err)
	}
	opts := initOptions{wish: setup.Wish{URL: setuptest.Serve(setuptest.WordPress{}, t.Cleanup), Headless: true}, dir: dir}
	err := runInit(t.Context(), new(bytes.Buffer), opts)
	if err == nil || !strings.Contains(err.Error(), "templates/home.html is there already") {
		t.Errorf("error %v", err)
	}
	if _, err := os.Stat(filepath.Join(dir, setup.ConfigFile)); err == nil {
		t.Error("the config was written nevertheless")
	}
}

func TestNextSteps_sayHowTheSiteGetsBehindNginx(t *testing.T) {
	steps := func(url string, kind origin.Kind, found bool) string {
		s := &setup.Site{URL: url, Kind: kind, Origin: "http://127.0.0.1:8080", Found: found}
		return strings.Join(nextSteps(setup.Plan{Site: s, Dir: "/srv/site", User: "ada"}), "\n")
	}
	const listen, https, app = "`listen 127.0.0.1:8080;`", "`fastcgi_param HTTPS on;`", "Let the app answer at 127.0.0.1:8080"
	for name, tc := range map[string]struct {
		got       string
		has, none []string
	}{
		"WordPress":          {steps("https://www.example.com", origin.WordPress, false), []string{listen, https}, []string{app}},
		"WordPress by http":  {steps("http://www.example.com", origin.WordPress, false), []string{listen}, []string{https, app}},
		"Next":               {steps("https://www.example.com", origin.Next, false), []string{app}, []string{listen}},
		"a site that is":     {steps("https://www.example.com", origin.WordPress, true), nil, []string{listen, app}},
		"nginx and the unit": {steps("https://www.example.com", origin.Plain, true), []string{"include /srv/site/rebake-nginx.conf;", "rebake-www.example.com.service", "build --config /srv/site/rebake.yaml"}, nil},
	} {
		for _, text := range tc.has {
			if !strings.Contains(tc.got, text) {
				t.Errorf("%s: the steps lack %s:\n%s", name, text, tc.got)
			}
		}
		for _, text := range tc.none {
			if strings.Contains(tc.got, text) {
				t.Errorf("%s: the steps have %s:\n%s", name, text, tc.got)
			}
		}
	}
}

func TestFreePair_leavesTheUsualOnesToWhoHasThem(t *testing.T) {
	if l, err := net.Listen("tcp", "127.0.0.1:8601"); err == nil {
		defer l.Close() // else somebody else has it
	}
	listen, admin, err := freePair()
	if err != nil || listen == "" || listen == admin {
		t.Errorf("listen %q, admin %q, %v", listen, admin, err)
	}
}

func TestClosed(t *testing.T) {
	dir := t.TempDir()
	home := filepath.Join(dir, "home")
	if err := os.Mkdir(home, 0o750); err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(closed(filepath.Join(home, "site", "public")), "\n"); !strings.Contains(got, "chmod o+x "+home+",") {
		t.Errorf("told %q", got)
	}
	if err := os.Chmod(home, 0o751); err != nil {
		t.Fatal(err)
	}
	if got := closed(filepath.Join(home, "site")); strings.Contains(strings.Join(got, "\n"), home) {
		t.Errorf("told %q", got)
	}
}

func TestProgram_isNoTemporaryFile(t *testing.T) {
	if got := program(); got != "/usr/local/bin/rebake" { // a test's binary is one
		t.Errorf("program %s", got)
	}
}
