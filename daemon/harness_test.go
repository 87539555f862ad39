package daemon

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

const testSecret = "a-secret-that-nobody-would-guess"

// patience is how long what has to come is waited for: it is for machines that
// do other things besides. How quickly something has to come is said where that
// is what is tested.
const patience = 90 * time.Second

// testSite is a site in a temporary directory: a config, a template, and a
// source whose posts the test edits. Pages are /p/{slug}.
type testSite struct {
	t      *testing.T
	dir    string
	source *testSource
	listen string
	admin  string
	// starts is the longest that a start has taken so far: it tells how busy the
	// machine is.
	starts time.Duration
}

// newTestSite writes the config; extra is added to it as it is.
func newTestSite(t *testing.T, extra string) *testSite {
	t.Helper()
	s := &testSite{t: t, dir: t.TempDir(), source: newTestSource(t), listen: freePort(t), admin: freePort(t)}
	s.write("templates/post.html", `<!doctype html><html><body>{{.post.slug}} version {{.post.version}}</body></html>`)
	s.write("rebake.yaml", fmt.Sprintf(`
site: https://www.example.com
output: ./public
listen: %s
admin: %s
secret: %s
sources:
  cms: {url: %q, timeout: 5s, concurrency: 32}
routes:
  - path: /p/{slug}
    template: post.html
    data: {post: {source: cms, get: "/posts/{slug}", one: true}}
    tags: ["post:{post.slug}"]
workers: 16
%s
`, s.listen, s.admin, testSecret, s.source.server.URL, extra))
	return s
}

func (s *testSite) write(name, text string) {
	s.t.Helper()
	name = filepath.Join(s.dir, name)
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		s.t.Fatal(err)
	}
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		s.t.Fatal(err)
	}
}

// file returns what a reader gets for a page, "" when there is no file.
func (s *testSite) file(slug string) string {
	b, err := os.ReadFile(filepath.Join(s.dir, "public/p", slug, "index.html"))
	if err != nil {
		return ""
	}
	return string(b)
}

// shows reports whether the public page has the source's version.
func (s *testSite) shows(slug string) bool {
	return strings.Contains(s.file(slug), fmt.Sprintf("version %d<", s.source.version(slug)))
}

// trigger sends a trigger as a CMS would, and returns status and answer.
func (s *testSite) trigger(query url.Values) (int, string) {
	s.t.Helper()
	req, err := http.NewRequest(http.MethodPost, "http://"+s.listen+"/api/revalidate?"+query.Encode(), nil)
	if err != nil {
		s.t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+testSecret)
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0, err.Error()
	}
	defer res.Body.Close()
	b, _ := io.ReadAll(res.Body)
	return res.StatusCode, string(b)
}

// mustTrigger sends a trigger that has to be accepted.
func (s *testSite) mustTrigger(paths ...string) {
	s.t.Helper()
	status, text := s.untilTaken(func() (int, string) { return s.trigger(url.Values{"path": paths}) })
	if status != http.StatusOK {
		s.t.Fatalf("trigger %v: %d %s", paths, status, text)
	}
}

// untilTaken sends again for as long as it is asked to: a queue in memory has
// two seconds, which are little on a busy machine, and no spool behind it.
func (s *testSite) untilTaken(send func() (int, string)) (status int, text string) {
	s.t.Helper()
	s.await("the queue takes it", patience, func() bool {
		status, text = send()
		return status != http.StatusServiceUnavailable || !strings.Contains(text, "send it again")
	})
	return status, text
}

// rebake is a running process.
type rebake struct {
	t     *testing.T
	cmd   *exec.Cmd
	ended chan struct{}
	log   *lockedBuffer
}

// start runs `rebake serve` as a process of its own and waits until its api
// answers. A worker without an api is not waited for.
func (s *testSite) start(args ...string) *rebake {
	s.t.Helper()
	since := time.Now()
	p := s.launch(args...)
	if len(args) == 0 || args[len(args)-1] != "worker" {
		s.awaitReadyz(p, http.StatusOK)
		s.starts = max(s.starts, time.Since(since))
	}
	return p
}

// launch is start without waiting.
func (s *testSite) launch(args ...string) *rebake {
	s.t.Helper()
	exe, err := os.Executable()
	if err != nil {
		s.t.Fatal(err)
	}
	cmd := exec.Command(rebakeLink(s.t, exe), append([]string{"serve", "--config", filepath.Join(s.dir, "rebake.yaml")}, args...)...)
	return s.startProgram(cmd, args...)
}

// startProgram is launch with a command line of the test's own.
func (s *testSite) startProgram(cmd *exec.Cmd, args ...string) *rebake {
	s.t.Helper()
	p := &rebake{t: s.t, cmd: cmd, ended: make(chan struct{}), log: new(lockedBuffer)}
	p.cmd.Stderr, p.cmd.Stdout = p.log, p.log
	if err := p.cmd.Start(); err != nil {
		s.t.Fatal(err)
	}
	go func() {
		_ = p.cmd.Wait()
		close(p.ended)
	}()
	s.t.Cleanup(func() {
		p.stop()
		if s.t.Failed() {
			s.t.Logf("log of %v:\n%s", args, p.log)
		}
	})
	return p
}

