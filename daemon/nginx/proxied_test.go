package nginx_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"rebake/daemon/nginx"
	"rebake/daemon/nginx/nginxtest"
	"rebake/renderer/origin"
)

// newProxied is a site with an origin of the test's own.
func newProxied(t *testing.T, handler http.HandlerFunc, change ...func(*nginx.Config)) *originSite {
	t.Helper()
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	c := siteConfig(t, origin.WordPress)
	c.Origins[0].URLs = []string{server.URL}
	for _, f := range change {
		f(&c)
	}
	return newOriginSite(t, c)
}

func TestOrigin_getsTheRequestAsItIs(t *testing.T) {
	s := newOriginSite(t, siteConfig(t, origin.WordPress))
	for _, r := range []struct{ method, uri, body string }{
		{"POST", "/about", "a=1"},
		{"POST", "/caf%C3%A9%2Fb//c/?x=%20&utm_source=y", "a=1"},
		{"PUT", "/feed.xml", strings.Repeat("x", 2<<20)},
		{"DELETE", "/a%20b/", ""},
		{"GET", "/a%2Fb?x=1", ""},
		{"GET", "/a;b=c/%7Ed?utm_source=x", ""}, // by way of Rebake
		{"GET", "/x/../a%20b", ""},
	} {
		req, err := http.NewRequestWithContext(t.Context(), r.method, s.URL, strings.NewReader(r.body))
		if err != nil {
			t.Fatal(err)
		}
		req.URL.Opaque = r.uri // as it stands here
		req.Header.Set("Cookie", "session=1")
		req.Header.Set("Authorization", "Bearer x")
		req.Header.Set("X-Forwarded-For", "192.0.2.1")
		req.Header.Set("X-Real-IP", "192.0.2.1")
		req.Header.Set("X-Forwarded-Host", "evil.example")
		req.Header.Set("X-Forwarded-Proto", "ftp")
		req.Header.Set("X-WP-Nonce", "n")
		resp, err := http.DefaultTransport.RoundTrip(req)
		if err != nil {
			t.Fatal(err)
		}
		_ = resp.Body.Close()
		got := s.origin.requests()
		if len(got) != 1 {
			t.Fatalf("%s %s: %d requests came to the origin", r.method, r.uri, len(got))
		}
		body, err := io.ReadAll(got[0].Body)
		if err != nil {
			t.Fatal(err)
		}
		if got[0].Method != r.method || got[0].RequestURI != r.uri || string(body) != r.body || got[0].Host != "127.0.0.1" {
			t.Errorf("%s %s came as %s %s for %s with %d bytes", r.method, r.uri, got[0].Method, got[0].RequestURI, got[0].Host, len(body))
		}
		for name, want := range map[string]string{
			"Cookie": "session=1", "Authorization": "Bearer x", "X-Wp-Nonce": "n", "Connection": "", "Upgrade": "",
			"X-Forwarded-For": "127.0.0.1", "X-Real-Ip": "127.0.0.1", "X-Forwarded-Host": "127.0.0.1", "X-Forwarded-Proto": "https",
		} {
			if got := strings.Join(got[0].Header.Values(name), " and "); got != want {
				t.Errorf("%s %s: %s is %q, want %q", r.method, r.uri, name, got, want)
			}
		}
	}
	for _, r := range s.rebake.requests() {
		if r.Method != "GET" || r.Header.Get("Cookie")+r.Header.Get("Authorization") != "" {
			t.Errorf("%s %s came to rebake with %v", r.Method, r.RequestURI, r.Header)
		}
	}
}

func TestOrigin_answersTheVisitorAlone(t *testing.T) {
	s := newProxied(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header()["Set-Cookie"] = []string{"a=1; Path=/", "b=2; HttpOnly"}
		w.Header().Set("Cache-Control", "private, max-age=7")
		w.Header().Set("Content-Type", "text/html")
		w.Header().Set("Vary", "Cookie")
		w.WriteHeader(http.StatusNotFound)
		_, _ = io.WriteString(w, "the theme's 404")
	})
	for _, ask := range []string{"GET /missing", "GET /missing.png", "POST /a", "GET /a?x=1", "GET /wp-admin/"} {
		method, path, _ := strings.Cut(ask, " ")
		a := s.ask(method, path)
		s.want(a, http.StatusNotFound, "the theme's 404")
		s.wantHeaders(a, map[string]string{
			"Set-Cookie": "a=1; Path=/ and b=2; HttpOnly", "Cache-Control": "private, max-age=7", "Content-Type": "text/html", "Vary": "Cookie",
			"X-Content-Type-Options": "",
		})
	}
}

