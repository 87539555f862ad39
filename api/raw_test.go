package api

import (
	"bufio"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"
)

// exchange sends a text as it is, and returns all that comes back until the
// server closes, or has answered and says nothing more.
func exchange(t *testing.T, r *running, text string) []*http.Response {
	t.Helper()
	conn := dial(t, r, text)
	var answers []*http.Response
	for br := bufio.NewReader(conn); ; {
		res, err := http.ReadResponse(br, nil)
		if err != nil {
			return answers
		}
		body, err := io.ReadAll(res.Body)
		if err != nil {
			t.Fatalf("read answer to %.60q: %v", text, err)
		}
		_ = res.Body.Close()
		res.Body = io.NopCloser(strings.NewReader(string(body)))
		answers = append(answers, res)
	}
}

// soonIdle lets connections end when they say nothing more.
func soonIdle(s *http.Server) { s.IdleTimeout = 50 * time.Millisecond }

// TestListener_refusalsAreNotStored is about what net/http answers by itself:
// a cache on the way must keep none of it.
func TestListener_refusalsAreNotStored(t *testing.T) {
	f := newFixture(t)
	r := run(t, f.Public(), time.Second, soonIdle)
	for text, status := range map[string]int{
		"GET / HTTP/1.1\r\n\r\n":                                                                         400, // no Host
		"GET / HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n":                                                   400,
		"GET / HTTP/1.1\r\nHost: x\r\na b: c\r\n\r\n":                                                    400,
		"GET / HTTP/1.1\r\nHost: x\r\nA: " + strings.Repeat("x", 1<<15) + "\r\n\r\n":                     431,
		"GET /" + strings.Repeat("x", 1<<15) + " HTTP/1.1\r\nHost: x\r\n\r\n":                            431,
		"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip, chunked\r\n\r\n":                         501,
		"GET / HTTP/3.0\r\nHost: x\r\n\r\n":                                                              505,
		"GET /%zz HTTP/1.1\r\nHost: x\r\n\r\n":                                                           400,
		"OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n":                                                          404,
		"TRACE /api/revalidate HTTP/1.1\r\nHost: x\r\n\r\n":                                              405,
		"GET /nothing HTTP/1.0\r\n\r\n":                                                                  404,
		"POST /api/revalidate HTTP/1.1\r\nHost: x\r\nContent-Encoding: br\r\nContent-Length: 1\r\n\r\nx": 415,
	} {
		answers := exchange(t, r, text)
		if len(answers) != 1 || answers[0].StatusCode != status {
			t.Errorf("%.60q: %d answers, want one %d: %v", text, len(answers), status, answers)
			continue
		}
		if got := answers[0].Header.Get("Cache-Control"); got != "no-store" {
			t.Errorf("%.60q: %d with Cache-Control %q, want no-store", text, status, got)
		}
	}
	f.idle()
}

// TestListener_H46_smuggledRequests hides a trigger in the body of another
// request. The one who hides it has no secret; the one whose connection it is
// has one. A request that is read otherwise than its sender meant it must not
// become two.
func TestListener_H46_smuggledRequests(t *testing.T) {
	hidden := "GET /api/revalidate?path=/hidden HTTP/1.1\r\nHost: x\r\n\r\n"
	post := "POST /api/revalidate?path=/a&secret=" + secret + " HTTP/1.1\r\nHost: x\r\n"
	for _, c := range []struct {
		name, text string
		statuses   string
	}{
		{"two lengths", post + fmt.Sprintf("Content-Length: 0\r\nContent-Length: %d\r\n\r\n%s", len(hidden), hidden), "[400]"},
		{"two lengths in one", post + fmt.Sprintf("Content-Length: 0, %d\r\n\r\n%s", len(hidden), hidden), "[400]"},
		{"signed length", post + "Content-Length: +0\r\n\r\n" + hidden, "[400]"},
		{"negative length", post + "Content-Length: -1\r\n\r\n" + hidden, "[400]"},
		{"space before the colon", post + "Content-Length : 0\r\n\r\n", "[400]"},
		{"unknown encoding", post + "Transfer-Encoding: xchunked\r\n\r\n" + hidden, "[501]"},
		{"two encodings", post + "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n" + hidden, "[501]"},
		{"encoding behind a vertical tab", post + "Transfer-Encoding:\vchunked\r\n\r\n" + hidden, "[400]"},
		{"chunk length that is too large", post + "Transfer-Encoding: chunked\r\n\r\n10000000000000000\r\n" + hidden, "[400]"},
		{"lone line feed in a chunk length", post + "Transfer-Encoding: chunked\r\n\r\n0;\n\r\n\r\n", "[400]"},
		{"carriage return in a header", post + "X: y\rContent-Length: 5\r\n\r\n", "[400]"},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := newFixture(t)
			var statuses []int
			for _, res := range exchange(t, run(t, f.Public(), time.Second, soonIdle), c.text) {
				statuses = append(statuses, res.StatusCode)
			}
			if fmt.Sprint(statuses) != c.statuses {
				t.Errorf("answers are %v, want %s", statuses, c.statuses)
			}
			f.idle()
		})
	}
}

// TestListener_H46_lengthAndChunks sends both, which net/http reads as chunks,
// as the RFC has it. What follows is a request of its own, and has to bring its
// own secret. (nginx refuses such requests, see daemon/nginx.)
func TestListener_H46_lengthAndChunks(t *testing.T) {
	f := newFixture(t)
	text := "POST /api/revalidate?path=/a&secret=" + secret + " HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" +
		"GET /api/revalidate?path=/hidden HTTP/1.1\r\nHost: x\r\n\r\n"
	answers := exchange(t, run(t, f.Public(), time.Second, soonIdle), text)
	if len(answers) == 0 || answers[0].StatusCode != 200 || len(answers) > 1 && answers[1].StatusCode != 401 {
		t.Errorf("answers are %v, want 200, and at most one 401 more", answers)
	}
	f.triggered("/a")
}

// TestListener_H46_foldedHeader sends a header on two lines. The second is part
// of the first one's value, and never a header of its own.
func TestListener_H46_foldedHeader(t *testing.T) {
	f := newFixture(t)
	text := "POST /api/revalidate?path=/a&secret=" + secret + " HTTP/1.1\r\nHost: x\r\nX: y\r\n Transfer-Encoding: chunked\r\nContent-Length: 0\r\n\r\n"
	if answers := exchange(t, run(t, f.Public(), time.Second, soonIdle), text); len(answers) != 1 || answers[0].StatusCode != 200 {
		t.Errorf("answers are %v, want one 200", answers)
	}
	f.triggered("/a")
}

// H40, H41, H08: what proxies take for an order is a bad request here, or a
// page that there is none of.
func TestListener_H41_otherProtocols(t *testing.T) {
	for name, text := range map[string]string{
		"PRI":           "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
		"absolute form": "GET http://169.254.169.254/latest HTTP/1.1\r\nHost: x\r\n\r\n",
		"CONNECT":       "CONNECT 169.254.169.254:80 HTTP/1.1\r\nHost: 169.254.169.254:80\r\n\r\n",
		"upgrade":       "GET /api/revalidate HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n",
		"upgrade to h2": "GET /x HTTP/1.1\r\nHost: x\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAoAAAAAIAAAAA\r\n\r\n",
	} {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t)
			for _, res := range exchange(t, run(t, f.Public(), time.Second, soonIdle), text) {
				if res.StatusCode < 400 {
					t.Errorf("the answer is %d", res.StatusCode)
				}
			}
			f.idle()
		})
	}
}
