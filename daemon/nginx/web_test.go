package nginx_test

import (
	"bytes"
	"cmp"
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"rebake/daemon/nginx"
	"rebake/daemon/nginx/nginxtest"
	"rebake/storage"
	"rebake/storage/output"
)

// web is a site behind nginx: its output, and a stub in the place of Rebake.
type web struct {
	*nginxtest.Server
	t      *testing.T
	out    *output.Dir
	prev   map[string]storage.Published
	rebake *stub
}

func newWeb(t *testing.T) *web {
	t.Helper()
	return newWebWith(t, nginx.Config{ServerName: "_"})
}

// newWebWith uses a path that has to be quoted.
func newWebWith(t *testing.T, c nginx.Config) *web {
	t.Helper()
	base := filepath.Join(t.TempDir(), `a "site"; {} #\`)
	out, err := output.Open(output.Config{Dir: base + "/public", State: base + "/state", Compress: []string{"gzip"}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = out.Close() })
	w := &web{t: t, out: out, prev: make(map[string]storage.Published), rebake: newStub(t)}
	w.Server = nginxtest.Start(t, func(addr string) string {
		c.Output, c.Listen, c.ServerListen = out.Path(), w.rebake.addr(), addr
		return serverConf(t, c)
	})
	return w
}

func serverConf(t *testing.T, c nginx.Config) string {
	t.Helper()
	text, err := nginx.Server(c)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func (w *web) put(path, mediaType, body string) {
	w.t.Helper()
	p, err := storage.ParsePath(path)
	if err != nil {
		w.t.Fatal(err)
	}
	page := storage.Page{Path: p, Type: mediaType, Body: []byte(body)}
	res, err := w.out.Publish(w.t.Context(), page, w.prev[path], func(context.Context, bool) error { return nil })
	if err != nil {
		w.t.Fatal(err)
	}
	w.prev[path] = storage.Published{Hash: page.Hash(), MTime: res.MTime}
}

// answer is a response with its body as it came over the wire.
type answer struct {
	*http.Response
	body string
}

// ask sends a request; headers are pairs of name and value.
func (w *web) ask(method, path string, headers ...string) answer {
	w.t.Helper()
	req, err := http.NewRequestWithContext(w.t.Context(), method, w.URL+path, strings.NewReader(""))
	if err != nil {
		w.t.Fatal(err)
	}
	for i := 0; i < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	client := http.Client{
		Transport:     &http.Transport{DisableCompression: true, DisableKeepAlives: true},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	resp, err := client.Do(req)
	if err != nil {
		w.t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		w.t.Fatal(err)
	}
	return answer{resp, string(body)}
}

func (w *web) want(a answer, status int, body string) {
	w.t.Helper()
	if a.StatusCode != status || a.body != body {
		w.t.Errorf("%s %s: %d %q, want %d %q", a.Request.Method, a.Request.URL.RequestURI(), a.StatusCode, a.body, status, body)
	}
}

func (w *web) wantHeaders(a answer, headers map[string]string) {
	w.t.Helper()
	for name, want := range headers {
		if got := strings.Join(a.Header.Values(name), " and "); got != want {
			w.t.Errorf("%s %s: %s is %q, want %q", a.Request.Method, a.Request.URL.RequestURI(), name, got, want)
		}
	}
}

// stub stands where Rebake listens, or an origin. It answers 404 to everything
// but the paths in status.
type stub struct {
	*httptest.Server
	mu     sync.Mutex
	got    []*http.Request
	status map[string]int // by escaped path
}

// answer sets the statuses of paths, in their escaped form.
func (s *stub) answer(status map[string]int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.status = status
}

func newStub(t *testing.T) *stub { return newStubOf(t, "stub", nil) }

// newStubOf answers with its name, in the body and as X-From.
func newStubOf(t *testing.T, name string, status map[string]int) *stub {
	s := &stub{status: status}
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		s.mu.Lock()
		defer s.mu.Unlock()
		r.Body = io.NopCloser(bytes.NewReader(body)) // for the test
		s.got = append(s.got, r)
		w.Header().Set("Cache-Control", "no-store")
		w.Header().Set("X-From", name)
		w.WriteHeader(cmp.Or(s.status[r.URL.EscapedPath()], http.StatusNotFound))
		_, _ = io.WriteString(w, name)
	}))
	t.Cleanup(s.Close)
	return s
}

func (s *stub) addr() string { return s.Listener.Addr().String() }

// requests returns what has come since it was last called.
func (s *stub) requests() []*http.Request {
	s.mu.Lock()
	defer s.mu.Unlock()
	got := s.got
	s.got = nil
	return got
}

func (w *web) wantMiss(a answer) {
	w.t.Helper()
	w.want(a, http.StatusNotFound, "stub")
	if n := len(w.rebake.requests()); n != 1 {
		w.t.Errorf("%s: %d requests came to rebake, want 1", a.Request.URL, n)
	}
}
