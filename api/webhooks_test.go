package api

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	dto "github.com/prometheus/client_model/go"

	"rebake/api/webhook"
	"rebake/storage"
	"rebake/storage/ledger"
	"rebake/worker"
)

const (
	hookSecret = "a-webhook-CANARY-secret-0123456789"
	whsec      = "whsec_Q0FOQVJZLTAxMjM0NTY3ODktMDEyMzQ1Njc4OQ=="
	articleHi  = `{"event":"entry.publish","model":"article","entry":{"documentId":"x1","slug":"hi","updatedAt":"2026-11-22T05:54:33Z"}}`
)

// withWebhooks makes webhooks of these kinds, each by the name of its key.
func withWebhooks(t testing.TB, hooks map[string]webhook.Config) func(*Config) {
	t.Helper()
	for name, h := range hooks {
		if h.Secret == nil {
			h.Secret = storage.Secrets{hookSecret}
			hooks[name] = h
		}
	}
	set, err := webhook.NewSet(hooks)
	if err != nil {
		t.Fatal(err)
	}
	return func(c *Config) { c.Webhooks = set }
}

func newHooked(t testing.TB, hooks map[string]webhook.Config, change ...func(*Config)) *fixture {
	t.Helper()
	return newFixture(t, append([]func(*Config){withWebhooks(t, hooks)}, change...)...)
}

// send sends an event with the secret itself, as senders do that cannot sign.
func (f *fixture) send(name, body string, headers ...string) response {
	f.t.Helper()
	return do(f.t, f.Public(), "POST", "/_rebake/webhooks/"+name, body, append([]string{"Authorization: Bearer " + hookSecret, "Content-Type: application/json"}, headers...)...)
}

// sendWordPress sends an event as our plugin for WordPress does.
func (f *fixture) sendWordPress(name, body string) response {
	f.t.Helper()
	at := strconv.FormatInt(time.Now().Unix(), 10)
	mac := hmac.New(sha256.New, []byte(hookSecret))
	mac.Write([]byte("1." + at + "." + body))
	return do(f.t, f.Public(), "POST", "/_rebake/webhooks/"+name, body, "webhook-id: 1", "webhook-timestamp: "+at, "webhook-signature: v1,"+base64.StdEncoding.EncodeToString(mac.Sum(nil)))
}

// counted checks the metric of a webhook's outcomes.
func (f *fixture) counted(name, outcome string, want float64) {
	f.t.Helper()
	var m dto.Metric
	if err := f.metrics.events.WithLabelValues(name, outcome).Write(&m); err != nil {
		f.t.Fatal(err)
	}
	if got := m.GetCounter().GetValue(); got != want {
		f.t.Errorf("%s of %s counted %v times, want %v", outcome, name, got, want)
	}
}

// asAdmin sends a request to the admin listener.
func (f *fixture) asAdmin(method, target, body string) response {
	f.t.Helper()
	return do(f.t, f.Admin(), method, target, body, "Authorization: Bearer "+adminToken)
}

func TestWebhook_accepted(t *testing.T) {
	f := newHooked(t, map[string]webhook.Config{"strapi": {Kind: "strapi", Rules: []webhook.Rule{
		{When: `body.model == "article"`, Paths: webhook.Texts{"/", "/articles/{body.entry?.slug}", "https://WWW.example.com/z%C3%BC?x=1"}, Tags: webhook.Texts{"latest"}, Prefixes: webhook.Texts{"/by/{body.entry?.slug}"}},
	}}})
	w := f.send("strapi", articleHi, "User-Agent: strapi")
	got := w.object()
	if now := time.UnixMilli(int64(got["now"].(float64))); w.Code != 200 || time.Since(now).Abs() > time.Minute {
		t.Errorf("answer is %d at %v", w.Code, now)
	}
	delete(got, "now")
	if diff := cmp.Diff(map[string]any{"revalidated": true, "id": "41", "pages": 15.0}, got); diff != "" {
		t.Errorf("answer (-want +got):\n%s", diff)
	}
	want := worker.Trigger{
		Paths: []storage.Path{mustPath(t, "/"), mustPath(t, "/articles/hi"), mustPath(t, "/zü")}, Items: []worker.Item{{Tag: "article:x1", Version: "2026-11-22T05:54:33Z"}},
		Labels:   []ledger.Label{ledger.Prefix(mustPath(t, "/by/hi")), ledger.Tag("article"), ledger.Tag("latest")},
		Priority: ledger.Critical, Reason: "webhook strapi by strapi", Recheck: true, RecheckAfter: 5 * time.Second, Settle: time.Second, MaxWait: 10 * time.Second,
	}
	if diff := cmp.Diff([]worker.Trigger{want}, f.site.all(), cmp.Comparer(func(x, y storage.Path) bool { return x == y }), cmpopts.EquateEmpty()); diff != "" {
		t.Errorf("trigger (-want +got):\n%s", diff)
	}
	f.counted("strapi", "accepted", 1)
}

