package daemon

import (
	"bufio"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"rebake/daemon/config"
)

// devSite is a templated site with `rebake dev` running on it, in this process.
type devSite struct {
	*testSite
	url string
	out *lockedBuffer
}

func startDev(t *testing.T) *devSite {
	t.Helper()
	s := templatedSite(t)
	cfg, err := config.Load(filepath.Join(s.dir, "rebake.yaml"), os.LookupEnv)
	if err != nil {
		t.Fatal(err)
	}
	addr := freePort(t)
	d := &devSite{testSite: s, url: "http://" + addr, out: new(lockedBuffer)}
	ctx, stop := context.WithCancel(context.WithoutCancel(t.Context()))
	ended := make(chan error, 1)
	go func() { ended <- runDev(ctx, cfg, addr, d.out, d.out) }()
	t.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			t.Errorf("dev ended with %v", err)
		}
		if t.Failed() {
			t.Logf("output:\n%s", d.out)
		}
	})
	d.await("dev answers", patience, func() bool {
		res, err := http.Get(d.url + devClientPath)
		if err != nil {
			return false
		}
		defer res.Body.Close()
		return res.StatusCode == http.StatusOK
	})
	return d
}

// browse returns what the browser gets for a path.
func (d *devSite) browse(path string) (status int, body string) {
	d.t.Helper()
	res, err := http.Get(d.url + path)
	if err != nil {
		d.t.Fatal(err)
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		d.t.Fatal(err)
	}
	return res.StatusCode, string(b)
}

var dataVersion = regexp.MustCompile(`data-version="([^"]*)"`)

// version returns the version that the client in a page starts with.
func (d *devSite) version(body string) string {
	d.t.Helper()
	m := dataVersion.FindStringSubmatch(body)
	if m == nil {
		d.t.Fatalf("no client in %q", body)
	}
	return strings.ReplaceAll(m[1], "&#34;", `"`)
}

// follow does what the client does, and returns what it is told.
func (d *devSite) follow(path string) <-chan devStatus {
	d.t.Helper()
	ctx, stop := context.WithCancel(d.t.Context())
	d.t.Cleanup(stop)
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, d.url+devEventsPath+"?"+url.Values{"path": {path}}.Encode(), nil)
	if err != nil {
		d.t.Fatal(err)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		d.t.Fatal(err)
	}
	told := make(chan devStatus, 100)
	go func() {
		defer res.Body.Close()
		for lines := bufio.NewScanner(res.Body); lines.Scan(); {
			var s devStatus
			if data, ok := strings.CutPrefix(lines.Text(), "data: "); ok && json.Unmarshal([]byte(data), &s) == nil {
				told <- s
			}
		}
	}()
	return told
}

// awaitStatus returns the first status for which done is true.
func (d *devSite) awaitStatus(what string, told <-chan devStatus, done func(devStatus) bool) devStatus {
	d.t.Helper()
	late := time.After(patience)
	for {
		select {
		case s := <-told:
			if done(s) {
				return s
			}
		case <-late:
			d.t.Fatalf("not told: %s", what)
		}
	}
}

// save writes a template as editors do, by a rename over it.
func (d *devSite) save(name, text string) {
	d.t.Helper()
	d.write(name+".tmp", text)
	rename(d.t, filepath.Join(d.dir, name+".tmp"), filepath.Join(d.dir, name))
}

func TestDev_rendersPagesWhenTheyAreAskedFor(t *testing.T) {
	t.Parallel()
	d := startDev(t)
	d.write("public/p/a/index.html", "<html>of another day</html>")
	status, body := d.browse("/p/a")
	if status != http.StatusOK || !strings.Contains(body, "post-1 a") || !strings.Contains(body, devClientPath+`" data-path="/p/a"`) {
		t.Errorf("status %d, page %q", status, body)
	}
	if file := d.page("/p/a"); !strings.Contains(file, "post-1 a") || strings.Contains(file, "_rebake") {
		t.Errorf("file %q", file)
	}
	if !strings.Contains(d.out.String(), "the queue is in memory") {
		t.Error("dev does not say that its queue is in memory")
	}
}

