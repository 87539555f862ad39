package ledger

import (
	"errors"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"rebake/storage"
	"rebake/storage/redistest"
)

func TestParseLabel(t *testing.T) {
	t.Parallel()
	for _, s := range []string{"site", "tag:post:42", "tag: ", "prefix:/", "prefix:/blog", "route:/blog/{slug}"} {
		if l, err := ParseLabel(s); err != nil || string(l) != s {
			t.Errorf("ParseLabel(%q) = %q, %v; want it as it is", s, l, err)
		}
	}
	for _, s := range []string{"", "tag", "tag:", "prefix:", "route:", "site:x", "post:42", "/tag:x", "/blog"} {
		if l, err := ParseLabel(s); err == nil {
			t.Errorf("ParseLabel(%q) = %q, want an error", s, l)
		}
	}
}

func TestLabel_OfRoute(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		label Label
		want  bool
	}{
		{Route("/blog/{slug}"), true}, {Route("/blog"), false}, {Site, true}, {Tag("x"), true}, {Item("x"), true}, {Prefix(path(t, "/shop")), true},
	} {
		if got := c.label.OfRoute("/blog/{slug}"); got != c.want {
			t.Errorf("%s of the route = %v, want %v", c.label, got, c.want)
		}
	}
}

// What the scripts and the state understand by a page's labels is the same
// that a walk finds.
func TestLabelsOf_NamesEachPrefixOnce(t *testing.T) {
	t.Parallel()
	for p, want := range map[string][]string{
		"/":         {"prefix:/"},
		"/blog":     {"prefix:/", "prefix:/blog"},
		"/blog/a/b": {"prefix:/", "prefix:/blog", "prefix:/blog/a", "prefix:/blog/a/b"},
	} {
		want = append([]string{"site", "route:/r"}, append(want, "tag:x", "item:x")...)
		if diff := cmp.Diff(want, labelsOf(p, "/r", []string{"x"})); diff != "" {
			t.Errorf("labels of %s (-want +got):\n%s", p, diff)
		}
	}
}

func TestLabel_Pages(t *testing.T) {
	t.Parallel()
	f := newFixture(t, redistest.Start(t))
	all := []string{"/", "/blog", "/blog!", "/blog-2", "/blog-2/x", "/blog.html", "/blog/a", "/blog/a/b", "/blog/zoë", "/blog0", "/blogs", "/news"}
	for _, s := range all {
		f.mustPublishTagged(path(t, s), "first:"+s[:2%(len(s)+1)], "every")
	}
	for _, c := range []struct {
		label Label
		want  []string
	}{
		{Prefix(path(t, "/blog")), []string{"/blog", "/blog/a", "/blog/a/b", "/blog/zoë"}},
		{Prefix(path(t, "/blog/a")), []string{"/blog/a", "/blog/a/b"}},
		{Prefix(path(t, "/blog-2")), []string{"/blog-2", "/blog-2/x"}},
		{Prefix(path(t, "/news")), []string{"/news"}},
		{Prefix(path(t, "/none")), nil},
		{Prefix(path(t, "/")), all},
		{Site, all},
		{Route("/…"), all},
		{Tag("every"), all},
		{Tag("first:/n"), []string{"/news"}},
		{Tag("none"), nil},
		{Item("every"), all},
		{Item("first:/n"), []string{"/news"}},
	} {
		t.Run(string(c.label), func(t *testing.T) {
			var got []string
			if err := f.EachPage(f.ctx, c.label, func(p storage.Path) error {
				got = append(got, p.String())
				return nil
			}); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("pages (-want +got):\n%s", diff)
			}
			if n, err := f.Pages(f.ctx, c.label); err != nil || n != int64(len(c.want)) {
				t.Errorf("count = %d, %v; want %d", n, err, len(c.want))
			}
			w := f.mustWalk(c.label)
			var walked []string
			for list := f.mustNext(w, 2); len(list) > 0; list = f.mustNext(w, 2) {
				walked = append(walked, list...)
			}
			if !slices.Equal(walked, c.want) {
				t.Errorf("a walk in twos sees %q, want %q", walked, c.want)
			}
		})
	}
}

