package origin

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"rebake/storage"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const site = "https://www.example.com"

// newOrigin starts a server with the handler, and an origin that asks it.
func newOrigin(t *testing.T, handler http.HandlerFunc, change ...func(*Config)) *Origin {
	t.Helper()
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	c := DefaultConfig()
	c.URLs = []string{server.URL}
	for _, f := range change {
		f(&c)
	}
	o, err := New("app", c, site, "auto")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(o.Close)
	return o
}

func kind(k Kind) func(*Config) { return func(c *Config) { c.Kind = k } }

func path(t *testing.T, s string) storage.Path {
	t.Helper()
	p, err := storage.ParsePath(s)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// outcome names an error for tables: "gone", "temporary", "refused:private",
// "permanent", or "" for none.
func outcome(err error) string {
	var refused *storage.RefusedError
	var temporary *storage.TemporaryError
	switch {
	case err == nil:
		return ""
	case errors.Is(err, storage.ErrGone):
		return "gone"
	case errors.As(err, &refused):
		return "refused:" + refused.Gate
	case errors.As(err, &temporary):
		return "temporary"
	}
	return "permanent"
}

const page = "<!doctype html><html><body>hello</body></html>"

func answerHTML(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	_, _ = w.Write([]byte(page))
}

func TestSnapshot_isTheAnswer(t *testing.T) {
	s, err := newOrigin(t, answerHTML).Snapshot(t.Context(), Request{Path: path(t, "/a")})
	if err != nil {
		t.Fatal(err)
	}
	if string(s.Body) != page || s.Type != "text/html; charset=utf-8" {
		t.Errorf("got %s %q", s.Type, s.Body)
	}
}

// H40, H70: nothing of a visitor or a trigger reaches the origin.
func TestSnapshot_sendsOnlyItsFixedRequest(t *testing.T) {
	var got *http.Request
	o := newOrigin(t, func(w http.ResponseWriter, r *http.Request) {
		got = r.Clone(r.Context())
		answerHTML(w, r)
	}, func(c *Config) { c.Headers = map[string]storage.Secret{"X-Key": "k"} })
	if _, err := o.Snapshot(t.Context(), Request{Path: path(t, "/caf\u00e9/x")}); err != nil {
		t.Fatal(err)
	}
	want := http.Header{
		"Accept":            {"text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"},
		"Accept-Encoding":   {"gzip"},
		"Cache-Control":     {"no-cache"},
		"User-Agent":        {"rebake"},
		"X-Forwarded-Host":  {"www.example.com"},
		"X-Forwarded-Proto": {"https"},
		"X-Key":             {"k"},
	}
	for name := range got.Header {
		if strings.Join(got.Header[name], "|") != strings.Join(want[name], "|") {
			t.Errorf("header %s: %q, want %q", name, got.Header[name], want[name])
		}
	}
	if len(got.Header) != len(want) || got.Host != "www.example.com" || got.Method != "GET" || got.RequestURI != "/caf%C3%A9/x" {
		t.Errorf("got %s %s %s with %v", got.Method, got.Host, got.RequestURI, got.Header)
	}
}

func TestSnapshot_asksInTheFormOfTheOrigin(t *testing.T) {
	for _, tc := range []struct {
		kind              Kind
		slash, path, want string
	}{
		{Next, "auto", "/a", "/a"},
		{WordPress, "auto", "/a", "/a/"},
		{WordPress, "auto", "/", "/"},
		{WordPress, "auto", "/feed.xml", "/feed.xml"},
		{WordPress, "never", "/a", "/a"},
		{Next, "always", "/a", "/a/"},
	} {
		var got string
		o := newOrigin(t, func(w http.ResponseWriter, r *http.Request) {
			got = r.RequestURI
			w.Header().Set("Content-Type", map[bool]string{true: "application/xml", false: "text/html"}[tc.path == "/feed.xml"])
		}, kind(tc.kind))
		o.slash = tc.slash == "always" || tc.slash != "never" && tc.kind == WordPress
		if _, err := o.Snapshot(t.Context(), Request{Path: path(t, tc.path)}); err != nil || got != tc.want {
			t.Errorf("%s, trailing_slash %s, %s: asked for %s (%v), want %s", tc.kind, tc.slash, tc.path, got, err, tc.want)
		}
	}
}

// H53, H54, H57, H65.
func TestSnapshot_status(t *testing.T) {
	for _, tc := range []struct {
		status         int
		location, want string
	}{
		{200, "", ""},
		{201, "", "temporary"}, {204, "", "temporary"}, {206, "", "temporary"},
		{304, "", "permanent"},
		{400, "", "permanent"},
		{401, "", "temporary"}, {403, "", "temporary"},
		{404, "", "gone"}, {410, "", "gone"},
		{429, "", "temporary"}, {500, "", "temporary"}, {502, "", "temporary"}, {503, "", "temporary"},
		{301, "/b", "gone"}, {308, site + "/b", "gone"}, {301, "/b/?x=1", "gone"},
		{302, "/login", "refused:redirect"}, {303, "/b", "refused:redirect"}, {307, "/b", "refused:redirect"},
		{301, "https://other.example/a", "refused:redirect"},
		{302, "http://169.254.169.254/latest", "refused:redirect"},
		{301, "/a", "refused:redirect"}, {301, site + "/a", "refused:redirect"},
		{301, "", "temporary"},
	} {
		o := newOrigin(t, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "text/html")
			if tc.location != "" {
				w.Header().Set("Location", tc.location)
			}
			w.WriteHeader(tc.status)
		})
		_, err := o.Snapshot(t.Context(), Request{Path: path(t, "/a")})
		if got := outcome(err); got != tc.want {
			t.Errorf("%d %s: %q (%v), want %q", tc.status, tc.location, got, err, tc.want)
		}
	}
}

