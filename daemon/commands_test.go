package daemon

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/url"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"rebake/api"
	"rebake/storage/ledger"
)

// said is what a command line printed, and its exit code.
type said struct {
	out, err string
	code     int
}

// run runs a command of the site in this process, as a user would.
func (s *testSite) run(args ...string) said {
	s.t.Helper()
	var out, err bytes.Buffer
	code := Main(s.t.Context(), append(args, "--config", filepath.Join(s.dir, "rebake.yaml")), &out, &err, nil)
	return said{out.String(), err.String(), code}
}

// runTaken is run, once more when Redis was too slow for the trigger and it went
// to the spool, as happens on a busy machine. Where that is wanted, once.
func (s *testSite) runTaken(args, texts []string) (got said) {
	s.t.Helper()
	const spooled = "spooled: redis does not answer"
	wanted := strings.Contains(strings.Join(texts, " "), "spooled")
	s.await("redis takes the trigger", patience, func() bool {
		got = s.run(args...)
		return wanted || !strings.Contains(got.out, spooled)
	})
	return got
}

// mustRun wants the exit code 0 and all texts in the output.
func (s *testSite) mustRun(args []string, texts ...string) {
	s.t.Helper()
	got := s.runTaken(args, texts)
	if got.code != exitOK {
		s.t.Fatalf("rebake %v: exit code %d\n%s%s", args, got.code, got.out, got.err)
	}
	s.wantText(args, got.out, texts)
}

// mustFail wants an exit code and all texts, wherever they are printed.
func (s *testSite) mustFail(code int, args []string, texts ...string) {
	s.t.Helper()
	got := s.runTaken(args, texts)
	if got.code != code {
		s.t.Errorf("rebake %v: exit code %d, want %d\n%s%s", args, got.code, code, got.out, got.err)
	}
	s.wantText(args, got.out+got.err, texts)
}

func (s *testSite) wantText(args []string, got string, texts []string) {
	s.t.Helper()
	for _, text := range texts {
		if !strings.Contains(got, text) {
			s.t.Errorf("rebake %v does not say %q:\n%s", args, text, got)
		}
	}
}

// words splits a command line without quotes.
func words(line string) []string { return strings.Fields(line) }

// awaitPublished triggers pages for the first time, and waits until they are
// public: by then Redis takes triggers, however busy the machine is.
func (s *testSite) awaitPublished(slugs ...string) {
	s.t.Helper()
	for _, slug := range slugs {
		if status, text := s.trigger(url.Values{"path": {"/p/" + slug}, "recheck": {"0"}}); status != http.StatusOK {
			s.t.Fatalf("trigger /p/%s: %d %s", slug, status, text)
		}
		s.await("/p/"+slug+" is public", patience, func() bool { return s.shows(slug) })
	}
}

// servedSite runs rebake over a site with the pages /p/a, /p/b and /p/c. The
// template has an error for /p/broken.
func servedSite(t *testing.T) *testSite {
	t.Helper()
	t.Parallel()
	needRedis(t)
	s := newTestSite(t, "")
	s.write("templates/post.html", `<html>{{.post.slug}} version {{.post.version}}<br>{{if eq .post.slug "broken"}}{{.post.nothing}}{{end}}</html>`)
	s.start()
	for _, slug := range []string{"a", "b", "c"} {
		s.source.edit(slug)
	}
	s.awaitPublished("a", "b", "c")
	s.mustRun(words("now /p/a /p/b /p/c"), "/p/a  done", "3 pages in")
	return s
}

func TestNow(t *testing.T) {
	t.Run("says what it would touch, and touches nothing", func(t *testing.T) {
		s := servedSite(t)
		s.source.edit("a")
		s.mustRun(words("now /p/[ab]* /p/a --dry-run"), "/p/a  is named", "1 page would be rendered, at default priority")
		s.mustRun(words("now /p/* --tag post:b --dry-run"), "has tag post:b", "matches /p/*", "3 pages")
		s.mustRun(words("now --all --dry-run"), "all pages", "at low priority")
		if s.shows("a") {
			t.Error("the page was rendered")
		}
	})

	t.Run("waits for pages by pattern, by tag and for all", func(t *testing.T) {
		s := servedSite(t)
		for _, line := range []string{"now /**", "now /p/*", "now --tag post:a", "now --all"} {
			s.source.edit("a")
			s.mustRun(words(line), "page", " in ")
			if !s.shows("a") {
				t.Errorf("after rebake %s the page is %s", line, s.file("a"))
			}
		}
	})

	t.Run("tries what has failed again, and says what fails still", func(t *testing.T) {
		s := servedSite(t)
		s.mustRun(words("now --failed"), "no page has failed")
		s.source.edit("broken")
		s.mustFail(exitFailed, words("now /p/broken"), "1 of 1 not done", "explain")
		s.mustFail(exitFailed, words("now --failed"), "/p/broken  failed", "1 of 1 page not published")
		s.mustRun(words("now --failed --dry-run"), "/p/broken  failed: template")
		s.mustRun(words("pages --state failed"), "/p/broken")
	})

	t.Run("says that a page whose source is down is tried again", func(t *testing.T) {
		s := servedSite(t)
		s.source.down.Store(true)
		s.mustFail(exitFailed, words("now /p/a"), "/p/a  not yet: ", "tried again", "1 of 1 not done")
	})

	t.Run("says what cannot be", func(t *testing.T) {
		s := servedSite(t)
		s.mustFail(exitFailed, words("now /p/unknown/page"), "no route matches")
		s.mustFail(exitFailed, words("now /p/*x"), "no known page matches")
		s.mustFail(exitUsage, words("now"), "say which pages")
		s.mustFail(exitFailed, words("now /../x"), "rebake:")
	})

	t.Run("returns at once with --no-wait", func(t *testing.T) {
		s := servedSite(t)
		held, release := s.source.holdNext("a")
		defer release()
		got := s.run(words("now --tag post:a --no-wait --json")...)
		var res api.TriggerResult
		if err := json.Unmarshal([]byte(got.out), &res); err != nil || got.code != exitOK || len(res.Labels) != 1 || res.ID == "" {
			t.Errorf("exit code %d, answer %s%s, %v", got.code, got.out, got.err, err)
		}
		<-held
	})
}