// standardHeaders signs a body as Standard Webhooks has it.
func standardHeaders(id string, at time.Time, body string) []string {
	key, _ := base64.StdEncoding.DecodeString(strings.TrimPrefix(whsec, "whsec_"))
	mac := hmac.New(sha256.New, key)
	stamp := strconv.FormatInt(at.Unix(), 10)
	fmt.Fprintf(mac, "%s.%s.%s", id, stamp, body)
	return []string{"webhook-id: " + id, "webhook-timestamp: " + stamp, "webhook-signature: v1," + base64.StdEncoding.EncodeToString(mac.Sum(nil))}
}

func TestWebhook_H35_H36_H39_refused(t *testing.T) {
	f := newHooked(t, map[string]webhook.Config{
		"std": {Kind: "standard", Secret: storage.Secrets{whsec}}, "strapi": {Kind: "strapi"},
		"own": {Kind: "generic", Verify: &webhook.Verify{Header: "X-Sig", Algorithm: "sha256", Encoding: "hex", Prefix: "v1="}},
	})
	now, body := time.Now(), `{"paths":["/a"]}`
	good := standardHeaders("evt_1", now, body)
	for name, c := range map[string]struct {
		hook, body string
		headers    []string
	}{
		"no header":           {"std", body, nil},
		"another body":        {"std", body + " ", good},
		"too old":             {"std", body, standardHeaders("evt_1", now.Add(-301*time.Second), body)},
		"too early":           {"std", body, standardHeaders("evt_1", now.Add(310*time.Second), body)},
		"no id":               {"std", body, good[1:]},
		"another id":          {"std", body, append([]string{"webhook-id: evt_2"}, good[1:]...)},
		"no time":             {"std", body, []string{good[0], good[2]}},
		"time is no number":   {"std", body, []string{good[0], "webhook-timestamp: NaN", good[2]}},
		"too many signatures": {"std", body, []string{good[0], good[1], "webhook-signature: " + strings.Repeat("v1,bad ", 10_000) + strings.TrimPrefix(good[2], "webhook-signature: ")}},
		"wrong token":         {"strapi", body, []string{"Authorization: Bearer wrong-CANARY"}},
		"no token":            {"strapi", body, []string{"Authorization: Bearer "}},
		"secret of the site":  {"strapi", body, []string{"Authorization: Bearer " + secret}},
		"secret in the query": {"strapi?secret=" + hookSecret, body, nil},
		"signature of no hex": {"own", body, []string{"X-Sig: v1=zz"}},
		"another header":      {"own", body, []string{"X-Sig2: v1=00"}},
	} {
		t.Run(name, func(t *testing.T) {
			w := do(t, f.Public(), "POST", "/_rebake/webhooks/"+c.hook, c.body, c.headers...)
			w.t = t
			w.wants(http.StatusUnauthorized, "unauthorized")
			if got := w.problem(); got.Revalidated || got.Message != "Invalid signature" {
				t.Errorf("answer is %+v", got)
			}
		})
	}
	f.idle()
	f.counted("std", "refused", 9)
	if w := do(t, f.Public(), "POST", "/_rebake/webhooks/std", body, good...); w.Code != 200 {
		t.Errorf("the right one: %d %s", w.Code, w.Body)
	}
}

func TestWebhook_H47_wrongSecretsAreLimited(t *testing.T) {
	synctest.Test(t, func(t *testing.T) { // whoever is slow may be wrong more often
		f := newHooked(t, map[string]webhook.Config{"strapi": {Kind: "strapi"}})
		var last response
		for range failuresAtOnce + 1 {
			last = do(t, f.Public(), "POST", "/_rebake/webhooks/strapi", "{}")
		}
		last.wants(http.StatusTooManyRequests, "too_many_attempts")
		if w := f.send("strapi", articleHi); w.Code != 200 {
			t.Errorf("the right secret: %d %s", w.Code, w.Body)
		}
	})
}

