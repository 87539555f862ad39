package worker

import (
	"context"
	"fmt"
	"os"
	"slices"
	"testing"

	"rebake/storage/ledger"
)

// triggerLabel accepts a trigger of a label.
func (p *process) triggerLabel(prio ledger.Priority, l ledger.Label) AcceptedLabel {
	p.site.t.Helper()
	a, err := p.Accept(p.site.t.Context(), Trigger{Labels: []ledger.Label{l}, Priority: prio, Reason: "test"})
	if err != nil {
		p.site.t.Fatal(err)
	}
	return a.Labels[0]
}

// publishAll brings many pages to their first publication.
func (p *process) publishAll(prio ledger.Priority, paths ...string) {
	p.site.t.Helper()
	p.trigger(prio, paths...)
	for _, path := range paths {
		p.await(path, ledger.PageFresh)
	}
}

// awaitWalk waits until the walk of a label is over.
func (p *process) awaitWalk(l ledger.Label) {
	p.site.t.Helper()
	p.site.await("the walk of "+string(l)+" is over", func() bool {
		walking, err := p.Ledger.Walking(p.site.t.Context(), l)
		return err == nil && !walking
	})
}

// numbered are n paths below a prefix.
func numbered(prefix string, n int) []string {
	var paths []string
	for i := range n {
		paths = append(paths, fmt.Sprintf("%s/%03d", prefix, i))
	}
	return paths
}

// walkKey is the walk's record in Redis.
func walkKey(l ledger.Label) string { return "rebake:{" + host + "}:walk:" + string(l) }

func TestWalk_RendersThePagesOfItsLabelAlone(t *testing.T) {
	pages := map[string][]string{
		"/": nil, "/about": {"y"}, "/blog": {"x", "y"}, "/blog-2": nil, "/blog/a": {"x"}, "/blog/a/b": nil, "/blogs/x": {"xx"}, "/z": {"x"},
	}
	for name, c := range map[string]struct {
		label ledger.Label
		want  []string
	}{
		"tag":                  {ledger.Tag("x"), []string{"/blog", "/blog/a", "/z"}},
		"tag of no page":       {ledger.Tag("nothing"), nil},
		"prefix":               {ledger.Prefix(mustPath("/blog")), []string{"/blog", "/blog/a", "/blog/a/b"}},
		"prefix of everything": {ledger.Prefix(mustPath("/")), []string{"/", "/about", "/blog", "/blog-2", "/blog/a", "/blog/a/b", "/blogs/x", "/z"}},
		"site":                 {ledger.Site, []string{"/", "/about", "/blog", "/blog-2", "/blog/a", "/blog/a/b", "/blogs/x", "/z"}},
	} {
		t.Run(name, func(t *testing.T) {
			s := newWebsite(t)
			p := s.running()
			var paths []string
			for path, tags := range pages {
				s.set(path, "old")
				s.tag(path, tags...)
				paths = append(paths, path)
			}
			p.publishAll(ledger.Low, paths...)
			before := make(map[string]os.FileInfo)
			for _, path := range paths {
				before[path] = s.stat(path)
				s.set(path, "new")
			}
			accepted := p.triggerLabel(ledger.Low, c.label)
			if accepted.Pages != int64(len(c.want)) {
				t.Errorf("%d pages have the label, want %d", accepted.Pages, len(c.want))
			}
			if err := p.waitLabel(accepted, patient); err != nil {
				t.Fatal(err)
			}
			for _, path := range paths {
				if slices.Contains(c.want, path) {
					s.wantServed(path, "new")
					s.wantRenders(path, 2)
					continue
				}
				s.wantRenders(path, 1)
				if now := s.stat(path); !os.SameFile(before[path], now) || !before[path].ModTime().Equal(now.ModTime()) {
					t.Errorf("the file of %s has changed", path)
				}
			}
		})
	}
}

func (s *website) stat(path string) os.FileInfo {
	s.t.Helper()
	fi, err := os.Stat(s.file(path))
	if err != nil {
		s.t.Fatal(err)
	}
	return fi
}

func TestWalk_PageThatJoinsDuringItsRender(t *testing.T) {
	for name, published := range map[string]bool{"the first": false, "a later one": true} {
		t.Run(name, func(t *testing.T) {
			s := newWebsite(t)
			p := s.running()
			path := "/a"
			if published {
				p.publish(path, "without the tag")
			}
			started, gate := make(chan struct{}), make(chan struct{})
			first := s.renders(path) + 1
			s.on(path, func(_ context.Context, n int, text string) (string, error) {
				if n == first {
					close(started)
					<-gate
				}
				return text, nil
			})
			s.set(path, "old")
			s.tag(path, "x")
			p.trigger(ledger.Critical, path)
			<-started
			s.set(path, "new")
			p.triggerLabel(ledger.Critical, ledger.Tag("x"))
			p.awaitWalk(ledger.Tag("x")) // which found no page
			close(gate)
			s.await("the page is served as it is", func() bool { return s.served(path) == html("new") })
			p.await(path, ledger.PageFresh)
			s.wantRenders(path, first+1)
		})
	}
}

func TestWalk_BeginsAtOnce(t *testing.T) {
	for name, here := range map[string]bool{"accepted here": true, "accepted elsewhere": false} {
		t.Run(name, func(t *testing.T) {
			s := newWebsite(t)
			p := s.running()
			s.tag("/a", "x")
			p.publish("/a", "old")
			s.set("/a", "new")
			if here {
				p.byItself()
			} else {
				p.unswept()
			}
			acceptsFor(p, here).triggerLabel(ledger.Critical, ledger.Tag("x"))
			p.wantNoneWaits("critical")
			s.awaitServed("/a", "new")
		})
	}
}

