package api

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"
	"unicode"

	"golang.org/x/sys/unix"
)

// The tests here are rows of the fault matrix that belong to no one route.

// visit asks for a page as nginx does when it has no file, with headers of the
// form "Name: value".
func (s *wholeSite) visit(method, path string, headers ...string) *httptest.ResponseRecorder {
	s.t.Helper()
	w := httptest.NewRecorder() // answers to visitors are no JSON
	s.Public().ServeHTTP(w, newRequest(method, path, "", headers...))
	return w
}

// TestRevalidate_refusalsAreLoggedAndCounted holds for all rows of 2A: one line
// in the log with the path escaped, and one more in the metrics.
func TestRevalidate_refusalsAreLoggedAndCounted(t *testing.T) {
	for _, h := range hostilePaths() {
		f := newFixture(t)
		f.revalidate("GET", "path="+h.sent, "").wants(400, h.code)
		line := f.logs.String()
		if strings.Count(line, "\n") != 1 || !strings.Contains(line, `"code":"`+h.code+`"`) || strings.ContainsFunc(strings.TrimSuffix(line, "\n"), unicode.IsControl) {
			t.Errorf("%s: the log is %q, want one line with the code", h.name(), line)
		}
		w := httptest.NewRecorder()
		f.Admin().ServeHTTP(w, newRequest("GET", "/metrics", "", admin))
		if want := `rebake_requests_refused_total{code="` + h.code + `"} 1`; !strings.Contains(w.Body.String(), want) {
			t.Errorf("%s: the metrics hold no %s", h.name(), want)
		}
	}
}

// TestSite_H40_forgedHeadersChangeNoPage has the page rendered for a visitor
// who sends them all.
func TestSite_H40_forgedHeadersChangeNoPage(t *testing.T) {
	t.Parallel()
	s := newWholeSite(t)
	s.start()
	s.cms.set("forged", "Title")
	s.cms.set("plain", "Title")
	first := s.visit("GET", "/blog/forged", append(forged, "Host: evil.example", "Accept: application/json", "RSC: 1", "X-Nextjs-Data: 1")...)
	plain := s.visit("GET", "/blog/plain")
	if first.Code != 200 || first.Body.String() != plain.Body.String() {
		t.Errorf("with forged headers the page is %d %q, without %q", first.Code, first.Body, plain.Body)
	}
	if strings.Contains(first.Body.String(), "evil") {
		t.Errorf("the page holds what a visitor sent: %s", first.Body)
	}
}

// TestSite_answersToVisitorsAreStoredOnlyWhenTheyArePages asks in every way
// that net/http knows other answers for.
func TestSite_answersToVisitorsAreStoredOnlyWhenTheyArePages(t *testing.T) {
	t.Parallel()
	s := newWholeSite(t)
	s.start()
	s.cms.set("a", "Title")
	s.visit("GET", "/blog/a")
	for _, c := range []struct {
		method, path, header string
		status               int
		cached               string
	}{
		{"GET", "/blog/a", "X: y", 200, "public, max-age=0, must-revalidate"},
		{"GET", "/blog/a", "Range: bytes=0-1", 200, "public, max-age=0, must-revalidate"},
		{"GET", "/blog/a", "Range: bytes=999999-", 200, "public, max-age=0, must-revalidate"},
		{"GET", "/blog/a", `If-Match: "other"`, 200, "public, max-age=0, must-revalidate"},
		{"GET", "/blog/a", "If-Unmodified-Since: Mon, 01 Jan 1990 00:00:00 GMT", 200, "public, max-age=0, must-revalidate"},
		{"GET", "/blog/a", "If-Modified-Since: Mon, 01 Jan 2990 00:00:00 GMT", 304, "public, max-age=0, must-revalidate"},
		{"HEAD", "/blog/a", "X: y", 200, "public, max-age=0, must-revalidate"},
		{"GET", "/blog/none", "X: y", 404, "no-store"},
		{"HEAD", "/blog/none", "X: y", 404, "no-store"},
		{"GET", "/no/route", "X: y", 404, "no-store"},
		{"GET", "/.env", "X: y", 404, "no-store"},
		{"POST", "/blog/a", "X: y", 404, "no-store"},
		{"OPTIONS", "/blog/a", "X: y", 404, "no-store"},
		{"DELETE", "/api/revalidate", "X: y", 405, "no-store"},
	} {
		w := s.visit(c.method, c.path, c.header)
		if got := w.Header().Get("Cache-Control"); w.Code != c.status || got != c.cached {
			t.Errorf("%s %s with %s: %d, Cache-Control %q; want %d, %q", c.method, c.path, c.header, w.Code, got, c.status, c.cached)
		}
	}
	s.cms.failing()
	if w := s.visit("GET", "/blog/failing"); w.Code != 503 || w.Header().Get("Cache-Control") != "no-store" {
		t.Errorf("of a failing source: %d, Cache-Control %q", w.Code, w.Header().Get("Cache-Control"))
	}
}

