package setup

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"rebake/renderer/upstream"
)

// limits are those of one request. A home page has its pictures elsewhere.
var limits = upstream.Config{Timeout: 10 * time.Second, Concurrency: 2, MaxBytes: 8 << 20}

// visitor asks a server in the form in which Rebake asks origins.
type visitor struct {
	client *upstream.Client
	base   *url.URL // where requests are sent to
	scheme string   // by which visitors come
	host   string   // for which the server is asked
}

// answer is a complete answer, whatever its status.
type answer struct {
	status int
	header http.Header
	body   []byte
	url    *url.URL // that visitors see
}

// get asks for an escaped path, maybe with a query. Redirects are answers.
func (v visitor) get(ctx context.Context, target string) (answer, error) {
	seen, err := url.Parse(v.scheme + "://" + v.host + target)
	if err != nil {
		return answer{}, fmt.Errorf("ask %s for %.200q: it cannot be parsed", v.base, target)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, v.base.Scheme+"://"+v.base.Host+target, nil)
	if err != nil {
		return answer{}, fmt.Errorf("ask %s for %.200q: it cannot be parsed", v.base, target)
	}
	req.Host = v.host
	req.Header.Set("Accept", "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8")
	req.Header.Set("Cache-Control", "no-cache")
	req.Header.Set("User-Agent", "rebake")
	req.Header.Set("X-Forwarded-Proto", v.scheme)
	req.Header.Set("X-Forwarded-Host", v.host)
	resp, err := v.client.Do(ctx, req, true, func(*http.Response) error { return nil })
	if err != nil {
		return answer{}, fmt.Errorf("ask %s%s: %w", v.base, req.URL.EscapedPath(), err)
	}
	return answer{status: resp.Status, header: resp.Header, body: resp.Body, url: seen}, nil
}

// location returns where a redirect leads, nil for any other answer.
func (a answer) location() *url.URL {
	if a.status < 300 || a.status > 399 || a.header.Get("Location") == "" {
		return nil
	}
	to, err := a.url.Parse(a.header.Get("Location"))
	if err != nil || to.Host == "" || (to.Scheme != "http" && to.Scheme != "https") {
		return nil
	}
	to.Fragment = ""
	if to.Path == "" {
		to.Path = "/"
	}
	return to
}