func TestOrigin_redirectsStayOnTheSite(t *testing.T) {
	s := newProxied(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Host != "cms.example.com" || r.Header.Get("X-Forwarded-Host") != "127.0.0.1" {
			t.Errorf("asked as %s for %s", r.Host, r.Header.Get("X-Forwarded-Host"))
		}
		w.Header().Set("Set-Cookie", "a=1; Domain=cms.example.com")
		w.Header().Set("Location", r.Header.Get("X-Location"))
		w.WriteHeader(http.StatusFound)
	}, func(c *nginx.Config) { c.Origins[0].Host = "cms.example.com" })
	for location, want := range map[string]string{
		"/new":                               "/new",
		"https://www.example.com/new":        "https://www.example.com/new",
		"https://elsewhere.example/new":      "https://elsewhere.example/new",
		s.config.Origins[0].URLs[0] + "/new": "https://127.0.0.1/new",
		"http://cms.example.com/new":         "https://127.0.0.1/new",
		"https://cms.example.com/new?a=b":    "https://127.0.0.1/new?a=b",
		"https://cms.example.com.evil/new":   "https://cms.example.com.evil/new",
		"https://login.example/?to=/new#top": "https://login.example/?to=/new#top",
	} {
		a := s.ask("GET", "/old", "X-Location", location)
		if a.StatusCode != http.StatusFound {
			t.Errorf("%d in the place of a redirect", a.StatusCode)
		}
		s.wantHeaders(a, map[string]string{"Location": want, "Set-Cookie": "a=1; Domain=127.0.0.1"})
	}
}

func TestOrigin_takesLargeBodiesUpToALimit(t *testing.T) {
	s := newOriginSite(t, siteConfig(t, origin.WordPress))
	for _, chunked := range []bool{false, true} {
		for size, want := range map[int]int{20 << 20: http.StatusNotFound, 64<<20 + 1: http.StatusRequestEntityTooLarge} {
			var body io.Reader = strings.NewReader(strings.Repeat("x", size))
			if chunked {
				body = io.MultiReader(body)
			}
			resp, err := http.Post(s.URL+"/wp-admin/async-upload.php", "application/octet-stream", body)
			if err != nil {
				t.Fatal(err)
			}
			_ = resp.Body.Close()
			if resp.StatusCode != want {
				t.Errorf("%d bytes, chunked %v: %d, want %d", size, chunked, resp.StatusCode, want)
			}
		}
	}
}

func TestOrigin_answersInParts(t *testing.T) {
	more := make(chan struct{})
	s := newProxied(t, func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, "first\n")
		_ = http.NewResponseController(w).Flush()
		select {
		case <-more:
		case <-r.Context().Done():
		}
		_, _ = io.WriteString(w, "second\n")
	}, func(c *nginx.Config) { c.Origins[0].Kind = "next" })
	resp, err := http.Get(s.URL + "/a?x=1")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	r := bufio.NewReader(resp.Body)
	if line, err := r.ReadString('\n'); line != "first\n" || err != nil {
		t.Fatalf("%q, %v", line, err)
	}
	close(more)
	if rest, err := io.ReadAll(r); string(rest) != "second\n" || err != nil {
		t.Errorf("%q, %v", rest, err)
	}
}

