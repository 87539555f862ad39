package api

import (
	"context"
	"errors"
	"log/slog"
	"testing"

	"rebake/storage/ledger"
	"rebake/worker"
)

// resolvingRoutes are those of a renderer that may know a CMS.
type resolvingRoutes struct {
	fakeRoutes
	resolves bool
}

func (r resolvingRoutes) Resolves() bool { return r.resolves }

// newResolving is a fixture of a site with a CMS that can be asked. Of the pages
// /post is about a post, /list shows some, /both is about two, and /gone was
// about one.
func newResolving(t *testing.T, resolves bool) *fixture {
	t.Helper()
	f := newFixture(t)
	f.state.states = map[string]ledger.State{}
	for path, page := range map[string]ledger.PageState{
		"/post": {Tags: []string{"post:42", "self:post:42"}}, "/list": {Tags: []string{"post:42", "list:cms/posts"}},
		"/both": {Tags: []string{"self:page:7", "self:post:42"}}, "/gone": {Gone: true, Tags: []string{"self:post:43"}},
		"/forgotten": {Gone: true},
	} {
		f.state.states[path] = ledger.State{Path: mustPath(t, path), Page: &page}
	}
	f.API = New(testConfig(), f.site, resolvingRoutes{fakeRoutes{"/"}, resolves}, f.state, slog.New(slog.NewJSONHandler(f.logs, nil)))
	return f
}

// ofWordPress is what every request says that WordPress sends.
const ofWordPress = "User-Agent: WordPress/6.1.9; https://cms.example.com"

func TestRevalidate_ofAPathIsAboutItsItemToo(t *testing.T) {
	for _, tt := range []struct {
		name, query string
		items       []string
	}{
		{"page that is about an item", "path=/post", []string{"post:42"}},
		{"page that lists items", "path=/list", nil},
		{"page that is about two", "path=/both", nil},
		{"page that is gone", "path=/gone", []string{"post:43"}},
		{"page that is gone, and of which nothing is known", "path=/forgotten", []string{"path:/forgotten"}},
		{"page that never was", "path=/2026/11/new", []string{"path:/2026/11/new"}},
		{"several pages", "path=/post&path=/gone&path=/post", []string{"post:42", "post:43"}},
		{"slug", "slug=post", []string{"post:42"}},
		{"page beside its item", "path=/new&postId=41", []string{"post:41"}},
		{"tag", "tag=x", nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			f := newResolving(t, true)
			f.revalidate("POST", tt.query, "", ofWordPress).wants(200, "")
			f.itemized(tt.items...)
		})
	}
	t.Run("not where no CMS can be asked", func(t *testing.T) {
		f := newResolving(t, false)
		f.revalidate("POST", "path=/post&path=/new", "", ofWordPress)
		f.itemized()
	})
	t.Run("not when somebody else asks, who means what he says", func(t *testing.T) {
		f := newResolving(t, true)
		f.revalidate("POST", "path=/post&path=/new", "", "User-Agent: curl/8.0")
		f.itemized()
		f.triggered("/post", "/new")
	})
	t.Run("not when the ledger does not answer", func(t *testing.T) {
		f := newResolving(t, true)
		f.state.err = errors.New("connection refused")
		f.revalidate("POST", "path=/post&path=/new", "", ofWordPress).wants(200, "")
		f.itemized()
		f.triggered("/post", "/new")
	})
}

// Nobody waits for what an address may be about: it may be nothing.
func TestRevalidate_waitsForItemsThatWereNamed(t *testing.T) {
	for query, want := range map[string]int{"path=/new&wait=1": 0, "path=/post&wait=1": 1, "postId=42&wait=1": 1} {
		t.Run(query, func(t *testing.T) {
			f := newResolving(t, true)
			waits := 0
			f.site.waitLabel = func(context.Context, worker.AcceptedLabel) error { waits++; return nil }
			f.revalidate("POST", query, "", ofWordPress).wants(200, "")
			if waits != want {
				t.Errorf("waited for %d labels, want %d", waits, want)
			}
		})
	}
}

func TestRevalidate_saysWhatBecomesOfAnItemThatNoPageShows(t *testing.T) {
	f := newResolving(t, true)
	f.site.accept = func(context.Context, worker.Trigger) (worker.Accepted, error) {
		return worker.Accepted{Labels: []worker.AcceptedLabel{{Label: ledger.Item("post:42"), ID: 3}}}, nil
	}
	w := f.revalidate("POST", "postId=42", "")
	if got := w.object(); got["pages"] != 0.0 || got["message"] != "no page shows it yet, so the CMS is asked where it belongs" {
		t.Errorf("answer is %s", w.Body)
	}
}

func TestRevalidate_refusesAnItemThatIsNone(t *testing.T) {
	newFixture(t).revalidate("POST", "", `{"contentType":"a\u0000b","contentId":1}`).wants(400, "bad_tag")
}
