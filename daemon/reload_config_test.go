package daemon

import (
	"bytes"
	"log/slog"
	"net/http"
	"strings"
	"syscall"
	"testing"
)

// with reports whether a secret opens /api/revalidate.
func (s *testSite) with(secret string) bool {
	s.t.Helper()
	res, err := http.Get("http://" + s.listen + "/api/revalidate?path=/p/a&recheck=0&secret=" + secret)
	if err != nil {
		s.t.Fatal(err)
	}
	_ = res.Body.Close()
	return res.StatusCode == http.StatusOK
}

// rewrite changes the config, tells the process, and waits for what it says.
func (s *testSite) rewrite(p *rebake, old, text, says string) {
	s.t.Helper()
	before := strings.Count(p.log.String(), says)
	s.write("rebake.yaml", strings.Replace(read(s.t, s, "rebake.yaml"), old, text, 1))
	if err := p.cmd.Process.Signal(syscall.SIGHUP); err != nil {
		s.t.Fatal(err)
	}
	s.await("the log says "+says, patience, func() bool { return strings.Count(p.log.String(), says) > before })
}

func TestServe_H38_secretsAreRotatedWithoutARestart(t *testing.T) {
	t.Parallel()
	const next = "the-next-secret-that-nobody-would-guess"
	s := newTestSite(t, "redis: memory")
	p := s.start()
	for _, step := range []struct {
		old, text   string
		first, next bool
	}{
		{testSecret, "[" + testSecret + ", " + next + "]", true, true},
		{"[" + testSecret + ", " + next + "]", next, false, true},
	} {
		s.rewrite(p, "secret: "+step.old, "secret: "+step.text, "secrets loaded")
		if first, second := s.with(testSecret), s.with(next); first != step.first || second != step.next {
			t.Errorf("secret: %s: the first opens: %v, the next one: %v", step.text, first, second)
		}
	}
}

func TestServe_H123_configThatCannotBeUsedChangesNothing(t *testing.T) {
	t.Parallel()
	s := newTestSite(t, "redis: memory")
	p := s.start()
	good := read(t, s, "rebake.yaml")
	for _, text := range []string{"secret: changeme", "secret: [a", "secert: " + testSecret} {
		s.rewrite(p, "secret: "+testSecret, text, "config not loaded, the old one stays")
		if !s.with(testSecret) {
			t.Errorf("%s: the old secret does not open any more", text)
		}
		s.write("rebake.yaml", good)
	}
}

// Whoever mends a rule tries it at once, and sends the event again.
func TestServe_rulesOfWebhooksAreLoadedWithoutARestart(t *testing.T) {
	t.Parallel()
	s := newTestSite(t, someHooks)
	p := s.start()
	const event = `{"event":"entry.publish","model":"news","entry":{"documentId":"x","slug":"a"}}`
	s.source.edit("a")
	if _, answer := s.event(hookSecret, event); strings.Contains(answer, `"pages":1`) {
		t.Fatalf("answer is %s before there is a rule", answer)
	}
	s.rewrite(p, `body.model == "post"`, `body.model in ["post", "news"]`, `"webhook loaded" webhook=strapi`)
	if status, answer := s.event(hookSecret, event); status != http.StatusOK || !strings.Contains(answer, `"pages":1`) {
		t.Errorf("answer is %d %s", status, answer)
	}
	s.await("the page is public", patience, func() bool { return s.shows("a") })
	if strings.Contains(p.log.String(), "wait for a restart") {
		t.Errorf("the log says\n%s", p.log)
	}
	s.rewrite(p, "  strapi:", "  articles:", `"webhook taken away" webhook=strapi`)
	if status, answer := s.event(hookSecret, event); status != http.StatusNotFound {
		t.Errorf("answer is %d %s", status, answer)
	}
}

func TestServe_H123_changedOutputWaitsForARestart(t *testing.T) {
	t.Parallel()
	s := newTestSite(t, "redis: memory")
	p := s.start()
	s.rewrite(p, "output: ./public", "output: ./elsewhere", "wait for a restart\" keys=output")
	s.source.edit("a")
	s.mustTrigger("/p/a")
	s.await("the page is public where it was", patience, func() bool { return s.shows("a") })
}

func TestReloader_saysThatTemplatesAreLoadedWhereThereAreSome(t *testing.T) {
	t.Parallel()
	templates := newTestSite(t, "")
	snapshots := newTestSite(t, "")
	snapshots.write("rebake.yaml", "site: https://www.example.com\noutput: ./public\nsecret: "+testSecret+
		"\norigins:\n  app: {urls: [http://127.0.0.1:1]}\nroutes:\n  - {path: /a, origin: app}\n")
	for s, want := range map[*testSite]bool{templates: true, snapshots: false} {
		a := memoryApp(t, s)
		var log bytes.Buffer
		a.log = slog.New(slog.NewTextHandler(&log, nil))
		newReloader(a, a.logLoaded).load()
		if got := strings.Contains(log.String(), "templates loaded"); got != want || strings.Contains(log.String(), "ERROR") {
			t.Errorf("said %v, want %v:\n%s", got, want, &log)
		}
	}
}