func TestWebhook_H37_duplicate(t *testing.T) {
	f := newHooked(t, map[string]webhook.Config{"std": {Kind: "standard", Secret: storage.Secrets{whsec}}})
	body := `{"paths":["/a"]}`
	headers := standardHeaders("evt_1", time.Now(), body)
	again := func() map[string]any {
		return do(t, f.Public(), "POST", "/_rebake/webhooks/std", body, headers...).object()
	}

	// One that nothing could keep was not received.
	f.site.accept = func(context.Context, worker.Trigger) (worker.Accepted, error) {
		return worker.Accepted{}, &worker.NotSpooledError{Redis: errors.New("away"), Spool: errors.New("full")}
	}
	if got := again(); got["revalidated"] != false || got["error"] != "not_spooled" {
		t.Errorf("answer is %v", got)
	}
	f.counted("std", "lost", 1)
	f.site.accept = nil
	if got := again(); got["pages"] != 1.0 {
		t.Errorf("answer is %v", got)
	}
	got := again()
	if got["revalidated"] != true || got["pages"] != 0.0 || got["message"] != "this event was received before" {
		t.Errorf("answer to the second is %v", got)
	}
	f.counted("std", "duplicate", 1)
	if n := len(f.site.all()); n != 2 {
		t.Errorf("%d triggers, want the lost one and another", n)
	}
}

func TestWebhook_requestsThatAreNone(t *testing.T) {
	f := newHooked(t, map[string]webhook.Config{"strapi": {Kind: "strapi"}, "small": {Kind: "strapi", MaxBody: 10}}, func(c *Config) { c.MaxBody = 1000 })
	f.send("other", articleHi).wants(http.StatusNotFound, "unknown_webhook")
	f.send("strapi", strings.Repeat(" ", 1001)).wants(http.StatusRequestEntityTooLarge, "too_large")
	f.send("small", `{"a": "12345"}`).wants(http.StatusRequestEntityTooLarge, "too_large")
	f.send("strapi", "{").wants(http.StatusBadRequest, "bad_body")
	f.send("strapi", "<xml/>", "Content-Type: text/xml").wants(http.StatusBadRequest, "bad_body")
	f.send("strapi", articleHi, "Content-Encoding: gzip").wants(http.StatusUnsupportedMediaType, "encoding")
	for _, method := range []string{"GET", "HEAD", "PUT", "DELETE", "OPTIONS"} {
		w := do(t, f.Public(), method, "/_rebake/webhooks/strapi", articleHi, "Authorization: Bearer "+hookSecret)
		if w.Code != http.StatusMethodNotAllowed || w.Header().Get("Allow") != "POST" {
			t.Errorf("%s is answered %d", method, w.Code)
		}
	}
	f.idle()
	f.counted("strapi", "unreadable", 4)
}

func TestWebhook_ignored(t *testing.T) {
	f := newHooked(t, map[string]webhook.Config{"strapi": {Kind: "strapi"}, "ruled": {Kind: "strapi", Rules: []webhook.Rule{{When: "false"}}}})
	for name, c := range map[string]struct{ hook, body, want string }{
		"a draft":         {"strapi", `{"event":"entry.update","model":"article","entry":{"documentId":"x","publishedAt":null}}`, "a draft was saved, which no page shows"},
		"no rule matches": {"ruled", articleHi, "no rule matches"},
	} {
		got := f.send(c.hook, c.body).object()
		if got["revalidated"] != true || got["pages"] != 0.0 || got["message"] != c.want {
			t.Errorf("%s: answer is %v", name, got)
		}
	}
	f.idle()
	f.counted("strapi", "ignored", 1)
	f.counted("ruled", "ignored", 1)
}

// What names no page here is left out, and the rest counts.
func TestWebhook_leavesOutWhatIsNoPage(t *testing.T) {
	f := newHooked(t, map[string]webhook.Config{"g": {Kind: "generic"}})
	got := f.send("g", `{"paths":["/a","https://elsewhere.example/b","/../c","/api/x"],"tags":["t","`+strings.Repeat("x", 300)+`"]}`).object()
	f.triggered("/a")
	f.labelled("tag:t")
	for _, want := range []string{"elsewhere.example/b\" is no page of this site", "dot_segment", "reserved"} {
		if !strings.Contains(got["message"].(string), want) {
			t.Errorf("message is %q, want %q", got["message"], want)
		}
	}
}

