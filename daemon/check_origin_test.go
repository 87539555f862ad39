package daemon

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"rebake/daemon/setup/setuptest"
)

// snapshotSite is a site whose / comes from a handler; keys are more of its
// origin's, and route more of the route's.
func snapshotSite(t *testing.T, h http.Handler, keys, route string) *testSite {
	t.Helper()
	needRedis(t)
	s := &testSite{t: t, dir: t.TempDir()}
	s.write("rebake.yaml", fmt.Sprintf(`
site: https://www.example.com
output: ./public
secret: %s
origins:
  app: {urls: [%q]%s}
routes:
  - {path: "/{rest...}", origin: app}
  - {path: /about, origin: app}
  - {path: /, origin: app%s}
`, testSecret, setuptest.Serve(h, t.Cleanup), keys, route))
	return s
}

func TestCheck_origin(t *testing.T) {
	cached := setuptest.Plain{Header: http.Header{"X-Cache": {"HIT from proxy"}}}
	private := setuptest.Plain{Header: http.Header{"Cache-Control": {"private"}}}
	for name, tc := range map[string]struct {
		handler     http.Handler
		keys, route string
		code        int
		want        string
	}{
		"that is well":          {setuptest.Plain{}, "", "", exitOK, ": / would be published\n"},
		"with a cache":          {cached, "", "", exitOK, ": it answers from a cache of its own (X-Cache: HIT from proxy): edits may show late"},
		"of Nuxt, with a cache": {cached, ", kind: nuxt", "", exitOK, "edits may show late; take the page out of routeRules"},
		"that calls the page private": {
			private, "", "", exitFailed,
			"/ would not be published: app GET /: refused by gate private: the origin says that the page is one visitor's (Cache-Control: private); if it is the same for everybody, set shared: true",
		},
		"whose page is the same for everybody": {private, "", ", shared: true", exitOK, ": / would be published\n"},
		"that sends half a page": {
			http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Content-Type", "text/html")
				_, _ = w.Write([]byte("<html><body>half"))
			}), "", "", exitFailed, "refused by gate complete",
		},
		"that is broken": {
			http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusInternalServerError) }),
			"", "", exitFailed, "✗ origin app http://127.0.0.1:",
		},
		"Next without build": {setuptest.Next{}, ", kind: next", "", exitOK, ": name its .next folder with build\n"},
		"Next for each request": {
			setuptest.Next{Dynamic: true}, ", kind: next, build: BUILD", ", shared: true", exitOK, ": / would be published\n",
		},
		"Next with build":         {setuptest.Next{BuildID: "this"}, ", kind: next, build: BUILD", "", exitOK, ": rebake gets past Next's cache\n"},
		"Next with another build": {setuptest.Next{BuildID: "that"}, ", kind: next, build: BUILD", "", exitFailed, "its cache is not got past (X-Nextjs-Cache: HIT): build names "},
		"Next without a build yet": {
			setuptest.Next{BuildID: "this"}, ", kind: next, build: /nowhere", "", exitFailed, "look for the id of the Next build",
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := snapshotSite(t, tc.handler, tc.keys, tc.route)
			s.write("build/prerender-manifest.json", `{"preview": {"previewModeId": "this"}}`)
			s.replace("rebake.yaml", "BUILD", filepath.Join(s.dir, "build"))
			if tc.code == exitOK {
				s.mustRun(words("check"), tc.want)
			} else {
				s.mustFail(tc.code, words("check"), tc.want)
			}
		})
	}
}

func TestCheck_originWithoutAPageToTry(t *testing.T) {
	s := snapshotSite(t, http.NotFoundHandler(), "", "")
	s.replace("rebake.yaml", "path: /about, origin", "path: /about, pass")
	s.replace("rebake.yaml", "path: /, origin", "path: /, pass")
	s.mustRun(words("check"), ": no route has a page to try, but it answers\n")
}

func TestCheck_originAtTheSitesOwnAddress(t *testing.T) {
	server := setuptest.Serve(setuptest.Plain{}, t.Cleanup)
	s := snapshotSite(t, setuptest.Plain{}, "", "")
	s.replace("rebake.yaml", "site: https://www.example.com", "site: "+server)
	s.replace("rebake.yaml", "urls: [", "urls: ["+server+", ")
	s.mustRun(words("check"), "! origin app "+server+": this is the site's own address")
}

// replace changes a text of a file that the test has written.
func (s *testSite) replace(name, old, text string) {
	s.t.Helper()
	b, err := os.ReadFile(filepath.Join(s.dir, name))
	if err != nil {
		s.t.Fatal(err)
	}
	s.write(name, strings.Replace(string(b), old, text, 1))
}
