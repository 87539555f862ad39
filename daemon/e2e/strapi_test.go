//go:build strapi

package e2e

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"text/tabwriter"
	"time"
)

// strapiSoon is how long after a click the public pages may take: Strapi's
// settle time, and for a page that goes a second look.
const strapiSoon = 15 * time.Second

// strapi is a real Strapi 5 with articles, and a webhook to a site.
type strapi struct {
	*site
	t   *testing.T
	cms string // its address

	rows [][]string // what was tried, and how long it took
}

// article is what Strapi says of one.
type article struct {
	DocumentID string `json:"documentId"`
	Slug       string `json:"slug"`
	Title      string `json:"title"`
}

func (a article) path() string { return "/articles/" + a.Slug }

// TestStrapi edits a real Strapi, and looks at the files. It is no part of the
// default tests: scripts/strapi installs Strapi, which takes minutes, and runs
// it.
func TestStrapi(t *testing.T) {
	app := os.Getenv("REBAKE_STRAPI")
	if app == "" {
		t.Fatal("REBAKE_STRAPI does not say where Strapi is: run scripts/strapi")
	}
	s := newStrapi(t, app)
	s.site.serve()
	defer s.print()
	s.testEdits()
}

func newStrapi(t *testing.T, app string) *strapi {
	t.Helper()
	cms := freePort(t)
	s := &strapi{t: t, cms: "http://" + cms, site: newSite(t, fmt.Sprintf(`
sources:
  cms: {url: %q}
routes:
  - {path: /, template: home.html, data: {articles: {source: cms, get: "/articles?sort=slug&pagination[pageSize]=100", items: data}}, tags: [articles]}
  - path: "/articles/{slug}"
    template: article.html
    data: {article: {source: cms, get: "/articles?filters[slug][$eq]={slug}", items: data, one: true}}
    tags: ["article:{article.documentId}"]
    version: "{article.updatedAt}"
webhooks:
  strapi:
    kind: strapi
    secret: %q
    rules:
      - when: body.model == "article" && body.event in ["entry.publish", "entry.unpublish", "entry.delete"]
        paths: ["/", "/articles/{body.entry?.slug}"]
        tags: ["article:{body.entry?.documentId}"]
`, "http://"+cms+"/api", hookSecret), map[string]string{
		"templates/home.html":    `<!doctype html><html><body>{{range .articles}}<h2>{{.title}}</h2>{{end}}</body></html>`,
		"templates/article.html": `<!doctype html><html><body><h1>{{.article.title}}</h1>{{.article.text}}</body></html>`,
	})}
	_, port, _ := strings.Cut(cms, ":")
	start(t, []string{
		"NODE_ENV=production", "PORT=" + port, "DATABASE=" + filepath.Join(t.TempDir(), "strapi.db"), "STRAPI_TELEMETRY_DISABLED=true",
		"WEBHOOK_URL=" + s.URL + "/_rebake/webhooks/strapi", "WEBHOOK_SECRET=" + hookSecret,
	}, "/bin/sh", "-c", `cd "$0" && exec node node_modules/@strapi/strapi/bin/strapi.js start`, app)
	if took, ok := await(2*time.Minute, func() bool { return answers(s.cms + "/_health") }); !ok {
		t.Fatalf("Strapi is not ready after %s", took)
	}
	return s
}

// act does what a button of the admin panel does.
func (s *strapi) act(action string, params fields) article {
	s.t.Helper()
	b, err := json.Marshal(params)
	if err != nil {
		s.t.Fatal(err)
	}
	req := newRequest(s.t, http.MethodPost, s.cms+"/drive/"+action, string(b))
	req.Header.Set("Content-Type", "application/json")
	a := newVisitor(s.t).do(s.t, req)
	var said struct{ Document article }
	if err := json.Unmarshal([]byte(a.body), &said); err != nil || a.status != http.StatusOK {
		s.t.Fatalf("%s %v: %s", action, params, a)
	}
	return said.Document
}

func (s *strapi) create(slug, title string) article {
	return s.act("create", fields{"data": fields{"slug": slug, "title": title, "text": "About " + title}})
}

// publish is the button of that name.
func (s *strapi) publish(a article) { s.act("publish", fields{"documentId": a.DocumentID}) }

