package source

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"rebake/renderer/upstream"
	"rebake/storage"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const secret = "s3cret-value"

// newSource starts a server with the handler and a source on its /api.
func newSource(t *testing.T, handler http.HandlerFunc, change ...func(*Config)) *Source {
	t.Helper()
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	return sourceFor(t, server.URL+"/api", change...)
}

func sourceFor(t *testing.T, url string, change ...func(*Config)) *Source {
	t.Helper()
	c := DefaultConfig()
	c.URL = url
	for _, f := range change {
		f(&c)
	}
	s, err := New("cms", c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s
}

func answer(body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, body) }
}

func isTemporary(err error) bool {
	var temporary *storage.TemporaryError
	return errors.As(err, &temporary)
}

func TestGet_sendsOnlyItsFixedRequest(t *testing.T) {
	var got *http.Request
	s := newSource(t, func(w http.ResponseWriter, r *http.Request) {
		got = r
		_, _ = io.WriteString(w, "[]")
	}, func(c *Config) {
		c.Headers = map[string]storage.Secret{"authorization": "Bearer x", "Host": "cms.example.com"}
	})
	if _, err := s.Get(t.Context(), "/posts?slug=a%20b&_embed", false); err != nil {
		t.Fatal(err)
	}
	if got.Method != "GET" || got.RequestURI != "/api/posts?slug=a%20b&_embed" || got.Host != "cms.example.com" {
		t.Errorf("asked %s %s of %s", got.Method, got.RequestURI, got.Host)
	}
	want := http.Header{
		"Accept": {"application/json"}, "Accept-Encoding": {"gzip"}, "Authorization": {"Bearer x"},
		"Cache-Control": {"no-cache"}, "User-Agent": {"rebake"},
	}
	if diff := cmp.Diff(want, got.Header); diff != "" {
		t.Errorf("headers (-want +got):\n%s", diff)
	}
}

func TestGet_staysBelowItsURL(t *testing.T) {
	s := newSource(t, func(http.ResponseWriter, *http.Request) { t.Error("a request was sent") })
	for _, ref := range []string{
		"posts", "@evil.example/x", ".evil.example/", "/../x", "/a/../../x", "/%2e%2e/x", "/a%2f..%2fx", `/a\..\x`,
		"/./x", "/a#b", "/a#", "/%zz", "/a b\x00", "\n/x",
	} {
		_, err := s.Get(t.Context(), ref, false)
		if err == nil || isTemporary(err) {
			t.Errorf("Get(%q): error %v, want a permanent one", ref, err)
		}
	}
}

func TestGet_baseWithoutPath(t *testing.T) {
	server := httptest.NewServer(answer(`1`))
	t.Cleanup(server.Close)
	for _, base := range []string{server.URL, server.URL + "/"} {
		for _, ref := range []string{"", "/", "/?rest_route=/wp/v2/posts", "?x=1", "/a"} {
			if _, err := sourceFor(t, base).Get(t.Context(), ref, false); err != nil {
				t.Errorf("Get(%q) below %s: %v", ref, base, err)
			}
		}
	}
}

func TestGet_status(t *testing.T) {
	for _, tc := range []struct {
		status int
		kind   string
	}{
		{404, "gone"}, {410, "gone"},
		{401, "temporary"}, {403, "temporary"}, {408, "temporary"}, {429, "temporary"},
		{500, "temporary"}, {502, "temporary"}, {503, "temporary"}, {504, "temporary"}, {599, "temporary"},
		{201, "temporary"}, {204, "temporary"}, {205, "temporary"}, {206, "temporary"},
		{400, "permanent"}, {405, "permanent"}, {422, "permanent"}, {418, "permanent"},
		{301, "permanent"}, {302, "permanent"}, {304, "permanent"}, {308, "permanent"},
	} {
		s := newSource(t, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(tc.status) })
		_, err := s.Get(t.Context(), "/x", false)
		kind := "permanent"
		switch {
		case err == nil:
			kind = "no error"
		case errors.Is(err, storage.ErrGone):
			kind = "gone"
		case isTemporary(err):
			kind = "temporary"
		}
		if kind != tc.kind {
			t.Errorf("status %d: %s (%v), want %s", tc.status, kind, err, tc.kind)
		}
	}
}

func TestGet_retryAfter(t *testing.T) {
	s := newSource(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Retry-After", "7")
		w.WriteHeader(http.StatusServiceUnavailable)
	})
	_, err := s.Get(t.Context(), "/posts?slug=x", false)
	var temporary *storage.TemporaryError
	if !errors.As(err, &temporary) || temporary.After != 7*time.Second {
		t.Errorf("error %#v, want one that says 7s", err)
	}
	if want := "cms GET /posts?slug=…: status 503"; err.Error() != want {
		t.Errorf("error %q, want %q", err, want)
	}
}