// More walks than the process follows at a time, all of them over pages that
// stand still.
func TestWalk_SeveralAtOnceShareTheSlots(t *testing.T) {
	s := newWebsite(t)
	p := s.running(func(set *settings) { set.Workers = 3 })
	tags := []string{"x", "y", "z"}
	var paths []string
	for _, tag := range tags {
		for _, path := range numbered("/"+tag, 4) {
			s.tag(path, tag)
			paths = append(paths, path)
		}
	}
	p.publishAll(ledger.Low, paths...)
	gate := make(chan struct{})
	for _, path := range paths {
		s.on(path, func(_ context.Context, _ int, text string) (string, error) { <-gate; return text, nil })
	}
	for _, tag := range tags[:walksAtOnce] {
		p.triggerLabel(ledger.Low, ledger.Tag(tag))
	}
	for _, tag := range tags[:walksAtOnce] {
		s.await("the walk of "+tag+" is under way", func() bool {
			return s.rdb.HGet(t.Context(), walkKey(ledger.Tag(tag)), "st").Val() == "running"
		})
	}
	p.triggerLabel(ledger.Low, ledger.Tag(tags[walksAtOnce]))
	close(gate)
	for _, tag := range tags {
		p.awaitWalk(ledger.Tag(tag))
	}
	for _, path := range paths {
		p.await(path, ledger.PageFresh)
		s.wantRenders(path, 2)
	}
	if most := s.atOnceMost(); most > 2 {
		t.Errorf("%d pages of walks rendered at once, want 2: 3 workers and one kept free", most)
	}
}

func TestWalk_OneWorkerFollowsIt(t *testing.T) {
	s := newWebsite(t)
	p := s.running()
	paths := numbered("/x", 30)
	for _, path := range paths {
		s.tag(path, "x")
	}
	p.publishAll(ledger.Low, paths...)
	s.running()
	accepted := s.process().triggerLabel(ledger.Low, ledger.Tag("x"))
	if err := p.waitLabel(accepted, patient); err != nil {
		t.Fatal(err)
	}
	for _, path := range paths {
		s.wantRenders(path, 2)
	}
}

func TestWalk_TriggersDuringItShareOneMore(t *testing.T) {
	s := newWebsite(t)
	p := s.running(func(set *settings) { set.Workers = 2 })
	paths := numbered("/x", 3)
	for _, path := range paths {
		s.tag(path, "x")
	}
	p.publishAll(ledger.Low, paths...)
	started, gate := make(chan struct{}), make(chan struct{})
	s.on(paths[1], func(_ context.Context, n int, text string) (string, error) {
		if n == 2 {
			close(started)
			<-gate
		}
		return text, nil
	})
	p.triggerLabel(ledger.Low, ledger.Tag("x"))
	<-started
	s.set(paths[0], "new")
	var last AcceptedLabel
	for range 50 {
		last = p.triggerLabel(ledger.Low, ledger.Tag("x"))
	}
	close(gate)
	if err := p.waitLabel(last, patient); err != nil {
		t.Fatal(err)
	}
	s.wantServed(paths[0], "new")
	for _, path := range paths {
		if n := s.renders(path) - 1; n > 2 {
			t.Errorf("51 triggers cost %d renders of %s, want at most 2", n, path)
		}
	}
}

func TestWalk_LargeOneLeavesASlotForAnEdit(t *testing.T) {
	s := newWebsite(t)
	p := s.running(func(set *settings) { set.Render, set.ledger.MaxRun = notInTest, 2*notInTest })
	paths := numbered("/x", 300)
	for _, path := range paths {
		s.tag(path, "x")
	}
	p.publishAll(ledger.Low, paths...)
	gate := make(chan struct{})
	for _, path := range paths[:290] {
		s.on(path, func(_ context.Context, _ int, text string) (string, error) { <-gate; return text, nil })
	}
	accepted := p.triggerLabel(ledger.Low, ledger.Tag("x"))
	s.await("the walk has filled the slots", func() bool { return len(p.slots.general) == 0 })
	for path, here := range map[string]bool{"/edit": true, "/x/298": true, "/x/299": false} {
		s.set(path, "edited")
		acceptsFor(p, here).trigger(ledger.Critical, path)
		s.awaitServed(path, "edited") // though nothing else leaves its slot
	}
	close(gate)
	if err := p.waitLabel(accepted, patient); err != nil {
		t.Error(err)
	}
}

func TestAccept_PathsAndLabelsTogether(t *testing.T) {
	s := newWebsite(t)
	p := s.running()
	for _, path := range []string{"/a", "/b"} {
		s.tag(path, "x")
		p.publish(path, "old")
	}
	p.stop()
	a, err := p.Accept(t.Context(), Trigger{
		Paths: onePath("/c"), Labels: []ledger.Label{ledger.Tag("x"), ledger.Prefix(mustPath("/b"))},
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(a.Pages) != 1 || len(a.Labels) != 2 || a.Labels[0].Pages != 2 || a.Labels[1].Pages != 1 {
		t.Errorf("accepted %+v, want one path, two pages of the tag and one of the prefix", a)
	}
	if want := max(a.Pages[0].ID, a.Labels[0].ID, a.Labels[1].ID); a.ID() != want {
		t.Errorf("the trigger's id is %d, want its newest part's, %d", a.ID(), want)
	}
	for _, path := range []string{"/a", "/b", "/c"} {
		if got := p.state(path).Freshness; got != ledger.PageStale {
			t.Errorf("%s is %s, want stale", path, got)
		}
	}
}
