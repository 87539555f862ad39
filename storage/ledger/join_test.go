package ledger

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"rebake/storage/redistest"
)

// walkAll lets a label's walk run to its end, and returns the pages that it
// took.
func (f *fixture) walkAll(tok *Token) (taken []*Run) {
	f.t.Helper()
	if tok == nil {
		f.t.Fatal("no token for the walk")
	}
	w := f.mustClaimWalk(*tok)
	for {
		list, err := w.Next(f.ctx, 100)
		if err != nil {
			f.t.Fatal(err)
		}
		if len(list) == 0 {
			if !f.mustEnd(w) {
				return taken
			}
			continue
		}
		for _, p := range list {
			if run := f.mustTake(p, Bulk{Number: w.Number, Priority: w.Priority, Index: w.Label}); run.State == Claimed {
				taken = append(taken, run)
			}
		}
		f.mustAdvance(w)
	}
}

func TestTriggerLabel_RacingWithARun(t *testing.T) {
	t.Parallel()
	s := redistest.Start(t)
	p := path(t, "/blog/a")
	news := Tag("news")

	// A walk passes by a page that is not in its index yet.
	for _, label := range []Label{news, Site, Route("/…"), Prefix(path(t, "/")), Prefix(path(t, "/blog")), Prefix(p)} {
		t.Run("that publishes its page for the first time renders it again: "+string(label), func(t *testing.T) {
			f := newFixture(t, s)
			run := f.mustRun(p) // reads the old content
			r := f.mustLabel(label, Low)
			if taken := f.walkAll(r.Token); len(taken) != 0 {
				t.Fatalf("the walk took %d pages, want none yet", len(taken))
			}
			end := f.mustFinishTagged(run, Published, "old", "news")
			if end.Token == nil {
				t.Fatalf("end = %+v, want a token", end)
			}
			again := f.mustClaim(*end.Token)
			if again.G0 < r.ID {
				t.Errorf("the second run has g0 %d, which does not meet trigger %d", again.G0, r.ID)
			}
			if end := f.mustFinishTagged(again, Published, "new", "news"); end != (End{}) {
				t.Errorf("the second run's end = %+v, want done", end)
			}
		})
	}

	for _, label := range []Label{Tag("other"), Route("/other"), Prefix(path(t, "/blog/a/b")), Prefix(path(t, "/blo")), Prefix(path(t, "/blog-2"))} {
		t.Run("leaves a page alone that has not the label: "+string(label), func(t *testing.T) {
			f := newFixture(t, s)
			run := f.mustRun(p)
			f.mustLabel(label, Low)
			if end := f.mustFinishTagged(run, Published, "a", "news"); end != (End{}) {
				t.Errorf("end = %+v, want done", end)
			}
		})
	}

	t.Run("that leaves the tag renders it again", func(t *testing.T) {
		f := newFixture(t, s)
		f.mustPublishTagged(p, "news")
		run := f.mustRun(p)
		f.mustLabel(news, Low)
		if end := f.mustFinishTagged(run, Published, "a"); end.Token == nil {
			t.Errorf("end = %+v, want a token", end)
		}
	})

	t.Run("that removes its page looks again", func(t *testing.T) {
		f := newFixture(t, s)
		f.mustPublishTagged(p, "news")
		run := f.mustRun(p)
		f.mustLabel(news, Low)
		if end := f.mustFinish(run, Removed, ""); end.Token == nil {
			t.Errorf("end = %+v, want a token", end)
		}
	})

	t.Run("repeated after a lost reply gives the same token", func(t *testing.T) {
		f := newFixture(t, s)
		run := f.mustRun(p)
		f.mustLabel(news, Low)
		first := f.mustFinishTagged(run, Published, "a", "news")
		second := f.mustFinishTagged(run, Published, "a", "news")
		if first.Token == nil || second.Token == nil || first.Token.ID != second.Token.ID {
			t.Errorf("ends = %+v and %+v, want one token", first, second)
		}
	})

	t.Run("of a page with very many tags is seen by its end", func(t *testing.T) {
		f := newFixture(t, s)
		tags := make([]string, 10_000)
		for i := range tags {
			tags[i] = fmt.Sprint("post:", i)
		}
		run := f.mustRun(p)
		f.mustLabel(Tag("post:9999"), Low)
		if end := f.mustFinishTagged(run, Published, "a", tags...); end.Token == nil {
			t.Errorf("end = %+v, want a token", end)
		}
	})

	t.Run("that was claimed after it is done", func(t *testing.T) {
		f := newFixture(t, s)
		f.mustLabel(news, Low)
		if end := f.mustPublishTagged(p, "news"); end != (End{}) {
			t.Errorf("end = %+v, want done", end)
		}
	})
}