func TestGet_doesNotFollowRedirects(t *testing.T) {
	other := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		t.Error("the redirect was followed")
	}))
	t.Cleanup(other.Close)
	s := newSource(t, func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, other.URL+"/login?key="+secret, http.StatusFound)
	})
	_, err := s.Get(t.Context(), "/x", false)
	if err == nil || !strings.Contains(err.Error(), other.URL+";") || strings.Contains(err.Error(), "login") {
		t.Errorf("error %v, want one that names the host alone", err)
	}
}

func TestGet_errorsShowNoSecret(t *testing.T) {
	change := func(c *Config) {
		c.Headers = map[string]storage.Secret{"Authorization": secret}
		c.Timeout = 100 * time.Millisecond
	}
	closed := httptest.NewServer(answer(""))
	closed.Close()
	sources := map[string]*Source{
		"refused":   sourceFor(t, closed.URL, change),
		"malformed": sourceFor(t, "http://"+rawServer(t, "HTTP/1.1 "+secret+" "+secret+"\r\n\r\n"), change),
		"garbage":   sourceFor(t, "http://"+rawServer(t, secret+"\r\n\r\n"), change),
		"bad json":  newSource(t, answer(secret), change),
		"status":    newSource(t, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(400) }, change),
		"timeout":   newSource(t, hang, change),
	}
	for name, s := range sources {
		_, err := s.Get(t.Context(), "/posts?key="+secret, false)
		if err == nil {
			t.Errorf("%s: no error", name)
		} else if strings.Contains(err.Error(), secret) || !strings.HasPrefix(err.Error(), "cms GET /posts?key=…: ") {
			t.Errorf("%s: error %q", name, err)
		}
	}
	_, err := sources["refused"].Get(t.Context(), "/%zz?key="+secret, false)
	if err == nil || strings.Contains(err.Error(), secret) {
		t.Errorf("bad escape: error %v", err)
	}
}

// hang answers nothing until the client has gone.
func hang(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }

// rawServer answers every connection with the bytes and closes it.
func rawServer(t *testing.T, bytes string) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			_, _ = http.ReadRequest(newReader(conn))
			_, _ = io.WriteString(conn, bytes)
			_ = conn.Close()
		}
	}()
	t.Cleanup(func() { _ = l.Close(); <-done })
	return l.Addr().String()
}

func TestGet_cutAnswerIsTemporary(t *testing.T) {
	for name, bytes := range map[string]string{
		"content-length": "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n[1, 2",
		"chunked":        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\n[1, ",
		"until close":    "HTTP/1.0 200 OK\r\n\r\n[1, 2",
		"no answer":      "",
		"huge header":    "HTTP/1.1 200 OK\r\nX: " + strings.Repeat("x", 70<<10) + "\r\n\r\n1",
	} {
		_, err := sourceFor(t, "http://"+rawServer(t, bytes)).Get(t.Context(), "/", false)
		if !isTemporary(err) {
			t.Errorf("%s: error %v, want a temporary one", name, err)
		}
	}
}

func TestGet_timeoutCoversTheBody(t *testing.T) {
	s := newSource(t, func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, "[1,")
		w.(http.Flusher).Flush()
		<-r.Context().Done()
	}, func(c *Config) { c.Timeout = 50 * time.Millisecond })
	_, err := s.Get(t.Context(), "/x", false)
	if !isTemporary(err) || !strings.Contains(err.Error(), "no complete answer within 50ms") {
		t.Errorf("error %v, want a temporary one that names the time-out", err)
	}
}

func TestGet_callersContextEndsIt(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	s := newSource(t, func(_ http.ResponseWriter, r *http.Request) {
		cancel()
		<-r.Context().Done()
	})
	_, err := s.Get(ctx, "/x", false)
	if !isTemporary(err) || !errors.Is(err, context.Canceled) {
		t.Errorf("error %v, want context.Canceled, temporary", err)
	}
}

func TestGet_limitCountsDecodedBytes(t *testing.T) {
	var body bytes.Buffer
	z := gzip.NewWriter(&body)
	_, _ = io.WriteString(z, `"`+strings.Repeat("a", 100_000)+`"`)
	_ = z.Close()
	s := newSource(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Encoding", "gzip")
		_, _ = w.Write(body.Bytes())
	}, func(c *Config) { c.MaxBytes = int64(2 * body.Len()) })
	_, err := s.Get(t.Context(), "/x", false)
	var refused *storage.RefusedError
	if !errors.As(err, &refused) || refused.Gate != "too_large" {
		t.Errorf("error %v, want too_large", err)
	}
}

