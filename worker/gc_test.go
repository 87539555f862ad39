package worker

import (
	"context"
	"errors"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/redis/go-redis/v9"

	"rebake/renderer"
	"rebake/storage"
	"rebake/storage/ledger"
)

// routed is a renderer whose config is changed by a test: routes are taken out
// and put back.
type routed struct {
	Renderer
	mu  sync.Mutex
	out map[string]bool // guarded by mu; paths without a route
	// matched is called after each match, unless nil.
	matched func(storage.Path) // guarded by mu
}

func (r *routed) Match(p storage.Path) (renderer.Match, bool) {
	r.mu.Lock()
	out, matched := r.out[p.String()], r.matched
	r.mu.Unlock()
	if matched != nil {
		matched(p)
	}
	if out {
		return renderer.Match{}, false
	}
	return r.Renderer.Match(p)
}

func (r *routed) unroute(paths ...string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.out = make(map[string]bool)
	for _, p := range paths {
		r.out[p] = true
	}
}

func (r *routed) onMatch(f func(storage.Path)) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.matched = f
}

// collector is a running process whose routes can be changed.
func (s *website) collector() (*process, *routed) {
	p := s.process()
	r := &routed{Renderer: p.Renderer}
	p.Renderer = r
	p.run()
	return p, r
}

// gc follows the cursor to its end.
func (p *process) gc(dry bool) (items []GCItem) {
	p.site.t.Helper()
	for after := ""; ; {
		r, err := p.GC(p.site.t.Context(), GC{After: after, DryRun: dry, By: "ann"})
		if err != nil {
			p.site.t.Fatal(err)
		}
		items = append(items, r.Items...)
		if after = r.Next; after == "" {
			return items
		}
	}
}

func wantItems(t *testing.T, got []GCItem, want ...GCItem) {
	t.Helper()
	if diff := cmp.Diff(want, got, cmpopts.IgnoreFields(GCItem{}, "Why"), cmpopts.EquateEmpty()); diff != "" {
		t.Errorf("items (-want +got):\n%s", diff)
	}
}

func (s *website) write(name, text string) {
	s.t.Helper()
	name = filepath.Join(s.dir, "public", name)
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		s.t.Fatal(err)
	}
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		s.t.Fatal(err)
	}
}

// tree is the output directory: what there is, with the dates of all files.
func (s *website) tree() map[string]string {
	s.t.Helper()
	all := map[string]string{}
	root := filepath.Join(s.dir, "public")
	err := filepath.WalkDir(root, func(name string, e os.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		info, err := e.Info()
		all[strings.TrimPrefix(name, root)] = info.ModTime().String()
		return err
	})
	if err != nil {
		s.t.Fatal(err)
	}
	return all
}

// remembered is what some of the ledger's keys hold.
func (p *process) remembered(keys ...string) map[string]any {
	p.site.t.Helper()
	all := map[string]any{}
	for _, key := range keys {
		key = "rebake:{" + host + "}:" + key
		var err error
		if strings.Contains(key, ":page:") {
			all[key], err = p.rdb.HGetAll(p.site.t.Context(), key).Result()
		} else {
			all[key], err = p.rdb.ZRange(p.site.t.Context(), key, 0, -1).Result()
		}
		if err != nil {
			p.site.t.Fatal(err)
		}
	}
	return all
}

// litter leaves one of everything: /old without a route, a sidecar of /a that
// nobody asks for, the empty folder of /gone, and a forgotten path.
func (s *website) litter() (*process, []GCItem) {
	s.t.Helper()
	p, routes := s.collector()
	s.tag("/old", "x")
	for _, path := range []string{"/a", "/gone", "/old"} {
		p.publish(path, "text of "+path)
	}
	p.remove("/gone", false)
	s.write("a/index.html.br", "old")
	if err := os.Mkdir(filepath.Join(s.dir, "public/gone"), 0o755); err != nil {
		s.t.Fatal(err)
	}
	for _, index := range []string{"paths", "tag:x"} {
		if err := p.rdb.ZAdd(s.t.Context(), "rebake:{"+host+"}:"+index, redis.Z{Member: "/forgotten"}).Err(); err != nil {
			s.t.Fatal(err)
		}
	}
	routes.unroute("/old", "/forgotten")
	return p, []GCItem{
		{Kind: GCSidecar, Name: "a/index.html.br"},
		{Kind: GCFolder, Name: "gone/"},
		{Kind: GCPage, Name: "/old"},
		{Kind: GCIndex, Name: "site", Count: 1},
		{Kind: GCIndex, Name: "tag:x", Count: 1},
	}
}

