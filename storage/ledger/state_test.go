package ledger

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"rebake/storage"
	"rebake/storage/redistest"
)

func TestState_Freshness(t *testing.T) {
	t.Parallel()
	s := redistest.Start(t)
	p := path(t, "/news")
	for _, tt := range []struct {
		name string
		make func(f *fixture)
		want Freshness
	}{
		{"of a path that nobody asked for", func(f *fixture) {}, PageUnknown},
		{"of a page that was never published and waits", func(f *fixture) { f.mustToken(p, Low) }, PageStale},
		{"of a page that runs", func(f *fixture) { f.mustRun(p) }, PageStale},
		{"of a page that was published", func(f *fixture) { f.mustPublish(p, "a") }, PageFresh},
		{"of a page that was triggered since", func(f *fixture) { f.mustPublish(p, "a"); f.mustToken(p, Low) }, PageStale},
		{"of a page whose last try failed", func(f *fixture) { f.mustFail(f.mustRun(p), Retrying, time.Second) }, PageRetrying},
		{"of a page in its second try", func(f *fixture) {
			tok := f.mustToken(p, Low)
			f.mustFail(f.mustClaim(tok), Retrying, 0)
			f.mustClaim(tok)
		}, PageRetrying},
		{"of a page that failed", func(f *fixture) { f.mustFail(f.mustRun(p), Failed, 0) }, PageFailed},
		{"of a page that a gate refused", func(f *fixture) { f.mustFail(f.mustRun(p), Refused, 0) }, PageFailed},
		{"of a page that was triggered after it failed", func(f *fixture) {
			f.mustFail(f.mustRun(p), Failed, 0)
			f.mustToken(p, Low)
		}, PageStale},
		{"of a page that was removed", func(f *fixture) {
			f.mustPublish(p, "a")
			f.mustFinish(f.mustRun(p), Removed, "")
		}, PageGone},
		{"of a removed page that was triggered since", func(f *fixture) {
			f.mustPublish(p, "a")
			f.mustFinish(f.mustRun(p), Removed, "")
			f.mustToken(p, Low)
		}, PageStale},
	} {
		t.Run(tt.name, func(t *testing.T) {
			f := newFixture(t, s)
			tt.make(f)
			if got := f.mustState(p).Freshness; got != tt.want {
				t.Errorf("freshness = %s, want %s", got, tt.want)
			}
		})
	}
}

func TestState_TellsWhatWasPublished(t *testing.T) {
	t.Parallel()
	f := newFixture(t, redistest.Start(t))
	p := path(t, "/news")
	r := f.mustRequest(p, Request{Priority: Critical, Reason: "api"})
	page := storage.Page{Path: p, Type: "text/html", Body: []byte("abc"), Tags: []string{"post:1", "menu"}, Version: "v1", Route: "/{slug}"}
	mtime := time.Unix(1_700_000_000, 0)
	if _, err := f.mustClaim(*r.Token).Finish(t.Context(), Published, page, mtime); err != nil {
		t.Fatal(err)
	}
	want := &PageState{
		G0: r.ID, Hash: page.Hash(), Size: 3, Type: "text/html", Tags: page.Tags, Version: "v1", Route: "/{slug}", Reason: "api", MTime: mtime,
	}
	if diff := cmp.Diff(want, f.mustState(p).Page, cmpopts.IgnoreFields(PageState{}, "At", "Changed")); diff != "" {
		t.Errorf("page (-want +got):\n%s", diff)
	}
}

func TestState_TellsWhenOtherBytesWerePublished(t *testing.T) {
	t.Parallel()
	f := newFixture(t, redistest.Start(t))
	p := path(t, "/news")
	f.mustPublish(p, "a")
	before := f.mustState(p).Page
	f.mustFinish(f.mustRun(p), Unchanged, "a")
	after := f.mustState(p).Page
	if !after.Changed.Equal(before.Changed) || after.G0 <= before.G0 {
		t.Errorf("page = %+v after an unchanged run, was %+v; want the same change and a newer g0", after, before)
	}
}

func TestState_TellsWhenAPageWasRemoved(t *testing.T) {
	t.Parallel()
	f := newFixture(t, redistest.Start(t))
	p := path(t, "/news")
	yesterday := time.Now().Add(-24 * time.Hour).Truncate(time.Millisecond)
	changed := func() {
		t.Helper()
		if err := f.rdb.HSet(t.Context(), f.key("page:"+p.String()), "changed", yesterday.UnixMilli()).Err(); err != nil {
			t.Fatal(err)
		}
	}
	f.mustPublish(p, "a")
	changed()
	f.mustFinish(f.mustRun(p), Removed, "")
	if got := f.mustState(p).Page; !got.Changed.Equal(got.At) {
		t.Errorf("changed at %v, removed at %v; want the time of the removal", got.Changed, got.At)
	}

	changed()
	f.mustFinish(f.mustRun(p), Removed, "") // a walk over the whole site, say
	if got := f.mustState(p).Page.Changed; !got.Equal(yesterday) {
		t.Errorf("changed at %v after it was found to be gone once more; want %v still", got, yesterday)
	}
}

func TestState_TellsWhatIsOwed(t *testing.T) {
	t.Parallel()
	f := newFixture(t, redistest.Start(t))
	p := path(t, "/news")
	r := f.mustRequest(p, Request{Priority: Critical, Reason: "api"})
	f.mustFail(f.mustClaim(*r.Token), Retrying, 4*time.Second)
	got := f.mustState(p).Owed
	want := &OwedState{Status: "waiting", Newest: r.ID, Priority: Critical, Reason: "api", Attempts: 1, Error: "no answer", FailedG0: r.ID}
	if diff := cmp.Diff(want, got, cmpopts.IgnoreFields(OwedState{}, "Since", "Due", "LastTry")); diff != "" {
		t.Errorf("owed (-want +got):\n%s", diff)
	}
	if wait := got.Due.Sub(got.LastTry); wait != 4*time.Second {
		t.Errorf("due %v after the last try, want 4s", wait)
	}
}

func TestCounts(t *testing.T) {
	t.Parallel()
	f := newFixture(t, redistest.Start(t))
	f.mustToken(path(t, "/queued"), Low)
	f.mustRun(path(t, "/running"))
	f.mustFail(f.mustRun(path(t, "/waiting")), Retrying, time.Second)
	f.mustFail(f.mustRun(path(t, "/failed")), Failed, 0)
	f.mustPublish(path(t, "/fresh"), "a")
	f.mustFinish(f.mustClaim(*f.mustRequest(path(t, "/timer"), Request{Recheck: time.Second}).Token), Published, "a")
	got, err := f.Counts(t.Context())
	if want := (Counts{Owed: 3, Failed: 1, Timers: 1}); got != want || err != nil {
		t.Errorf("counts = %+v, %v; want %+v", got, err, want)
	}
}