// awaitReadyz waits until /readyz answers with the status, and returns the
// answer.
func (s *testSite) awaitReadyz(p *rebake, status int) (text string) {
	s.t.Helper()
	s.await(fmt.Sprintf("readyz answers %d", status), patience, func() bool {
		select {
		case <-p.ended:
			s.t.Fatalf("rebake ended:\n%s", p.log)
		default:
		}
		res, err := http.Get("http://" + s.admin + "/readyz")
		if err != nil {
			return false
		}
		defer res.Body.Close()
		b, _ := io.ReadAll(res.Body)
		text = string(b)
		return res.StatusCode == status
	})
	return text
}

// rebakeLink gives the test binary the name by which it serves as rebake.
func rebakeLink(t *testing.T, exe string) string {
	t.Helper()
	link := filepath.Join(t.TempDir(), "rebake")
	if err := os.Symlink(exe, link); err != nil {
		t.Fatal(err)
	}
	return link
}

func (p *rebake) kill() {
	p.t.Helper()
	if err := p.cmd.Process.Kill(); err != nil {
		p.t.Fatal(err)
	}
	<-p.ended
}

// stop asks politely and waits.
func (p *rebake) stop() {
	_ = p.cmd.Process.Signal(syscall.SIGTERM)
	select {
	case <-p.ended:
	case <-time.After(patience):
		p.t.Errorf("rebake did not stop; killed")
		_ = p.cmd.Process.Kill()
		<-p.ended
	}
}

// await polls for a condition: what is waited for happens in another process.
func (s *testSite) await(what string, atMost time.Duration, done func() bool) time.Duration {
	s.t.Helper()
	started := time.Now()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for !done() {
		if time.Since(started) > atMost {
			s.t.Fatalf("not within %s: %s", atMost, what)
		}
		<-tick.C
	}
	return time.Since(started)
}

// testSource answers GET /posts/{slug} with the version that the test set.
type testSource struct {
	server   *httptest.Server
	latency  atomic.Int64 // ns
	requests atomic.Int64
	down     atomic.Bool // answers 503
	// publishAt is the date in every post; nil is none.
	publishAt atomic.Value

	mu       sync.Mutex
	versions map[string]int           // guarded by mu; 0 is gone
	hold     map[string]chan struct{} // guarded by mu; a request that has read its post waits here
	held     map[string]chan struct{} // guarded by mu; closed when one waits
}

func newTestSource(t *testing.T) *testSource {
	s := &testSource{versions: map[string]int{}, hold: map[string]chan struct{}{}, held: map[string]chan struct{}{}}
	s.server = httptest.NewServer(s)
	t.Cleanup(s.server.Close)
	return s
}

func (s *testSource) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.requests.Add(1)
	slug := strings.TrimPrefix(r.URL.Path, "/posts/")
	select {
	case <-time.After(time.Duration(s.latency.Load())):
	case <-r.Context().Done():
	}
	s.mu.Lock()
	version, hold, held := s.versions[slug], s.hold[slug], s.held[slug]
	delete(s.hold, slug)
	s.mu.Unlock()
	if hold != nil {
		close(held)
		<-hold
	}
	if s.down.Load() {
		http.Error(w, "down", http.StatusServiceUnavailable)
		return
	}
	if version == 0 {
		http.NotFound(w, r)
		return
	}
	_ = json.NewEncoder(w).Encode(map[string]any{"slug": slug, "version": version, "publish": s.publishAt.Load()})
}

func (s *testSource) edit(slug string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.versions[slug]++
}

func (s *testSource) remove(slug string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.versions[slug] = 0
}

func (s *testSource) version(slug string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.versions[slug]
}

// holdNext keeps the next answer for slug back after its content was read.
func (s *testSource) holdNext(slug string) (held <-chan struct{}, release func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	hold, h := make(chan struct{}), make(chan struct{})
	s.hold[slug], s.held[slug] = hold, h
	return h, sync.OnceFunc(func() { close(hold) })
}

// freePort returns an address that is free, and is nobody else's until the test
// ends. The kernel gives its port to nobody who asks for any: theirs begin at
// 32768. Tests of this machine that ask for one as this test does, in whatever
// process, hold the UDP port of the same number for as long as the TCP one is
// theirs, whether somebody listens there or not.
func freePort(t *testing.T) string {
	t.Helper()
	for range 1000 {
		addr := fmt.Sprint("127.0.0.1:", 10_000+rand.IntN(20_000))
		claim, err := net.ListenPacket("udp", addr)
		if err != nil {
			continue
		}
		l, err := net.Listen("tcp", addr)
		if err != nil {
			_ = claim.Close()
			continue
		}
		_ = l.Close()
		t.Cleanup(func() { _ = claim.Close() })
		return addr
	}
	t.Fatal("found no free port")
	return ""
}

// lockedBuffer is written by a process and read by the test.
type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}
