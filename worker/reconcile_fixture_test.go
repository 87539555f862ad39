package worker

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
	"time"

	"github.com/google/go-cmp/cmp"

	"rebake/renderer"
	"rebake/renderer/source"
)

// pressItem is a post, a term or a user of a press.
type pressItem struct {
	kind     string // its collection: "posts"
	date     time.Time
	modified time.Time // zero for a term or a user
	name     string
	hidden   bool // it is counted, and not shown
}

// press answers as the REST API of WordPress does: 100 items at most, an error
// past the last page of posts, the number of all in a header.
type press struct {
	*httptest.Server
	source *source.Source

	mu    sync.Mutex
	items map[int]pressItem   // guarded by mu, as is all below
	media bool                // it has that collection, too
	shut  map[string]int      // names below /wp/v2 that are answered with a status
	asked []string            // the requests, less their fields
	on    func(*http.Request) // called for each, before it is answered
}

func newPress(t *testing.T) *press {
	t.Helper()
	p := &press{items: make(map[int]pressItem), shut: make(map[string]int)}
	p.Server = httptest.NewServer(p)
	t.Cleanup(p.Close)
	c := source.DefaultConfig()
	c.Kind, c.URL = "wordpress", p.URL+"/wp-json/wp/v2"
	var err error
	if p.source, err = source.New("cms", c); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.source.Close)
	return p
}

// longAgo is when everything was made that a test does not edit.
var longAgo = time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)

// posts makes posts with the ids from 1 to n, a minute apart.
func (p *press) posts(n int) {
	for id := 1; id <= n; id++ {
		at := longAgo.Add(time.Duration(id) * time.Minute)
		p.put(id, pressItem{kind: "posts", date: at, modified: at})
	}
}

func (p *press) put(id int, item pressItem) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.items[id] = item
}

// edit changes a post now, or so long ago.
func (p *press) edit(id int, ago time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	item := p.items[id]
	item.kind, item.modified = "posts", time.Now().UTC().Add(-ago).Truncate(time.Second)
	if item.date.IsZero() {
		item.date = item.modified
	}
	p.items[id] = item
}

// version is when an item was modified, as the CMS writes it.
func (p *press) version(id int) string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.items[id].modified.Format(modifiedForm)
}

func (p *press) remove(ids ...int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, id := range ids {
		delete(p.items, id)
	}
}

func (p *press) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	p.mu.Lock()
	on := p.on
	p.mu.Unlock()
	if on != nil {
		on(r)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	name := strings.TrimPrefix(r.URL.Path, "/wp-json/wp/v2/")
	q := r.URL.Query()
	p.asked = append(p.asked, strings.TrimSpace(fmt.Sprintf("%s %s %s %s", name, q.Get("orderby"), q.Get("page"), q.Get("include"))))
	if status := p.shut[name]; status != 0 {
		w.WriteHeader(status)
		return
	}
	if (name == "types" || name == "taxonomies") && q.Has("_fields") {
		answerJSON(w, []any{}) // it looks for the fields among the kinds
		return
	}
	switch name {
	case "types":
		types := map[string]any{
			"post": map[string]any{"rest_base": "posts", "rest_namespace": "wp/v2"}, "page": map[string]any{"rest_base": "pages"},
			"wp_template": map[string]any{"rest_base": "templates"}, "shop_order": map[string]any{"rest_base": "orders", "rest_namespace": "shop/v1"},
		}
		if p.media {
			types["attachment"] = map[string]any{"rest_base": "media"}
		}
		answerJSON(w, types)
		return
	case "taxonomies":
		answerJSON(w, map[string]any{"category": map[string]any{"rest_base": "categories"}})
		return
	}
	p.list(w, name, q.Get("orderby"), q.Get("order"), q.Get("page"), q.Get("include"))
}

// list answers for a collection; mu is held.
func (p *press) list(w http.ResponseWriter, name, by, order, pageText, include string) {
	ids := slices.Collect(maps.Keys(p.items))
	ids = slices.DeleteFunc(ids, func(id int) bool {
		return p.items[id].kind != name || include != "" && !slices.Contains(strings.Split(include, ","), strconv.Itoa(id))
	})
	slices.SortFunc(ids, func(a, b int) int {
		n := a - b
		switch x, y := p.items[a], p.items[b]; by {
		case "modified":
			n = x.modified.Compare(y.modified)
		case "date":
			n = x.date.Compare(y.date)
		}
		if order == "desc" {
			n = -n
		}
		return n
	})
	page, _ := strconv.Atoi(pageText)
	page = max(page, 1)
	w.Header().Set("X-WP-Total", strconv.Itoa(len(ids)))
	from, to := min((page-1)*100, len(ids)), min(page*100, len(ids))
	if page > 1 && from == len(ids) && name == "posts" {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	list := []any{}
	for _, id := range ids[from:to] {
		item := p.items[id]
		switch {
		case item.hidden:
		case item.modified.IsZero():
			list = append(list, map[string]any{"id": id, "name": item.name})
		default:
			list = append(list, map[string]any{"id": id, "modified_gmt": item.modified.Format("2006-01-02T15:04:05")})
		}
	}
	answerJSON(w, list)
}

func answerJSON(w http.ResponseWriter, v any) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(v)
}

