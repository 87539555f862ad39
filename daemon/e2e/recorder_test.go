package e2e

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
)

// recorder stands between Rebake and what it reads pages from, and keeps what
// Rebake has asked. Visitors do not come by it.
type recorder struct {
	addr string

	mu   sync.Mutex
	seen []asked // guarded by mu
}

// asked is one request, as the upstream got it.
type asked struct {
	method string
	url    *url.URL
	header http.Header
}

func (a asked) String() string { return fmt.Sprintf("%s %s %v", a.method, a.url, a.header) }

// newRecorder passes all requests on to the server at addr, unchanged.
func newRecorder(t *testing.T, addr string) *recorder {
	t.Helper()
	r := &recorder{}
	proxy := &httputil.ReverseProxy{Rewrite: func(p *httputil.ProxyRequest) {
		p.Out.URL.Scheme, p.Out.URL.Host, p.Out.Host = "http", addr, p.In.Host
		for name, values := range p.In.Header {
			if strings.HasPrefix(name, "X-Forwarded-") {
				p.Out.Header[name] = values
			}
		}
	}}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		r.mu.Lock()
		r.seen = append(r.seen, asked{req.Method, req.URL, req.Header.Clone()})
		r.mu.Unlock()
		proxy.ServeHTTP(w, req)
	}))
	t.Cleanup(server.Close)
	r.addr = server.Listener.Addr().String()
	return r
}

// requests are those so far.
func (r *recorder) requests() []asked {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.seen)
}
