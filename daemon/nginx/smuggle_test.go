package nginx_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"
)

// TestH46_smuggledRequests sends what two servers could read differently. One
// that is not refused comes to Rebake once, and is all that comes.
func TestH46_smuggledRequests(t *testing.T) {
	w := newWeb(t)
	hidden := "GET /api/revalidate?path=/hidden HTTP/1.1\r\nHost: x\r\n\r\n"
	const post = "POST /api/revalidate?path=/a HTTP/1.1\r\nHost: x\r\n"
	for name, text := range map[string]string{
		"length and chunks":    post + "Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + hidden,
		"chunks and length":    post + "Transfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n0\r\n\r\n" + hidden,
		"two lengths":          post + fmt.Sprintf("Content-Length: 0\r\nContent-Length: %d\r\n\r\n%s", len(hidden), hidden),
		"two encodings":        post + "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n0\r\n\r\n" + hidden,
		"unknown encoding":     post + "Transfer-Encoding: xchunked\r\n\r\n" + hidden,
		"folded encoding":      post + "X: y\r\n Transfer-Encoding: chunked\r\nContent-Length: 0\r\n\r\n",
		"line feeds":           strings.ReplaceAll(post, "\r\n", "\n") + "Content-Length: 0\n\n",
		"space in the name":    post + "Content-Length : 0\r\n\r\n",
		"chunk without an end": post + "Transfer-Encoding: chunked\r\n\r\n5\r\n0\r\n\r\n" + hidden,
		"length in the path":   "GET /api/revalidate?path=/a HTTP/1.1\r\nContent-Length: 0 HTTP/1.1\r\nHost: x\r\n\r\n",
	} {
		t.Run(name, func(t *testing.T) {
			status := w.raw(text)
			got := w.rebake.requests()
			if len(got) > 1 || len(got) == 1 && got[0].URL.Query().Get("path") != "/a" {
				t.Errorf("%d requests came to rebake, the last for %s", len(got), got[len(got)-1].URL)
			}
			if refused := status != http.StatusNotFound; refused != (len(got) == 0) { // 404 is the stub's
				t.Errorf("the answer is %d, and %d requests came to rebake", status, len(got))
			}
		})
	}
}

// raw sends a text as it is, and then, on the same connection, a request to end
// it: what was hidden in the text is read before. It returns the status of the
// first answer, 0 when there is none.
func (w *web) raw(text string) int {
	w.t.Helper()
	c, err := net.Dial("tcp", strings.TrimPrefix(w.URL, "http://"))
	if err != nil {
		w.t.Fatal(err)
	}
	defer c.Close()
	_ = c.SetDeadline(time.Now().Add(time.Minute)) // one that nobody answers fails the test
	if _, err := io.WriteString(c, text); err != nil {
		w.t.Fatal(err)
	}
	br := bufio.NewReader(c)
	res, err := http.ReadResponse(br, nil)
	if err != nil {
		return 0
	}
	defer res.Body.Close()
	_, _ = io.Copy(io.Discard, res.Body)
	_, _ = io.WriteString(c, "GET /.end HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
	_, _ = io.Copy(io.Discard, br)
	return res.StatusCode
}
