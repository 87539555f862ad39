package worker

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"rebake/renderer"
)

// all empties a frontier.
func (f *frontier) all() []string {
	var paths []string
	for p, ok := f.next(); ok; p, ok = f.next() {
		paths = append(paths, p.path.String())
	}
	return paths
}

// addAll adds links on a page.
func (f *frontier) addAll(on buildPage, paths ...string) {
	for _, path := range paths {
		name, asset := strings.CutPrefix(path, "+")
		f.add(on, renderer.Link{Path: mustPath(name), Asset: asset})
	}
}

func TestFrontier_givesEachPageOnce(t *testing.T) {
	f, home := newFrontier(), buildPage{path: mustPath("/")}
	f.take(home.path)
	f.addAll(home, "/", "/a", "/b", "/a")
	if diff := cmp.Diff([]string{"/a", "/b"}, f.all()); diff != "" {
		t.Error(diff)
	}
	f.addAll(home, "/b", "/c")
	if diff := cmp.Diff([]string{"/c"}, f.all()); diff != "" {
		t.Error(diff)
	}
}

func TestFrontier_leavesPagesThatAreNamedLater(t *testing.T) {
	f := newFrontier()
	f.addAll(buildPage{path: mustPath("/")}, "/a", "/b")
	if !f.take(mustPath("/a")) || f.take(mustPath("/a")) {
		t.Error("/a is not taken once")
	}
	if diff := cmp.Diff([]string{"/b"}, f.all()); diff != "" {
		t.Error(diff)
	}
}

func TestFrontier_countsClicks(t *testing.T) {
	f := newFrontier()
	page := buildPage{path: mustPath("/"), clicks: 3}
	for _, tc := range []struct {
		on   buildPage
		link string
		want int
	}{
		{page, "/a", 4},
		{page, "+/b", 3},
		{buildPage{path: mustPath("/s"), clicks: 3, asset: true}, "+/c", 4},
	} {
		f.addAll(tc.on, tc.link)
		if p, ok := f.next(); !ok || p.clicks != tc.want {
			t.Errorf("%s on %s: %d clicks, want %d", tc.link, tc.on.path, p.clicks, tc.want)
		}
	}
}

func TestFrontier_bounds(t *testing.T) {
	const more = ", and the site has more: the first that was left out is "
	for name, tc := range map[string]struct {
		clicks, linked, waiting int
		links                   []string
		want                    []string
		notes                   []string
	}{
		"none":    {1, 2, 4, []string{"/a", "/b", "+/c", "+/d"}, []string{"/a", "/b", "/c", "/d"}, nil},
		"clicks":  {0, 9, 9, []string{"/a", "/b", "+/c"}, []string{"/c"}, []string{"links are followed for 0 clicks from the pages that the config, lists and sitemaps name" + more + "/a on /"}},
		"pages":   {9, 1, 9, []string{"/a", "/b", "+/c"}, []string{"/a", "/c"}, []string{"links are followed to 1 pages" + more + "/b on /"}},
		"assets":  {9, 1, 9, []string{"+/a", "+/b", "/c"}, []string{"/a", "/c"}, []string{"1 assets are copied" + more + "/b on /"}},
		"waiting": {9, 9, 1, []string{"/a", "/b", "/c"}, []string{"/a"}, []string{"1 links are kept to be followed later" + more + "/b on /"}},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFrontier()
			f.clicks, f.linked, f.waiting = tc.clicks, tc.linked, tc.waiting
			f.addAll(buildPage{path: mustPath("/")}, tc.links...)
			if diff := cmp.Diff(tc.want, f.all()); diff != "" {
				t.Error(diff)
			}
			if diff := cmp.Diff(tc.notes, f.notes()); diff != "" {
				t.Error(diff)
			}
		})
	}
}
