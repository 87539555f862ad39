package e2e

import (
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strings"
	"testing"
)

// answer is what somebody got from a server.
type answer struct {
	status int
	header http.Header
	body   string
}

func (a answer) String() string { return fmt.Sprintf("%d %v\n%s", a.status, a.header, a.body) }

// visitor is somebody with a browser: it keeps cookies, and shows redirects
// instead of following them.
type visitor struct{ client http.Client }

func newVisitor(t *testing.T) *visitor {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	return &visitor{http.Client{
		Jar: jar, Timeout: hung,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

// stranger is a visitor without cookies.
func stranger() *visitor {
	return &visitor{http.Client{Timeout: hung, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}}
}

func (v *visitor) do(t *testing.T, req *http.Request) answer {
	t.Helper()
	a, err := v.try(req)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// try is do where there is no test to end.
func (v *visitor) try(req *http.Request) (answer, error) {
	res, err := v.client.Do(req)
	if err != nil {
		return answer{}, err
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	return answer{res.StatusCode, res.Header, string(b)}, err
}

func (v *visitor) get(t *testing.T, url string) answer {
	t.Helper()
	return v.do(t, newRequest(t, http.MethodGet, url, ""))
}

// post sends a form.
func (v *visitor) post(t *testing.T, url string, form url.Values) answer {
	t.Helper()
	req := newRequest(t, http.MethodPost, url, form.Encode())
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	return v.do(t, req)
}

// get is the first visit of somebody new.
func get(t *testing.T, url string) answer {
	t.Helper()
	return newVisitor(t).get(t, url)
}

func newRequest(t *testing.T, method, url, body string) *http.Request {
	t.Helper()
	req, err := http.NewRequest(method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	return req
}
