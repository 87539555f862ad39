package worker

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"rebake/storage"
)

// wantAbsent checks the pages that a build names as not there, and why.
func wantAbsent(t *testing.T, r BuildReport, want map[string]string) {
	t.Helper()
	got := map[string]string{}
	for _, p := range r.Absent {
		got[p.Path.String()] = p.Reason
	}
	if diff := cmp.Diff(want, got, cmpopts.EquateEmpty()); diff != "" {
		t.Errorf("not there (-want +got):\n%s", diff)
	}
}

func TestBuild_namedPagesThatAreNotThere(t *testing.T) {
	const listed, mapped = "the config or a list names it, and there is no such page", "a sitemap names it, and there is no such page"
	for name, crawl := range map[string]Crawl{"with links": fakeCrawl{}, "without": nil} {
		t.Run(name, func(t *testing.T) {
			s := newWebsite(t)
			p := s.running()
			for _, path := range []string{"/old", "/listed", "/fixed", "/link"} {
				s.on(path, failing(storage.ErrGone))
			}
			s.set("/", "[/link]")
			r := p.crawl(func(b *Build) {
				b.Crawl = crawl
				b.Fixed = append(b.Fixed, mustPath("/fixed"))
				b.Lists = []List{fakeList{[]string{"/listed"}, nil}}
				b.Sitemaps = []List{fakeList{[]string{"/old", "/a"}, nil}}
			})
			wantAbsent(t, r, map[string]string{"/old": mapped, "/listed": listed, "/fixed": listed})
			if len(r.Failed)+len(r.Problems) > 0 {
				t.Errorf("failed %v, problems %v", r.Failed, r.Problems)
			}
		})
	}
}

// A page that nobody names any more was removed, as it should be.
func TestBuild_knownPageThatIsGoneIsNotAbsent(t *testing.T) {
	s := newWebsite(t)
	p := s.running()
	p.publish("/was", "here")
	s.on("/was", failing(storage.ErrGone))
	wantAbsent(t, p.crawl(), nil)
	if s.served("/was") != "" {
		t.Error("it is still served")
	}
}
