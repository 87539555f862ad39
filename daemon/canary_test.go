package daemon

import (
	"bytes"
	"io/fs"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// canarySecret is what H34 looks for, and canaryToken a key of the source. The
// page's slug is the control: whoever searches must find it where the secrets
// could have been.
const (
	canarySecret = "S3CR3T-CANARY-0123456789abcdef"
	canaryToken  = "T0K3N-CANARY-0123456789abcdef"
	canaryHook   = "H00K-CANARY-0123456789abcdef"
	canarySlug   = "control-of-the-search"

	canaryHooks = `
webhooks:
  prismic: {kind: prismic, secret: ` + canaryHook + `, rules: [{paths: ["/p/{body.slug}", "/{body.none.slug}"]}]}
  strapi: {kind: strapi, secret: ` + canaryHook + `}
`
)

// sendCanaries puts the secret wherever senders put it, the wrong places
// included.
func (s *testSite) sendCanaries() {
	s.t.Helper()
	for _, c := range []struct {
		method, target, body string
		headers              map[string]string
	}{
		{"GET", "/api/revalidate?path=/p/" + canarySlug + "&wait=1m&recheck=0&secret=" + canarySecret, "", nil},
		{"POST", "/api/revalidate?path=/p/" + canarySlug, "", map[string]string{"Authorization": "Bearer " + canarySecret}},
		{"POST", "/api/revalidate", `{"path":"/p/` + canarySlug + `","secret":"` + canarySecret + `"}`, nil},
		{"POST", "/api/revalidate", `{"path":"/p/down","wait":"1s","token":"` + canarySecret + `"}`, nil},
		{"GET", "/api/revalidate?path=/p/" + canarySlug, "", map[string]string{
			"X-Rebake-Secret": canarySecret, "User-Agent": "sender of " + canarySecret, "Referer": "https://cms.example.com/?secret=" + canarySecret,
			"Cookie": "secret=" + canarySecret, "X-Forwarded-For": canarySecret,
		}},
		{"GET", "/api/revalidate?path=/p/x%3Fsecret=" + canarySecret + "&secret=" + canarySecret, "", nil},
		{"GET", "/api/revalidate?path=/p/x;secret=" + canarySecret, "", nil},
		{"GET", "/api/revalidate?path=%zz&secret=" + canarySecret, "", nil},
		{"GET", "/api/revalidate?path=/p/a&wait=" + canarySecret + "&secret=" + canarySecret, "", nil},
		{"POST", "/api/revalidate?secret=" + canarySecret, `{"path":["` + canarySecret, nil},
		{"DELETE", "/api/revalidate?path=/p/a&secret=" + canarySecret, "", nil},
		{"POST", "/_rebake/webhooks/prismic?secret=" + canaryHook, `{"secret":"` + canaryHook + `","slug":"` + canarySlug + `","title":"not ` + canaryHook + `"}`, map[string]string{"X-Key": canaryHook}},
		{"POST", "/_rebake/webhooks/strapi", `{"event":"entry.publish","model":"post","entry":{"documentId":"x","title":"` + canaryHook + `"}}`, map[string]string{"Authorization": "Bearer " + canaryHook}},
		{"POST", "/_rebake/webhooks/strapi", `{"secret":"` + canaryHook + `"}`, map[string]string{"X-Webhook-Secret": "of " + canaryHook}},
		{"POST", "/_rebake/webhooks/" + canaryHook, `{}`, nil},
		{"GET", "/p/" + canarySlug + "?secret=" + canarySecret, "", nil},
		{"GET", "/p/nothing?secret=" + canarySecret, "", map[string]string{"Authorization": "Bearer " + canarySecret}},
	} {
		req, err := http.NewRequest(c.method, "http://"+s.listen, strings.NewReader(c.body))
		if err != nil {
			s.t.Fatal(err)
		}
		req.URL.Path, req.URL.RawQuery, _ = strings.Cut(c.target, "?")
		for name, value := range c.headers {
			req.Header.Set(name, value)
		}
		res, err := http.DefaultClient.Do(req)
		if err != nil {
			s.t.Fatal(strings.ReplaceAll(err.Error(), canarySecret, "…"))
		}
		_ = res.Body.Close()
	}
}

// TestHostile_H34_secretsStayInside runs the whole program, with a Redis of its
// own, and looks for the secrets in everything that is left of it: what it
// logged at its most talkative, what Redis wrote, pages, state, and what every
// command prints.
func TestHostile_H34_secretsStayInside(t *testing.T) {
	t.Parallel()
	needRedis(t)
	for _, format := range []string{"text", "json"} {
		t.Run(format, func(t *testing.T) {
			t.Parallel()
			s := newTestSite(t, "log: {level: debug, format: "+format+"}"+canaryHooks)
			down := "  down: {url: http://127.0.0.1:1, timeout: 1s, headers: {Authorization: Bearer " + canaryToken + "}}\n"
			route := "  - {path: /p/down, template: post.html, data: {post: {source: down, get: \"/x?key=" + canaryToken + "\", one: true}}}\n"
			s.write("rebake.yaml", strings.NewReplacer(testSecret, canarySecret, "routes:\n", down+"routes:\n"+route).Replace(read(t, s, "rebake.yaml")))
			p := s.start()
			s.source.edit(canarySlug)
			s.sendCanaries()
			s.await("the page is public", patience, func() bool { return s.shows(canarySlug) })

			found := map[string]string{} // by place
			for _, args := range [][]string{
				{"status"}, {"status", "--json"}, {"pages"}, {"pages", "--json"}, {"explain", "/p/" + canarySlug}, {"explain", "/p/down", "--json"},
				{"now", "--failed", "--dry-run"}, {"check"}, {"nginx"}, {"webhook", "parked", "--json"},
			} {
				said := s.run(args...)
				found["rebake "+strings.Join(args, " ")] = said.out + said.err
			}
			for _, target := range []string{"/healthz", "/readyz", "/metrics", "/v1/status", "/v1/explain?path=/p/down", "/v1/events"} {
				found["admin "+target] = s.askAdmin(target)
			}
			p.stop()
			found["log"] = p.log.String()
			s.eachFile(func(name string, text []byte) { found[name] = string(text) })

			controls := map[string]bool{"log": false, "rebake explain /p/" + canarySlug: false, "rebake pages": false, "rebake webhook parked --json": false, "Redis": false, "page": false}
			for place, text := range found {
				if strings.Contains(text, "CANARY") {
					t.Errorf("%s holds a secret:\n%.2000s", place, text)
				}
				switch {
				case strings.HasPrefix(place, ".rebake/redis/"):
					place = "Redis"
				case strings.HasPrefix(place, "public/"):
					place = "page"
				}
				if _, ok := controls[place]; ok && strings.Contains(text, canarySlug) {
					controls[place] = true
				}
			}
			for place, ok := range controls {
				if !ok {
					t.Errorf("the control is not found in %s, so the search proves nothing", place)
				}
			}
		})
	}
}

// askAdmin returns what the admin listener answers with its token, the head
// included; of an answer without an end, what comes within a second.
func (s *testSite) askAdmin(target string) string {
	s.t.Helper()
	token := read(s.t, s, ".rebake/admin-token")
	req, err := http.NewRequest(http.MethodGet, "http://"+s.admin+target, nil)
	if err != nil {
		s.t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+strings.TrimSpace(token))
	client := http.Client{Timeout: time.Second}
	res, err := client.Do(req)
	if err != nil {
		return (&url.Error{Op: "Get", URL: target, Err: err}).Error()
	}
	defer res.Body.Close()
	var text bytes.Buffer
	_ = res.Header.Write(&text)
	_, _ = text.ReadFrom(res.Body) // however it ends
	return text.String()
}

// eachFile reads all that the site has on disk, but for its config.
func (s *testSite) eachFile(f func(name string, text []byte)) {
	s.t.Helper()
	err := fs.WalkDir(os.DirFS(s.dir), ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() || name == "rebake.yaml" {
			return err
		}
		text, err := os.ReadFile(filepath.Join(s.dir, name))
		f(name, text)
		return err
	})
	if err != nil {
		s.t.Fatal(err)
	}
}
