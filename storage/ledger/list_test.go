package ledger

import (
	"fmt"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"rebake/storage/redistest"
)

// listed follows the cursor to the end and returns "path freshness".
func (f *fixture) listed(q Query) (names []string) {
	f.t.Helper()
	if q.Limit == 0 {
		q.Limit = 100
	}
	for {
		list, next, err := f.List(f.ctx, q)
		if err != nil {
			f.t.Fatal(err)
		}
		if len(list) > q.Limit {
			f.t.Fatalf("%d pages, limit %d", len(list), q.Limit)
		}
		for _, s := range list {
			names = append(names, fmt.Sprintf("%s %s", s.Path, s.Freshness))
		}
		if next == "" {
			return names
		}
		q.After = next
	}
}

func TestList(t *testing.T) {
	t.Parallel()
	s := redistest.Start(t)
	f := newFixture(t, s)
	for _, name := range []string{"/", "/blog", "/blog-2", "/blog/b", "/blog/d"} {
		f.mustPublishTagged(path(t, name), "posts")
	}
	f.mustPublishTagged(path(t, "/blog/a"), "posts", "post:1")
	f.mustFail(f.mustRun(path(t, "/blog/b")), Failed, 0)
	f.mustFail(f.mustRun(path(t, "/blog/never")), Failed, 0)
	f.mustTrigger(path(t, "/blog/c"), Low)
	f.mustTrigger(path(t, "/blog/d"), Low)
	f.mustLabel(Tag("post:1"), Low)
	f.mustFinish(f.mustSeize(path(t, "/blog-2")), Removed, "")

	for _, c := range []struct {
		name  string
		query Query
		want  []string
	}{
		{"all", Query{Label: Site}, []string{"/ fresh", "/blog fresh", "/blog-2 gone", "/blog/a stale", "/blog/b failed", "/blog/d stale"}},
		{"one at a time", Query{Label: Site, Limit: 1}, []string{"/ fresh", "/blog fresh", "/blog-2 gone", "/blog/a stale", "/blog/b failed", "/blog/d stale"}},
		{"below a prefix", Query{Label: "prefix:/blog"}, []string{"/blog fresh", "/blog/a stale", "/blog/b failed", "/blog/d stale"}},
		{"below a prefix, after a cursor before it", Query{Label: "prefix:/blog", After: "/a"}, []string{"/blog fresh", "/blog/a stale", "/blog/b failed", "/blog/d stale"}},
		{"with a tag", Query{Label: "tag:post:1"}, []string{"/blog/a stale"}},
		{"with a tag, below a prefix", Query{Label: "tag:posts", Below: path(t, "/blog/b")}, []string{"/blog/b failed"}},
		{"failed, those that never were a page too", Query{Label: Site, State: PageFailed}, []string{"/blog/b failed", "/blog/never failed"}},
		{"failed, with a tag", Query{Label: "tag:posts", State: PageFailed}, []string{"/blog/b failed"}},
		{"failed, elsewhere", Query{Label: "prefix:/blog-2", State: PageFailed}, nil},
		{"stale, by label, and those that never were a page", Query{Label: Site, State: PageStale}, []string{"/blog/a stale", "/blog/c stale", "/blog/d stale"}},
		{"stale, one at a time", Query{Label: Site, State: PageStale, Limit: 1}, []string{"/blog/a stale", "/blog/c stale", "/blog/d stale"}},
		{"gone", Query{Label: Site, State: PageGone}, []string{"/blog-2 gone"}},
		{"behind the last", Query{Label: Site, After: "/z"}, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			if diff := cmp.Diff(c.want, f.listed(c.query)); diff != "" {
				t.Errorf("pages (-want +got):\n%s", diff)
			}
		})
	}

	t.Run("reads each page as State does", func(t *testing.T) {
		list, _, err := f.List(f.ctx, Query{Label: Site, Limit: 100})
		if err != nil {
			t.Fatal(err)
		}
		for _, got := range list {
			want := f.mustState(got.Path)
			if got.Freshness != want.Freshness || got.Label != want.Label || !cmp.Equal(got.Page, want.Page) || !cmp.Equal(got.Owed, want.Owed) {
				t.Errorf("%s is %+v in the list, and %+v by itself", got.Path, got, want)
			}
		}
	})
}

func TestList_ofMoreThanOneBatch(t *testing.T) {
	t.Parallel()
	f := newFixture(t, redistest.Start(t))
	var want []string
	for i := range 2*listBatch + 10 {
		name := fmt.Sprintf("/p%05d", i)
		want = append(want, name+" fresh")
		f.rdb.ZAdd(f.ctx, f.key("paths"), zero(name))
		f.rdb.HSet(f.ctx, f.key("page:"+name), "g0", 1, "hash", "x")
	}
	if got := f.listed(Query{Label: Site, Limit: 999}); !slices.Equal(got, want) {
		t.Errorf("%d pages listed, want %d", len(got), len(want))
	}
}

func TestOldest(t *testing.T) {
	t.Parallel()
	f := newFixture(t, redistest.Start(t))
	if at, err := f.Oldest(f.ctx); !at.IsZero() || err != nil {
		t.Errorf("oldest of nothing = %v, %v", at, err)
	}
	f.mustTrigger(path(t, "/a"), Low)
	f.elapse(confirmGone)
	f.mustTrigger(path(t, "/b"), Low)
	f.mustLabel(Site, Low)
	at, err := f.Oldest(f.ctx)
	if want := f.mustState(path(t, "/a")).Owed.Since; err != nil || !at.Equal(want) {
		t.Errorf("oldest = %v, %v; want that of /a, %v", at, err, want)
	}
	walks, err := f.Walks(f.ctx)
	if err != nil || len(walks) != 1 || walks[0].Label != Site || walks[0].Since.IsZero() {
		t.Errorf("walks = %+v, %v; want that of the site", walks, err)
	}
}