func TestTriggerLabel_OfAHotPageOnADeadSource(t *testing.T) {
	t.Parallel()
	f := newFixture(t, redistest.Start(t))
	p := path(t, "/news")
	f.mustPublishTagged(p, "news")
	tok := f.mustToken(p, Default)
	f.mustFail(f.mustClaim(tok), Retrying, 20*time.Second)
	var newest Receipt
	for range 50 { // editors save, the source does not answer
		newest = f.mustLabel(Tag("news"), Critical)
		if taken := f.walkAll(newest.Token); len(taken) != 0 {
			t.Fatalf("a walk took the page %d times during its back-off", len(taken))
		}
	}
	if n := len(f.keys("walk:*")); n != 0 {
		t.Errorf("%d walks are left", n)
	}
	f.elapse(20 * time.Second)
	run := f.mustClaim(tok)
	if run.G0 < newest.ID {
		t.Errorf("the try has g0 %d, which does not meet trigger %d", run.G0, newest.ID)
	}
	if end := f.mustFinishTagged(run, Published, "a", "news"); end != (End{}) {
		t.Errorf("end = %+v, want done", end)
	}
}

func TestIndex(t *testing.T) {
	t.Parallel()
	s := redistest.Start(t)
	p := path(t, "/a")

	t.Run("follows the tags of a page", func(t *testing.T) {
		f := newFixture(t, s)
		for _, tags := range [][]string{{"x", "y"}, {"y", "z", "z"}, nil, {}, {"ä <b>&\"'", "a:b:c"}, {"x"}} {
			f.mustPublishTagged(p, slices.Compact(slices.Clone(tags))...)
			f.mustPublishTagged(path(t, "/b"), "x")
			wantIndex(t, f)
		}
	})

	t.Run("has no tag without a page", func(t *testing.T) {
		f := newFixture(t, s)
		f.mustPublishTagged(p, "x", "y")
		f.mustPublishTagged(p)
		if left := f.keys("tag:*"); len(left) != 0 {
			t.Errorf("tags left = %q, want none", left)
		}
	})

	t.Run("keeps a removed page, which may come back", func(t *testing.T) {
		f := newFixture(t, s)
		f.mustPublishTagged(p, "x")
		f.mustFinish(f.mustRun(p), Removed, "")
		wantIndex(t, f)
		if taken := f.walkAll(f.mustLabel(Tag("x"), Low).Token); len(taken) != 1 {
			t.Errorf("a walk of its tag takes %d pages, want it", len(taken))
		}
	})

	t.Run("has no path that never was a page", func(t *testing.T) {
		f := newFixture(t, s)
		f.mustFinishTagged(f.mustRun(p), Removed, "", "x")
		if left := append(f.keys("tag:*"), f.keys("paths")...); len(left) != 0 {
			t.Errorf("sets = %q, want none", left)
		}
	})

	t.Run("is not touched by a run that has lost its page", func(t *testing.T) {
		f := newFixture(t, s)
		f.mustPublishTagged(p, "x")
		run := f.mustRun(p)
		f.endLease(p)
		f.mustToken(p, Low)
		f.mustFinishTagged(run, Published, "b", "y")
		wantIndex(t, f)
	})
}

// SSCAN over a restart of Redis saw 15,018 of 20,000 members; this is why the
// index is walked by its order.
func TestWalk_LosesNoPageWhenRedisIsKilledInTheMiddle(t *testing.T) {
	t.Parallel()
	const pages = 2000
	server := redistest.Start(t)
	cfg := DefaultConfig(site)
	cfg.Lease = 9 * time.Minute // of the pages; that of the walk ends when the test says so
	f := openFixture(t, server.Client(), cfg)
	f.seedPages(pages)
	w := f.mustWalk(Tag("every"))
	for batch := 0; ; batch++ {
		list, err := w.Next(f.ctx, 100)
		if err != nil {
			t.Fatal(err)
		}
		if len(list) == 0 {
			break
		}
		for i, p := range list {
			if (batch == 3 || batch == 13) && i == 50 {
				server.Kill()
				server.Restart()
			}
			f.mustTake(p, Bulk{Number: w.Number, Index: w.Label})
		}
		if batch == 13 { // the worker dies, too, before it can say how far it is
			f.endWalkLease(w.Label)
			w = f.mustClaimWalk(*f.mustSweep(f.mustSuspect(), false))
			continue
		}
		f.mustAdvance(w)
	}
	if f.mustEnd(w) {
		t.Error("it walks once more, want the end")
	}
	if n := len(f.keys("owed:*")); n != pages {
		t.Errorf("the walk took %d pages, want %d", n, pages)
	}
}

// seedPages writes published pages with the tag "every", as runs would.
func (f *fixture) seedPages(n int) {
	f.t.Helper()
	pipe := f.rdb.Pipeline()
	for i := range n {
		p := fmt.Sprintf("/%d", i)
		pipe.HSet(f.ctx, f.key("page:"+p), "g0", 0, "hash", "a", "tags", `["every"]`)
		for _, set := range []string{"paths", "tag:every"} {
			pipe.ZAdd(f.ctx, f.key(set), redis.Z{Member: p})
		}
	}
	if _, err := pipe.Exec(f.ctx); err != nil {
		f.t.Fatal(err)
	}
}
