package api

import (
	"context"
	"net/url"
	"strings"
	"testing"
	"time"

	"rebake/storage/ledger"
	"rebake/worker"
)

func (f *fixture) explain(path string) response {
	f.t.Helper()
	return do(f.t, f.Admin(), "GET", "/v1/explain?path="+url.QueryEscape(path), "", admin)
}

func TestExplain_fileOfThePagesType(t *testing.T) {
	for mediaType, want := range map[string]string{
		"application/rss+xml": "feed/index.xml", "text/html; charset=utf-8": "feed/index.html", "": "feed/index.html", "image/png": "feed/index.html",
	} {
		f := newFixture(t)
		f.state.states = map[string]ledger.State{"/feed": {Freshness: ledger.PageFresh, Page: &ledger.PageState{Type: mediaType}}}
		if got := f.explain("/feed").object()["file"]; got != want {
			t.Errorf("a page of type %q has the file %v, want %s", mediaType, got, want)
		}
	}
}

func TestExplain_takesURLsOfTheSite(t *testing.T) {
	for given, want := range map[string]string{
		"https://www.example.com/about/": "/about", "http://cms.example.com:8080/caf%C3%A9": "/café", "https://www.example.com": "/",
	} {
		f := newFixture(t)
		if got := f.explain(given).object()["path"]; got != want {
			t.Errorf("%s is the page %v, want %s", given, got, want)
		}
	}
}

func TestPageNamed_refusesAddressesThatAreNoPage(t *testing.T) {
	for _, c := range []struct{ name, given, code, want string }{
		{"of another site", "https://other.example/about", "other_host", "other.example is no host of this site (known: cms.example.com:8080, www.example.com); name the page by its path, such as /about"},
		{"with a query", "/about?preview=1", "query", "a page has no query; name /about. With a query, nginx asks the route's origin"},
		{"of the site with a query", "https://www.example.com?p=1", "query", "a page has no query; name /."},
	} {
		for where, ask := range map[string]func(*fixture) response{
			"explain": func(f *fixture) response { return f.explain(c.given) },
			"now": func(f *fixture) response {
				return do(f.t, f.Admin(), "POST", "/v1/triggers", `{"paths":["`+c.given+`"]}`, admin)
			},
			"remove": func(f *fixture) response {
				return do(f.t, f.Admin(), "POST", "/v1/remove", `{"path":"`+c.given+`"}`, admin)
			},
		} {
			t.Run(where+" "+c.name, func(t *testing.T) {
				f := newFixture(t)
				w := ask(f)
				w.wants(400, c.code)
				if got := w.problem().Message; !strings.Contains(got, c.want) {
					t.Errorf("message is %q, want %q in it", got, c.want)
				}
				if log := f.logs.String(); strings.Contains(log, `"level":"WARN"`) {
					t.Errorf("a person's typo is a warning:\n%s", log)
				}
				f.idle()
			})
		}
	}
}

func TestExplain_aPathThatItsOriginKeeps(t *testing.T) {
	f := newFixture(t)
	if got := f.explain("/nowhere/wp-admin").object(); got["passed"] != "wp" || got["unmatched"] != true {
		t.Errorf("answer is %v, want it unmatched, and passed by wp", got)
	}
	if got := f.explain("/blog").object(); got["passed"] != nil {
		t.Errorf("a path that a route has is passed by %v", got["passed"])
	}
}

func TestCreateTrigger_namesTheOriginThatKeepsAPath(t *testing.T) {
	f := newFixture(t)
	f.site.accept = func(_ context.Context, tr worker.Trigger) (worker.Accepted, error) {
		return worker.Accepted{Unmatched: tr.Paths}, nil
	}
	var got TriggerResult
	f.createTrigger(`{"paths":["/wp-admin"]}`).decode(&got)
	if want := `the origin "wp" always answers this path itself`; got.Pages[0].Result != "unmatched" || got.Pages[0].Reason != want {
		t.Errorf("result is %+v, want unmatched: %s", got.Pages[0], want)
	}
}

func TestCreateTrigger_tellsAPageThatIsTriedAgain(t *testing.T) {
	f := newFixture(t)
	f.site.wait = func(context.Context, worker.AcceptedPage) error { return worker.ErrNotPublished }
	due := time.UnixMilli(1_790_000_000_000).UTC()
	f.state.states = map[string]ledger.State{"/a": {Freshness: ledger.PageRetrying, Owed: &ledger.OwedState{Error: "status 503", Due: due}}}
	var got TriggerResult
	f.createTrigger(`{"paths":["/a","/b"],"wait":"5s"}`).decode(&got)
	if p := got.Pages[0]; p.Result != "retrying" || p.Reason != "status 503" || !p.Next.Equal(due) {
		t.Errorf("a page that is tried again is %+v", p)
	}
	if p := got.Pages[1]; p.Result != "failed" || !p.Next.IsZero() {
		t.Errorf("a page that is not is %+v", p)
	}
}