func TestHold(t *testing.T) {
	s := servedSite(t)
	s.mustFail(exitUsage, words("hold"), "say why")
	s.mustRun([]string{"hold", "the CMS is being moved"}, "publishing is held: the CMS is being moved")
	before := s.file("a")
	s.source.edit("a")
	s.mustFail(exitFailed, words("now /p/a"), "accepted, and kept", "the CMS is being moved", "rebake resume")
	s.mustRun(words("explain /p/a"), "stale", "held", "the CMS is being moved")
	if got := s.file("a"); got != before {
		t.Errorf("the page became %s while publishing was held", got)
	}
	s.mustRun(words("resume"), "publishing goes on", "the CMS is being moved")
	s.await("the page is fresh", patience, func() bool { return s.shows("a") })
	s.mustRun(words("resume"), "was not held")
	s.mustRun(words("status"), "publishing on", "pages", "queue")
}

func TestRemove(t *testing.T) {
	s := servedSite(t)
	s.mustRun(words("remove /p/a --keep-gone --reason takedown"), "/p/a is removed", "`rebake now /p/a` brings it back")
	s.mustTrigger("/p/a")
	s.mustRun(words("now /p/*"), "3 pages in")
	if got := s.file("a"); got != "" {
		t.Errorf("the page is %q, and was to stay away", got)
	}
	s.mustRun(words("explain /p/a"), "gone", "kept gone", "takedown")
	if status, _, _ := s.visit("/p/a"); status != http.StatusGone {
		t.Errorf("a visitor gets %d, want 410", status)
	}
	s.mustRun(words("now /p/a"), "done")
	if !s.shows("a") {
		t.Error("the page did not come back when it was named")
	}
	s.mustFail(exitFailed, words("remove /p/unknown"), "no page that is known")
}

func TestPages(t *testing.T) {
	s := servedSite(t)
	s.mustRun(words("remove /p/b"))
	s.mustRun(words("pages --state gone"), "/p/b")
	s.mustRun(words("pages --tag post:c"), "fresh", "/p/c")
	s.mustRun(words("pages --prefix /nothing"))
	s.mustFail(exitFailed, words("pages --state new"), "use fresh, stale, retrying, failed, gone or lagging")
	var got []string
	for line := range strings.Lines(s.run("pages", "--json").out) {
		var p api.PageRow
		if err := json.Unmarshal([]byte(line), &p); err != nil {
			t.Fatalf("%q: %v", line, err)
		}
		got = append(got, p.Path+" "+string(p.Freshness))
	}
	if want := []string{"/p/a fresh", "/p/b gone", "/p/c fresh"}; !slices.Equal(got, want) {
		t.Errorf("pages are %v, want %v", got, want)
	}
}

func TestStatus_isJSONForPrograms(t *testing.T) {
	s := servedSite(t)
	var got api.Status
	if err := json.Unmarshal([]byte(s.run("status", "--json").out), &got); err != nil {
		t.Fatal(err)
	}
	if got.Redis != "ok" || got.Pages != 3 || got.Failed != 0 || len(got.Queues) != 3 || got.Queues[0].Priority != ledger.Critical {
		t.Errorf("status is %+v", got)
	}
}

func TestServe_stopsAtOnceWhileEventsAreListenedTo(t *testing.T) {
	t.Parallel()
	needRedis(t)
	s := newTestSite(t, "")
	p := s.start()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+s.admin+"/v1/events", nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+strings.TrimSpace(read(t, s, ".rebake/admin-token")))
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	s.source.edit("a")
	if status, text := s.trigger(url.Values{"path": {"/p/a"}, "wait": {"1m"}}); status != http.StatusOK {
		t.Fatal(text)
	}
	var told bytes.Buffer
	chunk := make([]byte, 4096)
	for !strings.Contains(told.String(), `"path":"/p/a"`) {
		n, err := res.Body.Read(chunk)
		told.Write(chunk[:n])
		if err != nil {
			t.Fatalf("the stream ended with %v after %s", err, told.String())
		}
	}
	started := time.Now()
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	<-p.ended
	if took := time.Since(started); took > 8*time.Second || p.cmd.ProcessState.ExitCode() != 0 {
		t.Errorf("the stop took %s, exit code %d", took, p.cmd.ProcessState.ExitCode())
	}
}
