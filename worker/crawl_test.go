package worker

import (
	"context"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"rebake/renderer"
	"rebake/renderer/upstream"
	"rebake/storage"
	"rebake/storage/ledger"
)

// fakeCrawl reads links from the texts of fakeRenderer's pages: [/a] is one,
// and [+/a] is one to an asset.
type fakeCrawl struct{ err error }

var fakeLink = regexp.MustCompile(`\[(\+?)(/[^\]]*)\]`)

func (c fakeCrawl) Links(_ renderer.Match, _ string, file io.Reader, found func(renderer.Link)) error {
	if c.err != nil {
		return c.err
	}
	text, err := io.ReadAll(file)
	for _, m := range fakeLink.FindAllSubmatch(text, -1) {
		found(renderer.Link{Path: mustPath(string(m[2])), Asset: len(m[1]) > 0})
	}
	return err
}

func (c fakeCrawl) Notes() []string { return nil }

// crawl builds the site from its home page.
func (p *process) crawl(change ...func(*Build)) BuildReport {
	p.site.t.Helper()
	return <-p.crawling(change...)
}

// crawling is crawl in the background.
func (p *process) crawling(change ...func(*Build)) <-chan BuildReport {
	b := Build{Fixed: onePath("/"), Crawl: fakeCrawl{}, Reason: "test"}
	for _, f := range change {
		f(&b)
	}
	done := make(chan BuildReport, 1)
	go func() {
		report, err := p.Build(p.site.t.Context(), b)
		if err != nil {
			p.site.t.Errorf("build: %v", err)
		}
		done <- report
	}()
	return done
}

// told returns the pages of a report: its failures, its broken links and what
// it has left.
func told(r BuildReport) (failed, broken, left []string) {
	for _, f := range r.Failed {
		failed = append(failed, f.Path.String())
	}
	for _, l := range r.Broken {
		broken = append(broken, l.Path.String()+" on "+l.On.String())
	}
	for _, l := range r.Left {
		left = append(left, l.Path.String()+" on "+l.On.String())
	}
	return failed, broken, left
}

func wantTold(t *testing.T, r BuildReport, failed, broken, left []string) {
	t.Helper()
	gotFailed, gotBroken, gotLeft := told(r)
	for what, diff := range map[string]string{
		"failed": cmp.Diff(failed, gotFailed), "broken": cmp.Diff(broken, gotBroken), "left": cmp.Diff(left, gotLeft),
	} {
		if diff != "" {
			t.Errorf("%s (-want +got):\n%s", what, diff)
		}
	}
	if len(r.Problems) > 0 {
		t.Errorf("problems: %v", r.Problems)
	}
}

// wantNothingOf fails the test when the ledger knows the page, or will still
// do so in a while.
func (s *website) wantNothingOf(path string) {
	s.t.Helper()
	keys, err := s.rdb.Keys(s.t.Context(), "rebake:*:"+path).Result()
	if err != nil {
		s.t.Fatal(err)
	}
	for _, key := range keys {
		if ttl := s.rdb.PTTL(s.t.Context(), key).Val(); ttl <= 0 || ttl > 10*time.Second {
			s.t.Errorf("the ledger has %s, for %v", key, ttl)
		}
	}
	for _, set := range []string{"paths", "failed", "dirty", "timers"} {
		if s.rdb.ZScore(s.t.Context(), "rebake:{"+host+"}:"+set, path).Err() == nil {
			s.t.Errorf("the ledger's %s has %s", set, path)
		}
	}
}

func TestBuild_followsLinks(t *testing.T) {
	s := newWebsite(t)
	p := s.running()
	s.set("/", "[/a] [/b] [+/img]")
	s.set("/a", "[/] [/a/c] [/b]")
	s.set("/a/c", "[/a] [+/img]")
	r := p.crawl()
	for _, path := range []string{"/", "/a", "/b", "/a/c"} {
		if s.served(path) == "" {
			t.Errorf("%s is not served", path)
		}
		s.wantRenders(path, 1)
	}
	s.wantRenders("/img", 1)
	if r.Done != 5 || r.Linked != 3 || r.Assets != 1 || len(r.Notes) > 0 {
		t.Errorf("report %+v, want 5 pages, 3 of them found by links and one an asset", r)
	}
	if why := p.state("/a/c").Page.Reason; why != "test, linked on /a" {
		t.Errorf("the page is there because of %q", why)
	}

	again := p.crawl()
	if again.Done != r.Done || again.Linked != r.Linked {
		t.Errorf("a second build reports %+v, the first one %+v", again, r)
	}
	s.wantRenders("/a/c", 2)
}

func failing(err error) renderFunc {
	return func(context.Context, int, string) (string, error) { return "", err }
}