func TestSnapshot_followsTheRedirectToItsOwnSlash(t *testing.T) {
	var asked []string
	o := newOrigin(t, func(w http.ResponseWriter, r *http.Request) {
		asked = append(asked, r.URL.Path)
		if r.URL.Path == "/a" {
			http.Redirect(w, r, site+"/a/", http.StatusMovedPermanently)
			return
		}
		answerHTML(w, r)
	})
	if _, err := o.Snapshot(t.Context(), Request{Path: path(t, "/a")}); err != nil || len(asked) != 2 {
		t.Errorf("asked for %v: %v", asked, err)
	}
}

func TestSnapshot_slashesThatRedirectToEachOther(t *testing.T) {
	o := newOrigin(t, func(w http.ResponseWriter, r *http.Request) {
		to := strings.TrimSuffix(r.URL.Path, "/")
		if to == r.URL.Path {
			to += "/"
		}
		w.Header().Set("Location", to)
		w.WriteHeader(http.StatusMovedPermanently)
	})
	if _, err := o.Snapshot(t.Context(), Request{Path: path(t, "/a")}); outcome(err) != "refused:redirect" {
		t.Errorf("error %v, want one of the gate redirect", err)
	}
}

// H68, H69.
func TestSnapshot_publishesOnlyWhatIsEverybodys(t *testing.T) {
	for _, tc := range []struct {
		name, header, want string
		shared             string // the outcome with shared: true, when it differs
	}{
		{"Cache-Control", "public, s-maxage=60, stale-while-revalidate", "", ""},
		{"Cache-Control", "no-cache", "", ""},
		{"Cache-Control", "max-age=0, Private", "refused:private", "-"},
		{"Cache-Control", `private="x-user"`, "refused:private", "-"},
		{"Cache-Control", "private, no-cache, no-store, max-age=0, must-revalidate", "refused:private", "-"},
		{"Pragma", "no-cache", "refused:private", "-"},
		{"Vary", "Accept-Encoding", "", ""},
		{"Vary", "RSC, Next-Router-State-Tree, Next-Router-Prefetch, Next-Router-Segment-Prefetch, Accept-Encoding", "", ""},
		{"Vary", "Accept-Encoding, Cookie", "refused:vary", ""},
		{"Vary", "authorization", "refused:vary", ""},
		{"Vary", "*", "refused:vary", ""},
		{"Vary", "User-Agent", "refused:vary", "-"},
		{"Set-Cookie", "seen=1; Path=/", "", ""},
		{"Set-Cookie", "session=1; HttpOnly", "refused:cookies", ""},
		{"Content-Disposition", "attachment; filename=a.html", "refused:download", ""},
		{"Content-Disposition", "inline", "", ""},
		{"WWW-Authenticate", "Basic", "refused:private", ""},
		{"Clear-Site-Data", `"cookies"`, "refused:private", ""},
	} {
		o := newOrigin(t, func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set(tc.name, tc.header)
			answerHTML(w, r)
		})
		for _, shared := range []bool{false, true} {
			want := tc.want
			if shared && tc.shared == "-" {
				want = ""
			}
			_, err := o.Snapshot(t.Context(), Request{Path: path(t, "/a"), Shared: shared, IgnoreCookies: []string{"seen"}})
			if got := outcome(err); got != want {
				t.Errorf("%s: %s, shared %v: %q (%v), want %q", tc.name, tc.header, shared, got, err, want)
			}
		}
	}
}

