package demo

import (
	"encoding/xml"
	"errors"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"rebake/daemon/config"
	"rebake/renderer"
	"rebake/renderer/source"
	"rebake/storage"
)

// blog is the demo's site over a CMS, rendered as in the program.
type blog struct {
	cms    *CMS
	render func(path string) (storage.Page, error)
}

func newBlog(t *testing.T) blog {
	t.Helper()
	cms := NewCMS()
	server := httptest.NewServer(cms)
	t.Cleanup(server.Close)
	dir := t.TempDir()
	if err := Write(dir, Params{Site: "http://site.test", CMS: server.URL, Secret: oddSecret, Listen: "127.0.0.1:1", Admin: "127.0.0.1:2"}); err != nil {
		t.Fatal(err)
	}
	c, err := config.Load(filepath.Join(dir, "rebake.yaml"), os.LookupEnv)
	if err != nil {
		t.Fatal(err)
	}
	templates, err := renderer.LoadTemplates(os.DirFS(c.Templates))
	if err != nil {
		t.Fatal(err)
	}
	src, err := source.New("cms", c.Sources["cms"])
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(src.Close)
	r, err := renderer.New(renderer.Config{
		Site: c.Site, Routes: c.Routes, Templates: templates, Sources: map[string]*source.Source{"cms": src},
	})
	if err != nil {
		t.Fatal(err)
	}
	return blog{cms, func(path string) (storage.Page, error) {
		p, err := storage.ParsePath(path)
		if err != nil {
			return storage.Page{}, err
		}
		m, ok := r.Match(p)
		if !ok {
			return storage.Page{}, errors.New("no route for " + path)
		}
		return r.Render(t.Context(), m, false)
	}}
}

// page renders a page that is there.
func (b blog) page(t *testing.T, path string) string {
	t.Helper()
	page, err := b.render(path)
	if err != nil {
		t.Fatalf("render %s: %v", path, err)
	}
	return string(page.Body)
}

func TestSite(t *testing.T) {
	t.Run("every page renders to its end", func(t *testing.T) {
		b := newBlog(t)
		for _, path := range b.cms.Pages() {
			end := "</html>"
			if path == feedPath {
				end = "</rss>"
			}
			if page := b.page(t, path); !strings.HasSuffix(strings.TrimSpace(page), end) {
				t.Errorf("%s does not end in %s:\n%s", path, end, page)
			}
		}
	})

	t.Run("hostile titles stay text", func(t *testing.T) {
		b := newBlog(t)
		if _, _, err := b.cms.Update(3, Edit{Title: new(`"><script>alert(1)</script>&`)}); err != nil {
			t.Fatal(err)
		}
		for _, path := range []string{"/", "/blog/rye-that-keeps", "/category/breads", feedPath} {
			page := b.page(t, path)
			if strings.Contains(page, "<script>") {
				t.Errorf("%s lets the title out", path)
			}
			mustContain(t, page, "&lt;script&gt;alert(1)&lt;/script&gt;&amp;")
		}
	})

	t.Run("the feed is XML that says what the CMS does", func(t *testing.T) {
		b := newBlog(t)
		var feed struct {
			Titles []string `xml:"channel>item>title"`
		}
		if err := xml.Unmarshal([]byte(b.page(t, feedPath)), &feed); err != nil {
			t.Fatal(err)
		}
		if len(feed.Titles) != 8 || feed.Titles[3] != "Butter & brioche" {
			t.Errorf("titles %q", feed.Titles)
		}
	})

	t.Run("a deleted post is gone, and lists may be empty", func(t *testing.T) {
		b := newBlog(t)
		for _, p := range b.cms.Posts() {
			if _, _, err := b.cms.Delete(p.ID); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := b.render("/blog/rye-that-keeps"); !errors.Is(err, storage.ErrGone) {
			t.Errorf("deleted post: %v, want %v", err, storage.ErrGone)
		}
		mustContain(t, b.page(t, "/"), "No posts yet")
		mustContain(t, b.page(t, "/category/breads"), "Nothing here yet")
	})

	t.Run("nobody's category is gone", func(t *testing.T) {
		if _, err := newBlog(t).render("/category/nobody"); !errors.Is(err, storage.ErrGone) {
			t.Errorf("unknown category: %v, want %v", err, storage.ErrGone)
		}
	})
}