// requests returns what was asked since the last call.
func (p *press) requests() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	asked := p.asked
	p.asked = nil
	return asked
}

// watched renders as a fakeRenderer, and knows what can be asked.
type watched struct {
	*fakeRenderer
	asks *renderer.Renderer
}

func (w watched) Watches() []*renderer.Watch { return w.asks.Watches() }

var (
	_ Renderer = watched{}
	_ watcher  = watched{}
)

// reconciled is a process of a site whose pages come from a source.
type reconciled struct {
	*process
	t *testing.T
}

// watching makes a Worker that knows a source, and runs nothing.
func (s *website) watching(sources map[string]*source.Source, routes ...renderer.RouteConfig) *reconciled {
	s.t.Helper()
	templates, err := renderer.LoadTemplates(fstest.MapFS{"page.html": {Data: []byte("<html></html>")}})
	if err != nil {
		s.t.Fatal(err)
	}
	r, err := renderer.New(renderer.Config{Site: "https://" + host, Routes: routes, Sources: sources, Templates: templates})
	if err != nil {
		s.t.Fatal(err)
	}
	p := s.process()
	p.Renderer = watched{s.fakeRenderer, r}
	return &reconciled{p, s.t}
}

// watchingPress is watching for a WordPress.
func (s *website) watchingPress(p *press) *reconciled {
	s.t.Helper()
	return s.watching(map[string]*source.Source{"cms": p.source}, renderer.RouteConfig{
		Path: "/{slug}", Template: "page.html",
		Data: map[string]renderer.FetchConfig{"post": {Source: "cms", Get: "/posts?slug={slug}", One: true}},
	})
}

// few is for tests of limits that are soon reached.
var few = reconcileLimits{requests: 8, list: 3, terms: 2, time: 10 * time.Second}

// poll looks once, as the loop does.
func (r *reconciled) poll(limits reconcileLimits) Reconciled {
	r.t.Helper()
	return r.pollOf(r.Watches()[0], limits)
}

// pollOf is poll of the source with that name.
func (r *reconciled) pollOf(name string, limits reconcileLimits) Reconciled {
	r.t.Helper()
	claim, err := r.Ledger.ClaimPoll(r.t.Context(), name, 0, true)
	if err != nil || claim.Turn == nil {
		r.t.Fatalf("no turn: %v", err)
	}
	turn := claim.Turn
	p := newPoll(r.Worker, r.watch(name), limits)
	err = p.run(r.t.Context(), turn)
	if err := p.end(r.t.Context(), turn, 0, err); err != nil {
		r.t.Fatal(err)
	}
	if err != nil {
		r.t.Fatal(err)
	}
	return p.report
}

// finds fails the test unless a poll finds just that: "changed post:42".
func (r *reconciled) finds(limits reconcileLimits, want ...string) {
	r.t.Helper()
	wantFound(r.t, r.poll(limits), want...)
}

func wantFound(t *testing.T, report Reconciled, want ...string) {
	t.Helper()
	var got []string
	for _, f := range report.Found {
		got = append(got, f.What+" "+f.Item+f.Path)
	}
	slices.Sort(got)
	slices.Sort(want)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("found (-want +got):\n%s", diff)
	}
}

// untilDone polls until there is nothing more to compare, and returns how often.
func (r *reconciled) untilDone(limits reconcileLimits) (polls int) {
	r.t.Helper()
	for polls = 1; r.poll(limits).Open; polls++ {
		if polls > 50 {
			r.t.Fatal("it does not come to an end")
		}
	}
	return polls
}

// told accepts what a webhook tells of a post as it is in the CMS.
func (r *reconciled) told(p *press, id int) {
	r.t.Helper()
	r.accept(Trigger{Items: []Item{{Tag: fmt.Sprint("post:", id), Version: p.version(id)}}})
}

// announced is the version of an item that counts, "" for none.
func (r *reconciled) announced(item string) string {
	r.t.Helper()
	all, err := r.Ledger.Announced(r.t.Context(), []string{item})
	if err != nil {
		r.t.Fatal(err)
	}
	return all[item].Version
}

// triggered are the labels that were triggered since the start.
func (r *reconciled) triggered() []string {
	r.t.Helper()
	all, err := r.rdb.HKeys(r.t.Context(), "rebake:{"+host+"}:label").Result()
	if err != nil {
		r.t.Fatal(err)
	}
	slices.Sort(all)
	return all
}

// published gives a site pages with tags, as renders do.
func (r *reconciled) published(pages map[string]string) {
	r.t.Helper()
	r.run()
	for path, tag := range pages {
		r.site.tag(path, tag)
		r.publish(path, "as it was")
	}
	r.stop()
}
