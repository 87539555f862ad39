package worker

import (
	"testing"
	"time"

	"rebake/renderer"
	"rebake/renderer/source"
)

// watchingTwo makes a Worker of a site whose blog and shop are two WordPresses,
// which call their posts by the same names. It has seen three of each.
func (s *website) watchingTwo() (r *reconciled, blog, shop *press) {
	s.t.Helper()
	blog, shop = newPress(s.t), newPress(s.t)
	blog.posts(3)
	shop.posts(3)
	c := source.DefaultConfig()
	c.Kind, c.URL = "wordpress", shop.URL+"/wp-json/wp/v2"
	other, err := source.New("shop", c)
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(other.Close)
	route := func(path, from string) renderer.RouteConfig {
		return renderer.RouteConfig{Path: path, Template: "page.html", Data: map[string]renderer.FetchConfig{
			"post": {Source: from, Get: "/posts?slug={slug}", One: true},
		}}
	}
	r = s.watching(map[string]*source.Source{"cms": blog.source, "shop": other}, route("/blog/{slug}", "cms"), route("/shop/{slug}", "shop"))
	return r, blog, shop
}

func TestReconcileTwo_whatOneTellsIsNotGoneFromTheOther(t *testing.T) {
	s := newWebsite(t)
	r, blog, _ := s.watchingTwo()
	r.published(map[string]string{"/blog/new": "post:1000"})
	r.pollOf("cms", byItself)
	r.pollOf("shop", byItself)
	blog.edit(1000, 0)
	r.told(blog, 1000)
	wantFound(t, r.pollOf("shop", byItself))
	if got := r.announced("post:1000"); got != blog.version(1000) {
		t.Errorf("announced is %q, want %q", got, blog.version(1000))
	}
}

func TestReconcileTwo_whatLeavesOneIsStillAnnouncedOfTheOther(t *testing.T) {
	s := newWebsite(t)
	r, blog, shop := s.watchingTwo()
	r.published(map[string]string{"/blog/two": "post:2"})
	r.pollOf("shop", byItself)
	blog.edit(2, 0)
	r.told(blog, 2)
	shop.remove(2)
	wantFound(t, r.pollOf("shop", byItself), "gone post:2")
	if got := r.announced("post:2"); got != blog.version(2) {
		t.Errorf("announced is %q, want %q", got, blog.version(2))
	}
}

func TestReconcileTwo_anEditOfOneIsFoundBesideANewerOneOfTheOther(t *testing.T) {
	s := newWebsite(t)
	r, blog, shop := s.watchingTwo()
	r.cfg.Lag = 0
	r.pollOf("shop", byItself)
	blog.edit(2, 0)
	r.told(blog, 2)
	shop.edit(2, 30*time.Second)
	wantFound(t, r.pollOf("shop", byItself), "changed post:2")
	if got := r.announced("post:2"); got != blog.version(2) {
		t.Errorf("announced is %q, want %q", got, blog.version(2))
	}
}