func TestEachPage_EndsWithTheFirstError(t *testing.T) {
	t.Parallel()
	f := newFixture(t, redistest.Start(t))
	f.mustPublish(path(t, "/a"), "a")
	f.mustPublish(path(t, "/b"), "b")
	stop, calls := errors.New("stop"), 0
	err := f.EachPage(f.ctx, Site, func(storage.Path) error { calls++; return stop })
	if !errors.Is(err, stop) || calls != 1 {
		t.Errorf("EachPage = %v after %d calls, want the error after 1", err, calls)
	}
}

func TestTriggerLabel(t *testing.T) {
	t.Parallel()
	s := redistest.Start(t)
	news := Tag("news")

	t.Run("gives a token with the label and its number", func(t *testing.T) {
		f := newFixture(t, s)
		r := f.mustLabel(news, Critical)
		if r.Token == nil || r.Token.Label != news || r.Token.Priority != Critical || r.Token.Number() != r.ID {
			t.Fatalf("receipt = %+v, token %+v; want a token of the trigger", r, r.Token)
		}
		w := f.mustClaimWalk(*r.Token)
		if w.Number != r.ID || w.Priority != Critical || w.Reason != "test" {
			t.Errorf("walk = number %d, %s, %q; want %d, critical, test", w.Number, w.Priority, w.Reason, r.ID)
		}
	})

	t.Run("while its walk waits coalesces, and the walk is for the newest", func(t *testing.T) {
		f := newFixture(t, s)
		first := f.mustLabel(news, Default)
		second := f.mustLabel(news, Low)
		if second.Token != nil || second.ID <= first.ID {
			t.Fatalf("second receipt = %+v, want a newer trigger without a token", second)
		}
		if w := f.mustClaimWalk(*first.Token); w.Number != second.ID {
			t.Errorf("number of the walk = %d, want %d", w.Number, second.ID)
		}
	})

	t.Run("with a higher priority lifts the token and makes the old one stale", func(t *testing.T) {
		f := newFixture(t, s)
		low := f.mustLabel(news, Low)
		lifted := f.mustLabel(news, Critical)
		if lifted.Token == nil || lifted.Token.Priority != Critical {
			t.Fatalf("token = %+v, want one of priority critical", lifted.Token)
		}
		if w := f.wakeWalk(*low.Token); w.State != Stale {
			t.Errorf("claim of the old token = %s, want stale", w.State)
		}
		f.mustClaimWalk(*lifted.Token)
	})

	t.Run("repeated after a lost reply gives the same token", func(t *testing.T) {
		f := newFixture(t, s)
		send := func() Receipt {
			r, err := f.triggerLabel(f.ctx, news, Request{Priority: Low}, "nonce")
			if err != nil {
				t.Fatal(err)
			}
			return r
		}
		first, second := send(), send()
		if diff := cmp.Diff(first, second, cmp.Comparer(samePath)); diff != "" {
			t.Errorf("second receipt (-first +second):\n%s", diff)
		}
	})

	t.Run("makes its pages stale before the walk comes to them, and no others", func(t *testing.T) {
		f := newFixture(t, s)
		a, b := path(t, "/a"), path(t, "/b")
		f.mustPublishTagged(a, "news")
		f.mustPublishTagged(b, "shop")
		f.mustLabel(news, Low)
		if got := f.mustState(a); got.Freshness != PageStale || got.Label != news {
			t.Errorf("state of a page with the tag = %s by %q, want stale by the tag", got.Freshness, got.Label)
		}
		if got := f.mustState(b).Freshness; got != PageFresh {
			t.Errorf("state of a page without the tag = %s, want fresh", got)
		}
	})

	t.Run("of a page's route, prefixes or site makes it stale", func(t *testing.T) {
		for _, label := range []Label{Site, Route("/…"), Prefix(path(t, "/")), Prefix(path(t, "/a")), Prefix(path(t, "/a/b"))} {
			f := newFixture(t, s)
			p := path(t, "/a/b")
			f.mustPublish(p, "a")
			f.mustLabel(label, Low)
			if got := f.mustState(p); got.Freshness != PageStale || got.Label != label {
				t.Errorf("state after %s = %s by %q, want stale", label, got.Freshness, got.Label)
			}
		}
	})

	t.Run("is not counted as an owed page", func(t *testing.T) {
		f := newFixture(t, s)
		w := f.mustWalk(news)
		f.mustEnd(w)
		f.mustLabel(Site, Low)
		if c, err := f.Counts(f.ctx); err != nil || c != (Counts{}) {
			t.Errorf("counts = %+v, %v; want none", c, err)
		}
	})
}
