package worker

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"rebake/renderer"
	"rebake/renderer/source"
)

// shop is a JSON API with a list of articles, ten at a time.
type shop struct {
	*httptest.Server
	source *source.Source

	mu       sync.Mutex
	articles []map[string]any // guarded by mu
	fail     int              // guarded by mu; the page that is answered with an error, 0 for none
}

func newShop(t *testing.T, names ...string) *shop {
	t.Helper()
	s := &shop{}
	for _, name := range names {
		s.put(name, "v1")
	}
	s.Server = httptest.NewServer(s)
	t.Cleanup(s.Close)
	c := source.DefaultConfig()
	c.URL = s.URL
	c.Pagination = source.Pagination{Type: "page", SizeParam: "size", Size: 10}
	var err error
	if s.source, err = source.New("shop", c); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.source.Close)
	return s
}

func (s *shop) put(name, version string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.articles = slices.DeleteFunc(s.articles, func(a map[string]any) bool { return a["slug"] == name })
	if version != "" {
		s.articles = append(s.articles, map[string]any{"slug": name, "updated": version, "title": "About " + name})
	}
}

// first puts an article before all others.
func (s *shop) first(name string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.articles = append([]map[string]any{{"slug": name, "updated": "v1", "title": "About " + name}}, s.articles...)
}

func (s *shop) failAt(page int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.fail = page
}

func (s *shop) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	page := 1
	_, _ = fmt.Sscan(r.URL.Query().Get("page"), &page)
	if page == s.fail {
		w.WriteHeader(http.StatusInternalServerError)
		return
	}
	from, to := min((page-1)*10, len(s.articles)), min(page*10, len(s.articles))
	list := []any{}
	for _, a := range s.articles[from:to] {
		list = append(list, a)
	}
	answerJSON(w, list)
}

// watchingShop makes a Worker of a site whose articles have pages, and a
// version if that is not "".
func (s *website) watchingShop(c *shop, version string) *reconciled {
	s.t.Helper()
	return s.watching(map[string]*source.Source{"shop": c.source}, renderer.RouteConfig{
		Path: "/articles/{slug}", Template: "page.html", Version: version,
		Data: map[string]renderer.FetchConfig{"article": {Source: "shop", Get: "/articles/{slug}", One: true}},
		List: &renderer.ListConfig{Source: "shop", Get: "/articles?sort=slug", Path: "/articles/{slug}", As: "article"},
	})
}

func TestReconcileList(t *testing.T) {
	for _, version := range []string{"", "{article.updated}"} {
		t.Run("version "+version, func(t *testing.T) {
			s, c := newWebsite(t), newShop(t, "a", "b", "c")
			r := s.watchingShop(c, version)
			r.finds(byItself)
			r.finds(byItself)
			if got := r.triggered(); len(got) > 0 {
				t.Errorf("triggered %v", got)
			}
			c.put("a", "v2")
			c.put("b", "")
			c.put("d", "v1")
			r.finds(byItself, "changed /articles/a", "gone /articles/b", "new /articles/d")
			if diff := cmp.Diff([]string{"tag:list:shop/articles"}, r.triggered()); diff != "" {
				t.Errorf("labels (-want +got):\n%s", diff)
			}
			for path, owed := range map[string]bool{"/articles/a": true, "/articles/b": false, "/articles/c": false, "/articles/d": true} {
				if got := r.state(path).Owed != nil; got != owed {
					t.Errorf("%s is owed: %t", path, got)
				}
			}
			r.finds(byItself)
		})
	}
}

func TestReconcileList_aPageThatLeftIsRendered(t *testing.T) {
	s, c := newWebsite(t), newShop(t, "a", "b")
	r := s.watchingShop(c, "")
	r.published(map[string]string{"/articles/b": "x"})
	r.finds(byItself)
	c.put("b", "")
	r.finds(byItself, "gone /articles/b")
	if r.state("/articles/b").Owed == nil {
		t.Error("nothing is owed to it")
	}
}

func TestReconcileList_theFirstTimeComparesWithThePages(t *testing.T) {
	s, c := newWebsite(t), newShop(t, "a", "b")
	r := s.watchingShop(c, "{article.updated}")
	r.published(map[string]string{"/articles/a": "x", "/articles/b": "x"})
	for path, version := range map[string]string{"/articles/a": "v1", "/articles/b": "v0"} {
		if err := r.rdb.HSet(t.Context(), "rebake:{"+host+"}:page:"+path, "version", version).Err(); err != nil {
			t.Fatal(err)
		}
	}
	r.finds(byItself, "changed /articles/b")
}

func TestReconcileList_thatEndsInAnErrorTellsOfNothingGone(t *testing.T) {
	s, c := newWebsite(t), newShop(t)
	for i := range 25 {
		c.put(fmt.Sprintf("n%02d", i), "v1")
	}
	r := s.watchingShop(c, "")
	r.finds(byItself)
	c.failAt(2)
	report, err := r.Reconcile(t.Context(), Reconciliation{Source: "shop"})
	if !isTemporary(err) || report.Count > 0 {
		t.Errorf("found %v (%v)", report.Found, err)
	}
	c.failAt(0)
	r.finds(byItself)
}

func TestReconcileList_thatIsEmptyIsDoubtedOnce(t *testing.T) {
	s, c := newWebsite(t), newShop(t)
	var names []string
	for i := range 15 {
		names = append(names, fmt.Sprintf("n%02d", i))
		c.put(names[i], "v1")
	}
	r := s.watchingShop(c, "")
	r.finds(byItself)
	var gone []string
	for _, name := range names {
		c.put(name, "")
		gone = append(gone, "gone /articles/"+name)
	}
	r.finds(byItself)
	r.finds(byItself, gone...)
}

func TestReconcileList_thatHasLostMostIsDoubtedOnce(t *testing.T) {
	s, c := newWebsite(t), newShop(t)
	var gone []string
	for i := range 21 {
		name := fmt.Sprintf("n%02d", i)
		c.put(name, "v1")
		if i > 9 {
			gone = append(gone, "gone /articles/"+name)
		}
	}
	r := s.watchingShop(c, "")
	r.finds(byItself)
	for i := 10; i < 21; i++ {
		c.put(fmt.Sprintf("n%02d", i), "")
	}
	r.finds(byItself)
	r.finds(byItself, gone...)
}

func TestReconcileList_thatIsTooLong(t *testing.T) {
	s, c := newWebsite(t), newShop(t)
	for i := range 55 {
		c.put(fmt.Sprintf("n%02d", i), "v1")
	}
	r := s.watchingShop(c, "")
	for range 2 {
		report := r.poll(few)
		wantFound(t, report)
		if len(report.Notes) != 1 || report.Open {
			t.Errorf("open is %t, notes %q", report.Open, report.Notes)
		}
	}
	c.first("new")
	r.finds(few, "new /articles/new")
	if r.state("/articles/new").Owed == nil {
		t.Error("nothing is owed to the new page")
	}
	r.finds(few)

	// What a longer look comes to is not new.
	r.finds(byItself)
	c.put("last", "v1")
	r.finds(byItself, "new /articles/last")
}

func TestReconcileList_isOffByItself(t *testing.T) {
	r := newWebsite(t).watchingShop(newShop(t), "")
	if every := r.watch("shop").Every(); every != 0 {
		t.Errorf("it is asked every %s", every)
	}
}