// save is the button that keeps a draft.
func (s *strapi) save(a article, data fields) {
	s.act("update", fields{"documentId": a.DocumentID, "data": data})
}

// shows awaits pages that hold texts, and pages that must not; an empty text is
// the page itself.
func (s *strapi) shows(what string, with, without map[string]string) {
	s.t.Helper()
	missing := func() (list []string) {
		for path, text := range with {
			if page := s.file(path); page == "" || !strings.Contains(page, text) {
				list = append(list, fmt.Sprintf("%s has no %q", path, text))
			}
		}
		for path, text := range without {
			if page := s.file(path); page != "" && strings.Contains(page, text) {
				list = append(list, fmt.Sprintf("%s still has %q", path, text))
			}
		}
		return list
	}
	took, in := await(strapiSoon, func() bool { return len(missing()) == 0 })
	said := fmt.Sprintf("%.1f s", took.Seconds())
	if !in {
		said = "FAILED"
		s.t.Errorf("%s: after %s %s", what, took, strings.Join(missing(), "; "))
	}
	s.rows = append(s.rows, []string{what, said})
}

func (s *strapi) print() {
	var text strings.Builder
	w := tabwriter.NewWriter(&text, 0, 0, 2, ' ', 0)
	for _, row := range s.rows {
		fmt.Fprintln(w, strings.Join(row, "\t"))
	}
	_ = w.Flush() // to a builder
	fmt.Printf("\nStrapi 5, from the click to the files:\n\n%s\n", &text)
}

func (s *strapi) testEdits() {
	type pages = map[string]string
	other := s.create("other", "The other one")
	s.publish(other)
	s.shows("publish", pages{other.path(): "The other one", "/": "The other one"}, nil)
	s.awaitCalm(s.t)
	untouched := s.stat(other.path())

	first := s.create("first", "A draft")
	second := s.create("second", "Another")
	s.publish(second)
	s.shows("a draft is on no page", pages{second.path(): "Another", "/": "Another"}, pages{first.path(): "", "/": "A draft"})

	s.publish(first)
	s.shows("publish a draft", pages{first.path(): "A draft", "/": "A draft"}, nil)

	s.save(first, fields{"title": "Unsaid"})
	s.save(second, fields{"title": "Said"})
	s.publish(second)
	s.shows("an edit, and a draft of an edit", pages{second.path(): "Said", "/": "Said", first.path(): "A draft"}, pages{first.path(): "Unsaid", "/": "Unsaid"})

	s.save(first, fields{"slug": "renamed"})
	s.publish(first)
	s.shows("a new slug", pages{"/articles/renamed": "Unsaid", "/": "Unsaid"}, pages{first.path(): ""})
	first.Slug = "renamed"

	s.act("unpublish", fields{"documentId": first.DocumentID})
	s.shows("unpublish", pages{"/": "Said"}, pages{first.path(): "", "/": "Unsaid"})
	s.publish(first)
	s.shows("publish again", pages{first.path(): "Unsaid", "/": "Unsaid"}, nil)
	s.act("delete", fields{"documentId": first.DocumentID})
	s.shows("delete, which Strapi tells twice", pages{"/": "Said"}, pages{first.path(): "", "/": "Unsaid"})

	all := pages{}
	for i := range 30 {
		a := s.create(fmt.Sprintf("of-many-%d", i), fmt.Sprintf("Of many %d.", i))
		s.publish(a)
		all[a.path()] = a.Title
	}
	s.shows("30 articles at once", all, nil)
	list := pages{}
	for _, title := range all {
		list["/"] = title
		s.shows("the list shows "+title, list, nil)
		s.rows = s.rows[:len(s.rows)-1] // one row for all of them is enough
	}
	s.awaitCalm(s.t)

	if now := s.stat(other.path()); !os.SameFile(now, untouched) || !now.ModTime().Equal(untouched.ModTime()) {
		s.t.Error("the page of an article that nobody has touched is another file")
	}
}

// stat is the file of a page.
func (s *strapi) stat(path string) os.FileInfo {
	s.t.Helper()
	info, err := os.Stat(filepath.Join(s.dir, "public", filepath.FromSlash(path), "index.html"))
	if err != nil {
		s.t.Fatal(err)
	}
	return info
}