func TestGC_TakesAwayWhatNobodyNeeds(t *testing.T) {
	s := newWebsite(t)
	p, litter := s.litter()
	wantItems(t, p.gc(false), litter...)
	if diff := cmp.Diff([]string{"/a/index.html"}, keys(s.tree())); diff != "" {
		t.Errorf("output (-want +got):\n%s", diff)
	}
	if _, err := os.Stat(filepath.Join(s.dir, "public/gone")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the empty folder: %v", err)
	}
	old := p.state("/old")
	if old.Freshness != ledger.PageGone || old.Page.Reason != "gc by ann: no route matches it" {
		t.Errorf("/old is %s because %q", old.Freshness, old.Page.Reason)
	}
	wantItems(t, p.gc(false))
}

func TestGC_DryRunTouchesNothing(t *testing.T) {
	s := newWebsite(t)
	p, litter := s.litter()
	records := []string{"paths", "tag:x", "page:/a", "page:/old", "page:/gone", "dirty", "failed"}
	files, redis := s.tree(), p.remembered(records...)
	wantItems(t, p.gc(true), litter...)
	if diff := cmp.Diff(files, s.tree()); diff != "" {
		t.Errorf("output (-before +after):\n%s", diff)
	}
	if diff := cmp.Diff(redis, p.remembered(records...)); diff != "" {
		t.Errorf("ledger (-before +after):\n%s", diff)
	}
}

func TestGC_ForeignFilesSurvive(t *testing.T) {
	s := newWebsite(t)
	p, routes := s.collector()
	p.publish("/old", "text")
	for _, name := range []string{"unknown/index.html", "unknown/index.html.gz", "photo.jpg.br", "old/index.json"} {
		s.write(name, "theirs")
	}
	routes.unroute("/old")
	wantItems(t, p.gc(false), GCItem{Kind: GCPage, Name: "/old"})
	want := []string{"/old/index.json", "/photo.jpg.br", "/unknown/index.html", "/unknown/index.html.gz"}
	if diff := cmp.Diff(want, keys(s.tree())); diff != "" {
		t.Errorf("output (-want +got):\n%s", diff)
	}
}

func TestGC_FileThatHasTakenThePlaceOfAPageSurvives(t *testing.T) {
	s := newWebsite(t)
	p, routes := s.collector()
	p.publish("/old", "text")
	s.write("old/index.html", "theirs")
	routes.unroute("/old")
	for _, dry := range []bool{true, false} {
		wantItems(t, p.gc(dry), GCItem{Kind: GCPage, Name: "/old", Left: true})
	}
	if got := s.served("/old"); got != "theirs" {
		t.Errorf("the file is %q", got)
	}
	if got := p.state("/old").Freshness; got != ledger.PageFresh {
		t.Errorf("the page is %s", got)
	}
}

// The file is swapped after gc has looked at it, and before the page's lock.
func TestGC_FileThatTakesThePlaceMeanwhileSurvives(t *testing.T) {
	s := newWebsite(t)
	p, routes := s.collector()
	p.publish("/old", "text")
	routes.unroute("/old")
	var matches atomic.Int32 // a wake-up that comes late asks too
	routes.onMatch(func(path storage.Path) {
		if matches.Add(1) == 2 {
			s.write("old/index.html", "theirs")
		}
	})
	wantItems(t, p.gc(false), GCItem{Kind: GCPage, Name: "/old", Left: true})
	if got := s.served("/old"); got != "theirs" {
		t.Errorf("the file is %q", got)
	}
}

func TestGC_PageTriggeredMeanwhileSurvives(t *testing.T) {
	s := newWebsite(t)
	p, _ := s.collector()
	p.publish("/a", "old")
	b := s.block(t, "/b")
	s.set("/b", "new")
	p.trigger(ledger.Critical, "/b")
	<-b.started
	s.set("/a", "new")
	p.trigger(ledger.Critical, "/a")
	wantItems(t, p.gc(false))
	b.release()
	for _, path := range []string{"/a", "/b"} {
		p.await(path, ledger.PageFresh)
		s.wantServed(path, "new")
	}
}

