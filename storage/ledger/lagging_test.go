package ledger

import (
	"slices"
	"testing"
	"time"

	"rebake/storage"
	"rebake/storage/redistest"
)

func (f *fixture) mustFinishLagging(p storage.Path, why string) {
	f.t.Helper()
	page := storage.Page{Path: p, Type: "text/html", Body: []byte("a"), Route: "/…", Lagging: why}
	if _, err := f.mustRun(p).Finish(f.ctx, Published, page, time.Unix(1, 0)); err != nil {
		f.t.Fatal(err)
	}
}

func (f *fixture) lagging() (list []string) {
	f.t.Helper()
	err := f.EachLagging(f.ctx, func(s State) error {
		list = append(list, s.Path.String()+" "+s.Page.Lagging)
		return nil
	})
	if err != nil {
		f.t.Fatal(err)
	}
	counts, err := f.Counts(f.ctx)
	if err != nil || counts.Lagging != int64(len(list)) {
		f.t.Errorf("count of lagging pages = %d, %v; want %d", counts.Lagging, err, len(list))
	}
	return list
}

func TestFinish_OfAPageThatLags(t *testing.T) {
	t.Parallel()
	s := redistest.Start(t)
	a, b := path(t, "/a"), path(t, "/b")

	t.Run("is told of, and looked at again", func(t *testing.T) {
		f := newFixture(t, s)
		f.mustFinishLagging(b, "post:1 is 2, shown is 1")
		f.mustFinishLagging(a, "post:2 is 9, shown is 8")
		if got, want := f.lagging(), []string{"/b post:1 is 2, shown is 1", "/a post:2 is 9, shown is 8"}; !slices.Equal(got, want) {
			t.Errorf("lagging = %q, want %q", got, want)
		}
		if state := f.mustState(a); state.Freshness != PageFresh || state.Page.Lagging == "" {
			t.Errorf("state = %s, %+v; want fresh, and lagging", state.Freshness, state.Page)
		}
		f.elapse(lookAgain)
		list, err := f.DueTimers(f.ctx, 10)
		if err != nil || len(list) != 2 {
			t.Fatalf("due timers = %+v, %v; want one for each page", list, err)
		}
		r, err := f.Fire(f.ctx, list[0], Default)
		if err != nil || r.Token == nil {
			t.Fatalf("fire = %+v, %v; want a token", r, err)
		}
		if got := f.mustState(r.Token.Path).Owed.Reason; got != "another look: it lagged behind its CMS" {
			t.Errorf("reason = %q", got)
		}
	})

	t.Run("ends with one that does not", func(t *testing.T) {
		f := newFixture(t, s)
		f.mustFinishLagging(a, "old")
		f.mustFinishLagging(a, "")
		if got := f.lagging(); len(got) != 0 {
			t.Errorf("lagging = %q, want none", got)
		}
		if counts, err := f.Counts(f.ctx); err != nil || counts.Timers != 0 {
			t.Errorf("timers = %d, %v; want none", counts.Timers, err)
		}
	})

	t.Run("ends with its removal", func(t *testing.T) {
		f := newFixture(t, s)
		f.mustFinishLagging(a, "old")
		f.mustFinish(f.mustRun(a), Removed, "")
		if got := f.lagging(); len(got) != 0 || f.mustState(a).Page.Lagging != "" {
			t.Errorf("lagging = %q, want none", got)
		}
	})
}