func TestWebhook_manyPathsAreSeveralTriggers(t *testing.T) {
	for name, c := range map[string]struct{ paths, triggers, taken int }{
		"as many as one may name":   {5, 1, 5},
		"more":                      {12, 3, 12},
		"more than an event may be": {60, 11, 50}, // the last is the whole site
	} {
		t.Run(name, func(t *testing.T) {
			f := newHooked(t, map[string]webhook.Config{"g": {Kind: "generic"}}, func(c *Config) { c.MaxPaths = 5 })
			var paths []string
			for i := range c.paths {
				paths = append(paths, fmt.Sprintf(`"/p/%d"`, i))
			}
			got := f.send("g", `{"paths":[`+strings.Join(paths, ",")+`]}`).object()
			all, taken := f.site.all(), 0
			for _, tr := range all {
				taken += len(tr.Paths)
			}
			if len(all) != c.triggers || taken != c.taken || got["revalidated"] != true {
				t.Errorf("%d triggers of %d paths, answered %v", len(all), taken, got)
			}
			if c.taken < c.paths && (all[len(all)-1].Labels[0] != ledger.Site || all[len(all)-1].Priority != ledger.Low || !strings.Contains(got["message"].(string), "the last 10 are left out")) {
				t.Errorf("the rest is left to %+v, answered %v", all[len(all)-1], got)
			}
			if len(f.state.parked) != 0 {
				t.Errorf("%d events are parked, and nothing is wrong with them", len(f.state.parked))
			}
		})
	}
}

// Tags cost less than pages, and an event may name more of them.
func TestWebhook_manyTags(t *testing.T) {
	for name, c := range map[string]struct {
		tags, labels int
		all          bool
	}{
		"more than pages may be":    {100, 100, false},
		"more than an event may be": {251, 1, true},
	} {
		t.Run(name, func(t *testing.T) {
			f := newHooked(t, map[string]webhook.Config{"g": {Kind: "generic"}}, func(c *Config) { c.MaxPaths = 5 })
			var tags []string
			for i := range c.tags {
				tags = append(tags, fmt.Sprintf(`"t%d"`, i))
			}
			got := f.send("g", `{"path":"/a","tags":[`+strings.Join(tags, ",")+`]}`).object()
			labels, paths := 0, 0
			for _, tr := range f.site.all() {
				labels, paths = labels+len(tr.Labels), paths+len(tr.Paths)
			}
			if labels != c.labels || paths != 1 || len(f.state.parked) != 0 {
				t.Errorf("%d labels and %d pages, %d events parked; answered %v", labels, paths, len(f.state.parked), got)
			}
			if told := strings.Contains(fmt.Sprint(got["message"]), "251 tags"); told != c.all {
				t.Errorf("message is %q", got["message"])
			}
		})
	}
}

// Many posts that move at once are still about these posts, and not about the
// whole site.
func TestWebhook_aBulkEditOfWordPress(t *testing.T) {
	f := newHooked(t, map[string]webhook.Config{"wp": {Kind: "wordpress"}}, func(c *Config) { c.MaxPaths = 100 })
	var events []string
	for i := range 100 {
		day := fmt.Sprintf("https://www.example.com/2026/%02d/%02d/", i%12+1, i%28+1)
		events = append(events, fmt.Sprintf(`{"type":"post","id":%d,"post_type":"post","rest_base":"posts","links":["%[2]sp%[1]d/"],"old_links":["%[2]sold%[1]d/"],`+
			`"archives":["https://www.example.com/","%[2]s","https://www.example.com/tag/t%[3]d/"],"terms":["category:4","post_tag:%[4]d"],"author":1,"listed":true}`, i+1, day, i%50, i%50+1))
	}
	w := f.sendWordPress("wp", `{"source":"wordpress","version":1,"home":"https://www.example.com","events":[`+strings.Join(events, ",")+`]}`)
	if w.Code != http.StatusOK {
		t.Fatalf("answer is %d %s", w.Code, w.Body)
	}
	pages, items := 0, 0
	for _, tr := range f.site.all() {
		pages, items = pages+len(tr.Paths), items+len(tr.Items)
		if slices.Contains(tr.Labels, ledger.Site) {
			t.Error("the whole site is rendered")
		}
	}
	if pages != 100 || items != 100 || len(f.state.parked) != 0 {
		t.Errorf("%d pages, %d items; %d events parked", pages, items, len(f.state.parked))
	}
}