func TestBuild_linksThatLeadToNoPageLeaveNothing(t *testing.T) {
	for name, tc := range map[string]struct {
		err          error
		broken, left []string
	}{
		"gone":           {fmt.Errorf("status 404: %w", storage.ErrGone), []string{"/x on /"}, nil},
		"private":        {&storage.RefusedError{Gate: "private"}, nil, []string{"/x on /"}},
		"forbidden":      {storage.Temporary(&upstream.StatusError{Status: 403}), nil, []string{"/x on /"}},
		"somebody's":     {storage.ErrForeign, nil, []string{"/x on /"}},
		"below a file":   {storage.ErrFileDirConflict, nil, []string{"/x on /"}},
		"method refused": {&upstream.StatusError{Status: 302}, nil, []string{"/x on /"}},
	} {
		t.Run(name, func(t *testing.T) {
			s := newWebsite(t)
			p := s.running()
			s.set("/", "[/x] [/a]")
			s.set("/a", "[/x]")
			s.on("/x", failing(tc.err))
			r := p.crawl()
			wantTold(t, r, nil, tc.broken, tc.left)
			if r.Done != 2 {
				t.Errorf("%d pages, want 2", r.Done)
			}
			s.wantRenders("/x", 1)
			s.wantNothingOf("/x")
		})
	}
}

func TestBuild_linkThatFailsForNowIsTriedAgain(t *testing.T) {
	away := storage.Temporary(&upstream.StatusError{Status: 503})
	for name, tc := range map[string]struct {
		good   int // the render that succeeds
		failed []string
	}{
		"and comes back": {3, nil},
		"and stays so":   {4, []string{"/x"}},
	} {
		t.Run(name, func(t *testing.T) {
			s := newWebsite(t)
			p := s.running()
			s.set("/", "[/x]")
			s.on("/x", func(_ context.Context, n int, text string) (string, error) {
				if n < tc.good {
					return "", away
				}
				return text, nil
			})
			done := p.crawling()
			for n := 1; n < 3; n++ {
				s.await("a visit in vain", func() bool {
					return s.renders("/x") == n && s.rdb.HGet(t.Context(), owedKey("/x"), "st").Val() == "failed"
				})
				s.rdb.Del(t.Context(), owedKey("/x")) // in the place of 10 s
			}
			wantTold(t, <-done, tc.failed, nil, nil)
			s.wantRenders("/x", 3)
			if tc.failed != nil {
				s.wantNothingOf("/x")
			}
		})
	}
}

func TestBuild_linkThatFailsForGoodIsAFailure(t *testing.T) {
	s := newWebsite(t)
	p := s.running()
	s.set("/", "[/x]")
	s.on("/x", failing(errors.New("charset unknown")))
	wantTold(t, p.crawl(), []string{"/x"}, nil, nil)
	s.wantNothingOf("/x")
}

func TestBuild_knownPageThatALinkLeadsToIsAnsweredFor(t *testing.T) {
	s := newWebsite(t)
	p := s.running()
	s.set("/", "[/x] [/y]")
	p.publish("/x", "known")
	p.publish("/y", "known")
	s.on("/x", failing(&storage.RefusedError{Gate: "private", Reason: "now"}))
	s.on("/y", gone)
	wantTold(t, p.crawl(), []string{"/x"}, []string{"/y on /"}, nil)
	s.wantServed("/x", "known")
	s.wantServed("/y", "")
}

func TestBuild_linksWithoutAnEnd(t *testing.T) {
	s := newWebsite(t)
	p := s.running()
	for i := range 2 * mostClicks {
		s.set(fmt.Sprintf("/%d", i), fmt.Sprintf("[/%d] [/%d] [+/img/%d]", i, i+1, i))
	}
	s.set("/", "[/0]")
	for _, when := range []string{"the first build", "the second build"} {
		r := p.crawl()
		if r.Linked != mostClicks || r.Assets != mostClicks || len(r.Notes) != 1 || !strings.Contains(r.Notes[0], "32 clicks") || !strings.HasSuffix(r.Notes[0], " is /32 on /31") {
			t.Errorf("%s found %d pages and %d assets, and said %q", when, r.Linked, r.Assets, r.Notes)
		}
	}
}

func TestBuild_linksOfPagesThatOnlyTheLedgerKnowsAreNotFollowed(t *testing.T) {
	s := newWebsite(t)
	p := s.running()
	p.publish("/orphan", "[/x] [+/img]")
	p.crawl()
	s.wantRenders("/orphan", 2)
	s.wantRenders("/x", 0)
	s.wantRenders("/img", 1)
}

func TestBuild_missingFollowsLinksOfPublishedPages(t *testing.T) {
	s := newWebsite(t)
	p := s.running()
	p.publish("/", "[/a]")
	p.publish("/a", "[/a/b]")
	r := p.crawl(func(b *Build) { b.Missing = true })
	if s.served("/a/b") == "" || r.Done != 1 {
		t.Errorf("report %+v, want one page", r)
	}
	s.wantRenders("/", 1)
	s.wantRenders("/a", 1)
}