// TestRevalidate_H44_hostileJSONTakesNoTime sends the most that a body may
// hold. The row wants 10 ms for 256 KiB; the limit leaves room for 1 MiB and the
// race detector, and catches what grows with the square. It is one of CPU time,
// since the machine may have other things to do.
func TestRevalidate_H44_hostileJSONTakesNoTime(t *testing.T) {
	fill := func(head, part, tail string) string {
		return head + strings.Repeat(part, (1<<20-len(head)-len(tail))/len(part)) + tail
	}
	var names strings.Builder
	for i := 0; names.Len() < 1<<20-20; i++ {
		fmt.Fprintf(&names, `"%d":0,`, i)
	}
	for name, body := range map[string]string{
		"depth":          fill(`{"path":`, "[", ""),
		"deep objects":   fill("", `{"x":`, ""),
		"paths":          fill(`{"paths":["/a"`, `,"/a"`, "]}"),
		"tags":           fill(`{"tags":["a"`, `,"b"`, "]}"),
		"commas in tags": fill(`{"tags":"a`, ",", `"}`),
		"names":          "{" + names.String() + `"path":"/a"}`,
		"escapes":        fill(`{"path":"/`, `\u0041`, `"}`),
		"long number":    fill(`{"postId":1`, "0", "}"),
		"slashes":        fill(`{"path":"`, "/", `"}`),
		"combining":      fill(`{"path":"/a`, "\u0301", `"}`),
		"spaces":         fill(`{"path":"/a"`, " ", "}"),
	} {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t)
			before := cpuTime(t)
			f.revalidate("POST", "", body)
			if took := cpuTime(t) - before; took > 2*time.Second {
				t.Errorf("%d bytes took %s", len(body), took)
			}
		})
	}
}

// cpuTime is what this process has used so far.
func cpuTime(t *testing.T) time.Duration {
	t.Helper()
	var used unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_SELF, &used); err != nil {
		t.Fatal(err)
	}
	return time.Duration(used.Utime.Nano() + used.Stime.Nano())
}

// TestAnswers_H49_holdNoMarkup is about what browsers could take for a page.
// There is no dashboard yet; all answers are JSON, and say so.
func TestAnswers_H49_holdNoMarkup(t *testing.T) {
	f := newFixture(t)
	for _, text := range []string{"<script>alert(1)</script>", `"><img src=x onerror=alert(1)>`, "javascript:alert(1)//<", "</title><svg/onload=1>"} {
		quoted := strings.NewReplacer("%", "%25", "<", "%3C", ">", "%3E", `"`, "%22", " ", "%20", "/", "%2F", ";", "%3B").Replace(text)
		for _, w := range []response{
			f.revalidate("GET", "path=/"+quoted, ""),
			f.revalidate("GET", "path=/a&wait="+quoted, ""),
			f.revalidate("GET", "tag="+quoted, ""),
			do(t, f.Admin(), "GET", "/v1/explain?path=/"+quoted, "", admin),
		} {
			if body := w.Body.String(); strings.ContainsAny(body, "<>") {
				t.Errorf("%d: markup in %s", w.Code, body)
			}
		}
	}
}

// TestListener_H43_connectionsAreCapped opens as many as there may be, and one
// more, which is served when another one ends.
func TestListener_H43_connectionsAreCapped(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	const most = 8
	f := newFixture(t)
	r := run(t, f.Public(), time.Second, nil, newConnections(l.(*net.TCPListener), most))
	var open []net.Conn
	for range most {
		c := dial(t, r, "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
		if _, err := c.Read(make([]byte, 1)); err != nil {
			t.Fatal(err)
		}
		open = append(open, c)
	}
	late := dial(t, r, "GET /api/revalidate HTTP/1.1\r\nHost: x\r\n\r\n")
	_ = late.SetReadDeadline(time.Now().Add(50 * time.Millisecond))
	if _, err := late.Read(make([]byte, 1)); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("one connection too many: %v, want no answer", err)
	}
	_ = open[0].Close()
	_ = late.SetReadDeadline(time.Now().Add(patience))
	res, err := http.ReadResponse(bufio.NewReader(late), nil)
	if err != nil {
		t.Fatal(err)
	}
	_, _ = io.Copy(io.Discard, res.Body)
	_ = res.Body.Close()
}

func TestListen_H43_capsConnections(t *testing.T) {
	l, err := listenTCP("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if cap(l.slots) != maxConnections {
		t.Errorf("it takes %d connections, want %d", cap(l.slots), maxConnections)
	}
}

func TestConnections_H43_closeEndsAnAcceptThatWaits(t *testing.T) {
	inner, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l := newConnections(inner.(*net.TCPListener), 0)
	accepted := make(chan error)
	go func() { _, err := l.Accept(); accepted <- err }()
	if err := l.Close(); err != nil {
		t.Error(err)
	}
	if err := <-accepted; !errors.Is(err, net.ErrClosed) {
		t.Errorf("Accept: %v, want %v", err, net.ErrClosed)
	}
}

// TestListener_H42_refusalReachesWhoStillSends sends more than is read. The
// sender gets the reason, and not only a broken connection.
func TestListener_H42_refusalReachesWhoStillSends(t *testing.T) {
	f := newFixture(t)
	r := run(t, f.Public(), time.Second, nil)
	for range 5 {
		res, err := r.client.Post(r.url("/api/revalidate?path=/a&secret="+secret), "application/json", io.LimitReader(endless{}, 3<<20))
		if err != nil {
			t.Fatal(err)
		}
		_ = res.Body.Close()
		if res.StatusCode != 413 || res.Header.Get("Cache-Control") != "no-store" {
			t.Errorf("status %d, Cache-Control %q; want 413 and no-store", res.StatusCode, res.Header.Get("Cache-Control"))
		}
	}
	f.idle()
}