// H71, H72.
func TestSnapshot_type(t *testing.T) {
	for _, tc := range []struct{ path, given, want string }{
		{"/a", "text/html", "text/html; charset=utf-8"},
		{"/feed", "application/rss+xml; charset=UTF-8", "application/rss+xml; charset=utf-8"},
		{"/feed", "text/xml", "application/xml; charset=utf-8"},
		{"/sitemap.xml", "text/xml", "application/xml; charset=utf-8"},
		{"/feed.xml", "application/rss+xml", "application/xml; charset=utf-8"},
		{"/app.js", "application/javascript", "text/javascript; charset=utf-8"},
		{"/logo.png", "image/png", "image/png"},
		{"/a", "text/x-component", "refused:type_mismatch"},
		{"/a", "image/png", "refused:type_mismatch"},
		{"/logo.png", "text/html", "refused:type_mismatch"},
		{"/a", "", "refused:type_mismatch"},
		{"/a", "text/html; charset=klingon", "permanent"},
	} {
		o := newOrigin(t, func(w http.ResponseWriter, _ *http.Request) {
			w.Header()["Content-Type"] = []string{tc.given} // also the empty one
			_, _ = w.Write([]byte(page))
		})
		s, err := o.Snapshot(t.Context(), Request{Path: path(t, tc.path)})
		if got := s.Type + outcome(err); got != tc.want {
			t.Errorf("%s as %q: %s (%v), want %s", tc.path, tc.given, got, err, tc.want)
		}
	}
}

func TestSnapshot_decodesTheCharsetOfTheHeader(t *testing.T) {
	for charset, body := range map[string]string{"iso-8859-1": "caf\xe9", "windows-1252": "caf\xe9", "utf-8": "\xef\xbb\xbfcaf\u00e9"} {
		o := newOrigin(t, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "text/html; charset="+charset)
			_, _ = w.Write([]byte(body))
		})
		if s, err := o.Snapshot(t.Context(), Request{Path: path(t, "/a")}); err != nil || string(s.Body) != "caf\u00e9" {
			t.Errorf("%s: %q, %v", charset, s.Body, err)
		}
	}
}

func TestSnapshot_errorsNameTheRequestAndNoSecret(t *testing.T) {
	o := newOrigin(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Location", "https://other.example/?key="+r.Header.Get("X-Key"))
		w.WriteHeader(http.StatusFound)
	}, func(c *Config) { c.Headers = map[string]storage.Secret{"X-Key": "S3CR3T"} })
	_, err := o.Snapshot(t.Context(), Request{Path: path(t, "/a")})
	if err == nil || strings.Contains(err.Error(), "S3CR3T") || !strings.HasPrefix(err.Error(), "app GET /a: ") {
		t.Errorf("error %v", err)
	}
}

func TestSnapshot_asksAnotherInstanceEachTime(t *testing.T) {
	var first, second int
	other := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { second++; answerHTML(w, r) }))
	t.Cleanup(other.Close)
	o := newOrigin(t, func(w http.ResponseWriter, r *http.Request) { first++; answerHTML(w, r) },
		func(c *Config) { c.URLs = append(c.URLs, other.URL) })
	for range 4 {
		if _, err := o.Snapshot(t.Context(), Request{Path: path(t, "/a")}); err != nil {
			t.Fatal(err)
		}
	}
	if first != 2 || second != 2 {
		t.Errorf("asked %d and %d times, want 2 and 2", first, second)
	}
}

func TestSnapshot_saysWhetherACacheAnswered(t *testing.T) {
	for _, tc := range []struct{ name, value, want string }{
		{"X-Cache", "MISS", ""},
		{"X-Cache", "HIT from varnish", "X-Cache: HIT from varnish"},
		{"Age", "0", ""},
		{"Age", "35", "Age: 35"},
		{"X-Nextjs-Cache", "STALE", "X-Nextjs-Cache: STALE"},
		{"X-Nextjs-Cache", "REVALIDATED", ""},
	} {
		o := newOrigin(t, func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set(tc.name, tc.value)
			answerHTML(w, r)
		})
		s, err := o.Snapshot(t.Context(), Request{Path: path(t, "/a")})
		if err != nil || s.Cache.Hit != tc.want || s.Cache.Revalidated != (tc.value == "REVALIDATED") {
			t.Errorf("%s: %s: %+v, %v; want %q", tc.name, tc.value, s.Cache, err, tc.want)
		}
	}
}

func TestSnapshot_saysThatNitroKeepsThePage(t *testing.T) {
	const modified = "Mon, 23 Nov 2026 11:07:14 GMT"
	for _, tc := range []struct {
		kind           Kind
		modified, want string
	}{
		{Nuxt, modified, "Last-Modified: " + modified},
		{Nuxt, "", ""},
		{Plain, modified, ""},
	} {
		o := newOrigin(t, func(w http.ResponseWriter, r *http.Request) {
			if tc.modified != "" {
				w.Header().Set("Last-Modified", tc.modified)
			}
			answerHTML(w, r)
		}, kind(tc.kind))
		s, err := o.Snapshot(t.Context(), Request{Path: path(t, "/a")})
		if err != nil || s.Cache.Hit != tc.want {
			t.Errorf("%s, Last-Modified %q: %q, %v; want %q", tc.kind, tc.modified, s.Cache.Hit, err, tc.want)
		}
	}
}