// An event that rules had no time for is its sender's to send again: nothing is
// wrong with it that a person could mend.
func TestWebhook_busy(t *testing.T) {
	f := newHooked(t, map[string]webhook.Config{"g": {Kind: "generic"}})
	hook, _ := f.cfg.Webhooks.Hook("g")
	_, _, err := f.settle(newRequest("POST", "/_rebake/webhooks/g", ""), hook, webhook.Event{}, webhook.Reading{Busy: true, Failed: []webhook.Failure{{Message: "no turn"}}})
	if !errors.Is(err, errBusyWebhook) || len(f.state.parked) != 0 {
		t.Errorf("settled with %v, %d events parked", err, len(f.state.parked))
	}
	f.idle()
}

func TestWebhook_spooled(t *testing.T) {
	f := newHooked(t, map[string]webhook.Config{"strapi": {Kind: "strapi", Rules: []webhook.Rule{{Paths: webhook.Texts{"/a"}}}}})
	f.redisAway()
	got := f.send("strapi", articleHi).object()
	if got["revalidated"] != true || got["id"] != "spool-1" || got["message"] != awayReason+"; the trigger is kept until it takes it" {
		t.Errorf("answer is %v", got)
	}
	f.counted("strapi", "accepted", 1)
}

// The log and the sender are told of the same number of pages, whether they were
// named or are found by a tag, and in however many triggers.
func TestWebhook_pagesOfTheLogAreThoseOfTheAnswer(t *testing.T) {
	f := newHooked(t, map[string]webhook.Config{"strapi": {Kind: "strapi", Rules: []webhook.Rule{{Paths: webhook.Texts{"{map(1..150, '/p/' + string(#))}"}, Tags: webhook.Texts{"news"}}}}})
	got := f.send("strapi", articleHi).object()
	var logged []string
	for line := range strings.Lines(f.logs.String()) {
		if strings.Contains(line, "trigger accepted") {
			logged = append(logged, line)
		}
	}
	if want := fmt.Sprintf(`"pages":%v,`, got["pages"]); len(logged) != 1 || !strings.Contains(logged[0], want) || got["pages"].(float64) <= 150 {
		t.Errorf("answer is %v, the log says %s", got, logged)
	}
}

// A map in an entry is no reason to refuse it. Only a rule that looks at it
// comes to nothing, and then the event is kept.
func TestWebhook_longList(t *testing.T) {
	place := strings.Replace(articleHi, "{", `{"area":[`+strings.Repeat("1,", 12_000)+`1],"far":1e999,`, 1)
	for outcome, rules := range map[string][]webhook.Rule{
		"accepted": nil,
		"parked":   {{When: "any(body.area, # == 2)"}},
	} {
		t.Run(outcome, func(t *testing.T) {
			f := newHooked(t, map[string]webhook.Config{"strapi": {Kind: "strapi", Rules: rules}})
			if w := f.send("strapi", place); w.Code != 200 {
				t.Errorf("answer is %d %s", w.Code, w.Body)
			}
			f.counted("strapi", outcome, 1)
		})
	}
}

// A question of our plugin for WordPress is answered, and triggers nothing.
func TestWebhook_question(t *testing.T) {
	f := newHooked(t, map[string]webhook.Config{"wp": {Kind: "wordpress"}})
	changed := time.Date(2026, 11, 23, 10, 0, 0, 0, time.UTC)
	f.state.states = map[string]ledger.State{
		"/a": {Path: mustPath(t, "/a"), Freshness: ledger.PageRetrying, Page: &ledger.PageState{At: changed, Changed: changed}, Owed: &ledger.OwedState{Error: "status 503"}},
	}
	body := `{"source":"wordpress","version":1,"ask":["https://www.example.com/a/","https://elsewhere.example/b"]}`
	w := f.sendWordPress("wp", body)
	var got struct{ Pages []AskedPage }
	w.decode(&got)
	want := []AskedPage{
		{URL: "https://www.example.com/a/", Path: "/a", Freshness: "retrying", At: changed, Changed: changed, Reason: "status 503"},
		{URL: "https://elsewhere.example/b", Freshness: "unknown"},
	}
	if diff := cmp.Diff(want, got.Pages, cmp.FilterPath(func(p cmp.Path) bool { return p.Last().String() == ".Reason" }, cmp.Comparer(func(x, y string) bool { return x == y || x == "" || y == "" }))); diff != "" {
		t.Errorf("answer (-want +got):\n%s", diff)
	}
	f.idle()
	f.counted("wp", "asked", 1)
}