// The config is read again, and the page triggered, when gc has seized it.
func TestGC_PageWhoseRouteIsBackSurvives(t *testing.T) {
	s := newWebsite(t)
	p, routes := s.collector()
	p.publish("/a", "old")
	routes.unroute("/a")
	s.set("/a", "new")
	var once sync.Once
	routes.onMatch(func(storage.Path) {
		if st, _ := p.Ledger.State(context.WithoutCancel(t.Context()), mustPath("/a")); st.Owed != nil {
			once.Do(func() {
				routes.onMatch(nil)
				routes.unroute()
				p.trigger(ledger.Critical, "/a")
			})
		}
	})
	p.gc(false)
	p.await("/a", ledger.PageFresh)
	s.wantServed("/a", "new")
}

func TestGC_RouteThatIsBackBeforeTheRemoval(t *testing.T) {
	s := newWebsite(t)
	p, routes := s.collector()
	p.publish("/a", "text")
	routes.unroute("/a")
	var once sync.Once
	routes.onMatch(func(storage.Path) { once.Do(func() { routes.unroute() }) })
	wantItems(t, p.gc(false))
	p.await("/a", ledger.PageFresh)
	s.wantServed("/a", "text")
}

func TestGC_GoesOnFromItsCursor(t *testing.T) {
	s := newWebsite(t)
	p, routes := s.collector()
	p.publish("/a", "text")
	p.publish("/b", "text")
	routes.unroute("/a", "/b")
	r, err := p.GC(t.Context(), GC{After: "/a", By: "ann"})
	if err != nil {
		t.Fatal(err)
	}
	wantItems(t, r.Items, GCItem{Kind: GCPage, Name: "/b"})
	s.wantServed("/a", "text")
	for _, cursor := range []string{"a", "tags:", "tags:x"} {
		if _, err := p.GC(t.Context(), GC{After: cursor}); !errors.Is(err, ErrCursor) {
			t.Errorf("after %q: %v, want %v", cursor, err, ErrCursor)
		}
	}
}

func TestGC_SourceThatIsNotThereAnyMore(t *testing.T) {
	s, cms := newWebsite(t), newPress(t)
	cms.posts(3)
	s.watchingPress(cms).finds(byItself)
	r := s.watchingShop(newShop(t, "a"), "") // the config has another source now
	r.finds(byItself)
	want := []GCItem{{Kind: GCPoll, Name: "cms", Why: "no page is made from it any more"}}
	for _, dry := range []bool{true, false} {
		if diff := cmp.Diff(want, r.gc(dry)); diff != "" {
			t.Errorf("dry %t (-want +got):\n%s", dry, diff)
		}
	}
	if again := r.gc(false); len(again) > 0 {
		t.Errorf("found again: %v", again)
	}
}

func TestGC_RefusedWhileHeld(t *testing.T) {
	s := newWebsite(t)
	p, routes := s.collector()
	p.publish("/a", "text")
	routes.unroute("/a")
	p.hold()
	var held *HeldError
	if _, err := p.GC(t.Context(), GC{}); !errors.As(err, &held) {
		t.Errorf("error %v, want that the site is held", err)
	}
	wantItems(t, p.gc(true), GCItem{Kind: GCPage, Name: "/a"})
	s.wantServed("/a", "text")
}

func TestGC_RemovalThatFails(t *testing.T) {
	s := newWebsite(t)
	p, routes := s.collector()
	p.publish("/a", "text")
	p.publish("/b", "text")
	routes.unroute("/a", "/b")
	s.spoilRemoval("/a")
	wantItems(t, p.gc(false), GCItem{Kind: GCPage, Name: "/a", Left: true}, GCItem{Kind: GCPage, Name: "/b"})
	s.wantServed("/b", "")
}

func TestGC_PageThatCannotBeLookedAt(t *testing.T) {
	s := newWebsite(t)
	p, _ := s.collector()
	p.publish("/a", "text")
	if err := p.rdb.HSet(t.Context(), "rebake:{"+host+"}:page:/a", "type", "image/png").Err(); err != nil {
		t.Fatal(err)
	}
	wantItems(t, p.gc(false), GCItem{Kind: GCSidecar, Name: "/a", Left: true})
}

// spoilRemoval makes the removal of a page fail for whoever runs the test, root
// too: its sidecar cannot be unlinked as a file.
func (s *website) spoilRemoval(path string) {
	s.t.Helper()
	if err := os.MkdirAll(s.file(path)+".gz/x", 0o755); err != nil {
		s.t.Fatal(err)
	}
}

func keys(m map[string]string) []string { return slices.Sorted(maps.Keys(m)) }
