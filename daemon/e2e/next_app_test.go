package e2e

import (
	"encoding/json"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const nextScript = "next/dist/bin/next"

// newNextApp is what `next build` makes of the app.
func newNextApp(t *testing.T, source *source) *nodeApp {
	t.Helper()
	a := &nodeApp{
		folder: "next", script: nextScript, made: ".next",
		fits: func(major, minor int) bool { return major > 20 || major == 20 && minor >= 9 }, // package.json of next 16
	}
	a.prepare(t, source)
	return a
}

// nextInstance is one `next start`, with a cache of its own.
type nextInstance struct {
	url   string
	build string // the .next folder
}

// startNext starts an instance. There may be any number.
func startNext(t *testing.T, a *nodeApp, source *source) nextInstance {
	t.Helper()
	dir, addr := a.deploy(t), freePort(t)
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		t.Fatal(err)
	}
	p := start(t, source.env(), a.node.program, a.file("node_modules", nextScript), "start", "--hostname", host, "--port", port, dir)
	i := nextInstance{url: "http://" + addr, build: filepath.Join(dir, a.made)}
	p.awaitReady(func() bool { return answers(i.url + "/api/revalidate") })
	return i
}

// answers reports whether a server answers at all.
func answers(url string) bool {
	res, err := http.Get(url)
	if err != nil {
		return false
	}
	_ = res.Body.Close()
	return true
}

// buildID is what the addresses of _next/data begin with.
func (i nextInstance) buildID(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(i.build, "BUILD_ID"))
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(string(text))
}

// routed asks for a page as Next's app router does when somebody follows a
// link. The router knows what _rsc must be; who does not is redirected.
func routed(t *testing.T, site, path string) answer {
	t.Helper()
	ask := func(path string) answer {
		req := newRequest(t, http.MethodGet, site+path, "")
		req.Header.Set("RSC", "1")
		return newVisitor(t).do(t, req)
	}
	a := ask(path)
	if to := a.header.Get("Location"); a.status == http.StatusTemporaryRedirect && strings.HasPrefix(to, path+"?_rsc") {
		return ask(to)
	}
	return a
}

// dataTitle is the title in what Next's pages router asks for when somebody
// follows a link.
func dataTitle(t *testing.T, a answer) string {
	t.Helper()
	var data struct {
		PageProps struct{ Post struct{ Title string } }
	}
	if err := json.Unmarshal([]byte(a.body), &data); err != nil {
		t.Fatalf("%v in %s", err, a)
	}
	return data.PageProps.Post.Title
}