// All that a WordPress of another host says would be left out, so its test is
// told.
func TestWebhook_testOfAWordPress(t *testing.T) {
	for home, want := range map[string]string{
		"https://www.example.com/": "", "http://cms.example.com:8080": "", "": "",
		"https://blog.example.org/": `WordPress calls itself "https://blog.example.org/", which is no host of this site (known: cms.example.com:8080, www.example.com)`,
		"blog.example.org":          `WordPress calls itself "blog.example.org", which is no host`,
	} {
		f := newHooked(t, map[string]webhook.Config{"wp": {Kind: "wordpress"}})
		w := f.sendWordPress("wp", `{"source":"wordpress","version":1,"home":"`+home+`","events":[{"type":"test"}]}`)
		var got revalidated
		w.decode(&got)
		if !got.Revalidated || got.Message != "the test has come through" || !strings.HasPrefix(got.Problem, want) || (got.Problem == "") != (want == "") {
			t.Errorf("home %q: got %+v, want the problem %q", home, got, want)
		}
		f.idle()
	}
}

func TestSetWebhooks(t *testing.T) {
	f := newHooked(t, map[string]webhook.Config{"strapi": {Kind: "strapi"}})
	const next = "the-next-CANARY-secret-0123456789"
	if err := f.SetWebhooks(map[string]webhook.Config{"strapi": {Kind: "strapi", Secret: storage.Secrets{next}}}); err != nil {
		t.Fatal(err)
	}
	f.send("strapi", articleHi).wants(http.StatusUnauthorized, "unauthorized")
	if w := f.send("strapi", articleHi, "Authorization: Bearer "+next); w.Code != 401 { // two of a header are none
		t.Logf("two tokens: %d", w.Code)
	}
	w := do(t, f.Public(), "POST", "/_rebake/webhooks/strapi", articleHi, "Authorization: Bearer "+next)
	if w.Code != 200 {
		t.Errorf("the next secret: %d %s", w.Code, w.Body)
	}
}

func TestWebhook_countsWhenItsSenderHasGone(t *testing.T) {
	f := newHooked(t, map[string]webhook.Config{"strapi": {Kind: "strapi"}})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	r := newRequest("POST", "/_rebake/webhooks/strapi", articleHi, "Authorization: Bearer "+hookSecret)
	if w := serve(t, f.Public(), r.WithContext(ctx)); w.Code != 200 || len(f.site.all()) != 1 || len(f.state.parked) != 0 {
		t.Errorf("answer is %d %s; %d triggers, %d parked", w.Code, w.Body, len(f.site.all()), len(f.state.parked))
	}
}

// GitHub sends a form where it is asked to, and signs the form.
func TestWebhook_form(t *testing.T) {
	f := newHooked(t, map[string]webhook.Config{"gh": {Kind: "github", Rules: []webhook.Rule{
		{When: `header["x-github-event"] == "push" && body.ref == "refs/heads/main"`, Paths: webhook.Texts{`{uniq(map(filter(flatten(map(body.commits, concat(.added, .modified, .removed))), # startsWith "content/"), "/" + trimSuffix(trimPrefix(#, "content/"), ".md")))}`}},
	}}})
	body := "payload=%7B%22ref%22%3A%22refs%2Fheads%2Fmain%22%2C%22commits%22%3A%5B%7B%22added%22%3A%5B%22content%2Fa.md%22%5D%2C%22modified%22%3A%5B%22x%22%5D%2C%22removed%22%3A%5B%5D%7D%5D%7D"
	mac := hmac.New(sha256.New, []byte(hookSecret))
	mac.Write([]byte(body))
	w := do(t, f.Public(), "POST", "/_rebake/webhooks/gh", body, "Content-Type: application/x-www-form-urlencoded", "X-GitHub-Event: push", "X-GitHub-Delivery: 1",
		"X-Hub-Signature-256: sha256="+hex.EncodeToString(mac.Sum(nil)))
	if w.Code != 200 {
		t.Fatalf("answer is %d %s", w.Code, w.Body)
	}
	f.triggered("/a")
}