func TestGet_answerOfExactlyTheLimit(t *testing.T) {
	s := newSource(t, answer("[1, 2, 3]"), func(c *Config) { c.MaxBytes = 9 })
	if _, err := s.Get(t.Context(), "/x", false); err != nil {
		t.Error(err)
	}
}

func TestGet_encodingNotAskedFor(t *testing.T) {
	for _, encoding := range []string{"br", "deflate", "zstd", "gzip, br"} {
		s := newSource(t, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Encoding", encoding)
			_, _ = io.WriteString(w, "[]")
		})
		if _, err := s.Get(t.Context(), "/x", false); !isTemporary(err) || !strings.Contains(err.Error(), "compressed") {
			t.Errorf("%s: error %v, want a temporary one", encoding, err)
		}
	}
}

func TestGet_decodes(t *testing.T) {
	s := newSource(t, answer("\ufeff"+`{"id": 12345678, "neg": -3, "price": 9.50, "exp": 1e2, "huge": 123456789012345678901,
		"over": 1e999, "s": "12", "null": null, "ok": true, "list": [1, {"n": 2}], "id": 12345679}`))
	got, err := s.Get(t.Context(), "/x", false)
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]any{
		"id": 12345679, "neg": -3, "price": 9.5, "exp": 100.0, "huge": json.Number("123456789012345678901"),
		"over": json.Number("1e999"), "s": "12", "null": nil, "ok": true, "list": []any{1, map[string]any{"n": 2}},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestGet_badJSONIsTemporary(t *testing.T) {
	for _, tc := range []struct{ body, want string }{
		{"", "empty"},
		{"  ", "empty"},
		{"<!DOCTYPE html><p>Error", "HTML"},
		{"[1,", "not JSON"},
		{"{x}", "not JSON"},
		{"[] []", "goes on"},
		{"{}x", "goes on"},
		{"\"\xff\"", "UTF-8"},
		{strings.Repeat("[", 20000), "not JSON"},
	} {
		_, err := newSource(t, answer(tc.body)).Get(t.Context(), "/x", false)
		if !isTemporary(err) || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%.20q: error %v, want a temporary one with %q", tc.body, err, tc.want)
		}
	}
}

func TestGet_namesLongRequestsShortly(t *testing.T) {
	s := newSource(t, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(400) })
	_, err := s.Get(t.Context(), "/"+strings.Repeat("%C3%A9", 500), false)
	if err == nil || len(err.Error()) > 300 {
		t.Errorf("error of %d bytes: %v", len(err.Error()), err)
	}
}

func TestNew_refusesABadConfig(t *testing.T) {
	good := func() Config { c := DefaultConfig(); c.URL = "https://cms.example.com/api"; return c }
	for _, tc := range []struct {
		key    string
		change func(*Config)
	}{
		{"url", func(c *Config) { c.URL = "cms.example.com" }},
		{"rate", func(c *Config) { c.Rate = -1 }},
		{"headers", func(c *Config) { c.Headers = map[string]storage.Secret{"a b": "x"} }},
		{"headers.X-Key", func(c *Config) { c.Headers = map[string]storage.Secret{"X-Key": secret + "\n"} }},
		{"headers.accept-encoding", func(c *Config) { c.Headers = map[string]storage.Secret{"accept-encoding": "br"} }},
	} {
		c := good()
		tc.change(&c)
		_, err := New("cms", c)
		if err == nil || !strings.HasPrefix(err.Error(), tc.key+": ") || strings.Contains(err.Error(), secret) {
			t.Errorf("%s: error %v", tc.key, err)
		}
	}
}

func TestFetch_answerHasItsHeaders(t *testing.T) {
	s := newSource(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("X-WP-Total", "7")
		_, _ = io.WriteString(w, "[]")
	})
	a, err := s.Fetch(t.Context(), Request{Ref: "/x"})
	if err != nil || a.Header.Get("x-wp-total") != "7" {
		t.Errorf("headers %v, %v", a.Header, err)
	}
}

func TestFetch_statusIsInTheChain(t *testing.T) {
	for _, status := range []int{302, 400, 401, 404, 503} {
		_, err := newSource(t, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(status) }).Fetch(t.Context(), Request{})
		var got *upstream.StatusError
		if !errors.As(err, &got) || got.Status != status {
			t.Errorf("status %d: error %v", status, err)
		}
	}
}