func TestDev_followsWhatIsNotThere(t *testing.T) {
	t.Parallel()
	d := startDev(t)
	status, body := d.browse("/p/b")
	if status != http.StatusNotFound || d.version(body) != "" {
		t.Fatalf("status %d, page %q", status, body)
	}
	told := d.follow("/p/b")
	d.source.edit("b")
	d.mustTrigger("/p/b")
	d.awaitStatus("that it is published", told, func(s devStatus) bool { return s.Version != "" })
	if status, body = d.browse("/p/b"); status != http.StatusOK || !strings.Contains(body, "post-1 b") {
		t.Errorf("status %d, page %q", status, body)
	}
}

func TestDev_followsTemplates(t *testing.T) {
	t.Parallel()
	d := startDev(t)
	_, body := d.browse("/p/a")
	d.browse("/note/a")
	other := d.stamp("/note/a")
	told := d.follow("/p/a")
	first := d.version(body)
	d.awaitStatus("of the page that it shows", told, func(s devStatus) bool { return s == devStatus{Version: first} })

	// An error that the loader finds.
	d.save("templates/layouts/base.html", `<html>{{if}}</html>`)
	s := d.awaitStatus("of the error", told, func(s devStatus) bool { return s.Problem != "" })
	if s.Version != first || !strings.Contains(s.Problem, "layouts/base.html:1") {
		t.Errorf("status %+v, want the version %s and a problem of the layout", s, first)
	}
	if _, body := d.browse("/p/a"); !strings.Contains(body, "post-1 a") {
		t.Errorf("the last good page did not stay: %q", body)
	}
	d.await("the terminal has the error", patience, func() bool { return strings.Contains(d.out.String(), "layouts/base.html:1") })

	// An error that only a render finds.
	d.save("templates/layouts/base.html", `<html>{{.nobody.here}}</html>`)
	s = d.awaitStatus("of the failed render", told, func(s devStatus) bool { return strings.Contains(s.Problem, "nobody") })
	if s.Version != first {
		t.Errorf("version %s, want %s", s.Version, first)
	}

	// And the end of it.
	d.save("templates/layouts/base.html", `<!doctype html><html><body class="base-2">{{block "main" .}}{{end}}</body></html>`)
	s = d.awaitStatus("of the new version", told, func(s devStatus) bool { return s.Version != first && s.Problem == "" })
	if _, body := d.browse("/p/a"); !strings.Contains(body, "base-2") || d.version(body) != s.Version {
		t.Errorf("page %q, want the version %s", body, s.Version)
	}
	if diff := cmp.Diff(other, d.stamp("/note/a"), cmp.AllowUnexported(stamp{})); diff != "" {
		t.Errorf("the other page was written again (-before +after):\n%s", diff)
	}
}

func TestDevPage_leavesOthersAlone(t *testing.T) {
	t.Parallel()
	d := startDev(t)
	d.write("public/robots.txt", "User-agent: *\n</body>\n")
	res, err := http.Get(d.url + "/robots.txt")
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	if string(b) != "User-agent: *\n</body>\n" || res.Header.Get("ETag") == "" {
		t.Errorf("body %q, ETag %q", b, res.Header.Get("ETag"))
	}
}

func TestDevPage_HEADHasNoBody(t *testing.T) {
	t.Parallel()
	d := startDev(t)
	res, err := http.Head(d.url + "/p/a")
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK || res.Header.Get("Cache-Control") != "no-store" {
		t.Errorf("status %d, headers %v", res.StatusCode, res.Header)
	}
}

func TestBeforeBodyEnd(t *testing.T) {
	for page, want := range map[string]string{
		"<body>a</body></html>":               "<body>a!</body></html>",
		"<BODY>a</BODY >":                     "<BODY>a!</BODY >",
		"<script>'</body>'</script>İİ</body>": "<script>'</body>'</script>İİ!</body>",
		"<p>no end":                           "<p>no end!",
		"":                                    "!",
	} {
		if got := string(beforeBodyEnd([]byte(page), "!")); got != want {
			t.Errorf("%q: %q, want %q", page, got, want)
		}
	}
}