func TestBuild_lastGoodFileOfAPageThatFailsLeadsOn(t *testing.T) {
	s := newWebsite(t)
	p := s.running()
	p.publish("/", "[/a]")
	s.on("/", failing(errors.New("broken template")))
	wantTold(t, p.crawl(), []string{"/"}, nil, nil)
	s.wantRenders("/a", 1)
}

func TestBuild_linkedPageThatSomebodyElseRenders(t *testing.T) {
	s := newWebsite(t)
	p, other := s.running(), s.running()
	s.set("/", "[/x]")
	s.set("/x", "[/x/y]")
	b := s.block(t, "/x")
	other.trigger(ledger.Critical, "/x")
	<-b.started
	done := p.crawling()
	p.await("/", ledger.PageFresh)
	b.release()
	wantTold(t, <-done, nil, nil, nil)
	s.wantRenders("/x/y", 1)
}

func TestBuild_linkedPageThatWasVisitedInVainAMomentAgo(t *testing.T) {
	s := newWebsite(t)
	p := s.running()
	s.set("/", "[/x]")
	s.on("/x", failing(&storage.RefusedError{Gate: "private"}))
	p.crawl()
	done := p.crawling()
	p.await("/", ledger.PageFresh)
	s.rdb.Del(t.Context(), owedKey("/x")) // in the place of 10 s
	wantTold(t, <-done, nil, nil, []string{"/x on /"})
	s.wantRenders("/x", 2)
}

func TestBuild_crawlStopsWhileTheSiteIsHeld(t *testing.T) {
	s := newWebsite(t)
	p := s.running()
	s.set("/a", "[/b]")
	s.set("/", "[/a]")
	s.on("/a", func(_ context.Context, _ int, text string) (string, error) {
		p.hold()
		return text, nil
	})
	_, err := p.Build(t.Context(), Build{Fixed: onePath("/"), Crawl: fakeCrawl{}})
	if held := new(HeldError); !errors.As(err, &held) {
		t.Errorf("got %v, want that publishing is held", err)
	}
	s.wantRenders("/b", 0)
}

func TestBuild_crawlEndsWithTheErrorOfTheLedger(t *testing.T) {
	s := newWebsite(t)
	p := s.running()
	s.set("/", "[/a]")
	s.set("/a", "[/b]")
	s.on("/a", func(_ context.Context, _ int, text string) (string, error) {
		s.redis.Kill()
		return text, nil
	})
	_, err := p.Build(t.Context(), Build{Fixed: onePath("/"), Crawl: fakeCrawl{}})
	s.redis.Restart()
	if !isTemporary(err) {
		t.Errorf("got %v, want that Redis is away", err)
	}
}

func TestBuild_tellsOfAFileWhoseLinksCannotBeRead(t *testing.T) {
	s := newWebsite(t)
	p := s.running()
	s.set("/", "home")
	r := p.crawl(func(b *Build) { b.Crawl = fakeCrawl{errors.New("broken disk")} })
	if len(r.Problems) == 0 || r.Problems[0].Error() != "links of /: broken disk" {
		t.Errorf("problems %v", r.Problems)
	}
}

// fakeList names pages, and may end with an error.
type fakeList struct {
	paths []string
	err   error
}

func (l fakeList) Name() string { return "sitemaps of app" }

func (l fakeList) Each(ctx context.Context, _ func(context.Context) error, batch func(context.Context, []renderer.Match) error) error {
	var matches []renderer.Match
	for _, path := range l.paths {
		matches = append(matches, renderer.Match{Path: mustPath(path), Gates: renderer.Gates{MaxBytes: 1 << 20}})
	}
	if err := batch(ctx, matches); err != nil {
		return err
	}
	return l.err
}

func TestBuild_sitemaps(t *testing.T) {
	s := newWebsite(t)
	p := s.running()
	s.set("/", "[/a] [/c]")
	s.set("/b", "[/d]")
	s.on("/b", failing(&storage.RefusedError{Gate: "private", Reason: "of somebody"}))
	r := p.crawl(func(b *Build) {
		b.Sitemaps = []List{fakeList{[]string{"/", "/a", "/b"}, errors.New("app GET /sitemap.xml: status 503")}}
	})
	if r.Done != 4 || r.Mapped != 2 || r.Linked != 1 {
		t.Errorf("report %+v, want 2 pages of the sitemap alone, and 1 that is linked", r)
	}
	if len(r.Problems) != 1 || r.Problems[0].Error() != "sitemaps of app: app GET /sitemap.xml: status 503" {
		t.Errorf("problems %v", r.Problems)
	}
	if failed, _, _ := told(r); !cmp.Equal(failed, []string{"/b"}) {
		t.Errorf("failed %q, want /b, which the sitemap promises", failed)
	}
}