func TestOrigin_webSocket(t *testing.T) {
	s := newProxied(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Upgrade") != "WebSocket" || r.Header.Get("Connection") != "upgrade" {
			t.Errorf("Upgrade %q, Connection %q", r.Header.Get("Upgrade"), r.Header.Get("Connection"))
		}
		conn, rw, err := http.NewResponseController(w).Hijack()
		if err != nil {
			t.Error(err)
			return
		}
		defer conn.Close()
		fmt.Fprint(conn, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n")
		line, _ := rw.ReadString('\n')
		fmt.Fprint(conn, "echo "+line)
	})
	conn, err := net.Dial("tcp", strings.TrimPrefix(s.URL, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	fmt.Fprint(conn, "GET /socket HTTP/1.1\r\nHost: a\r\nUpgrade: WebSocket\r\nConnection: Upgrade\r\n\r\n")
	r := bufio.NewReader(conn)
	resp, err := http.ReadResponse(r, nil)
	if err != nil || resp.StatusCode != http.StatusSwitchingProtocols {
		t.Fatalf("%v, %v", resp, err)
	}
	fmt.Fprint(conn, "hello\n")
	if line, err := r.ReadString('\n'); line != "echo hello\n" || err != nil {
		t.Errorf("%q, %v", line, err)
	}
}

func TestOrigin_byTLSAndWithSeveralURLs(t *testing.T) {
	hits := make(chan string, 100)
	start := func(name string) string {
		server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			hits <- name + " as " + r.TLS.ServerName + " for " + r.Host
		}))
		t.Cleanup(server.Close)
		return strings.Replace(server.URL, "127.0.0.1", "localhost", 1)
	}
	c := siteConfig(t, origin.Plain)
	c.Site = "https://www.example.com:8443"
	c.Origins[0].URLs = []string{start("a"), start("b") + "/"}
	s := newOriginSite(t, c)
	seen := map[string]bool{}
	for range 40 { // localhost has two addresses, of which one does not answer
		s.ask("POST", "/x")
		seen[<-hits] = true
	}
	if want := "a as localhost for 127.0.0.1:8443"; !seen[want] || len(seen) != 2 {
		t.Errorf("asked were %v, not also %s", seen, want)
	}
}

// Whatever the user has in the server block stays the user's.
func TestInclude_OfAnOriginInServerBlockOfTheUser(t *testing.T) {
	o := newStubOf(t, "origin", nil)
	c := siteConfig(t, origin.Next)
	c.Origins[0].URLs = []string{o.URL, "http://127.0.0.1:1"}
	c.Output, c.Listen = t.TempDir(), "127.0.0.1:1"
	include, err := nginx.Include(c)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(include, "\n# app has 2 urls") {
		t.Errorf("nothing about the second URL in\n%s", include)
	}
	w := &web{t: t}
	w.Server = nginxtest.Start(t, func(addr string) string {
		return "server {\n listen " + addr + ";\n client_max_body_size 1k; error_page 404 /404.html; location = /404.html { return 404; }\n" +
			" location = /own { return 200 own; }\n location /static/ { return 418; }\n" + include + "}\n"
	})
	for range 4 {
		w.rows(row{"GET /", "origin"}, row{"POST /a", "origin"})
	}
	w.want(w.ask("POST", "/own?x=1"), http.StatusOK, "own")
	w.want(w.ask("GET", "/static/"), http.StatusTeapot, "")
	if log := w.ErrorLog(); strings.Contains(log, "[warn]") || strings.Contains(log, "uninitialized") {
		t.Errorf("nginx warns:\n%s", log)
	}
}

func TestOrigin_answersWhenRebakeIsDown(t *testing.T) {
	s := newOriginSite(t, siteConfig(t, origin.WordPress))
	s.put("/a", html, "a file")
	s.rebake.Close()
	s.rows(row{"GET /a", "file"}, row{"GET /missing", "origin"}, row{"HEAD /missing", "origin"}, row{"GET /missing.xml", "origin"}, row{"GET /missing.png", "origin"})
	if a := s.ask("GET", "/private"); a.StatusCode != http.StatusOK {
		t.Errorf("a page of the origin: %d", a.StatusCode)
	}

	s.origin.Close()
	s.want(s.ask("GET", "/a"), http.StatusOK, "a file")
	for _, ask := range []string{"GET /missing", "GET /missing.png", "POST /a", "GET /a?x=1", "GET /wp-admin/"} {
		method, path, _ := strings.Cut(ask, " ")
		a := s.ask(method, path)
		if a.StatusCode != http.StatusServiceUnavailable {
			t.Errorf("%s with all down: %d", ask, a.StatusCode)
		}
		s.wantHeaders(a, map[string]string{"Cache-Control": "no-store", "Content-Type": "text/plain; charset=utf-8", "Retry-After": "5"})
	}
}
