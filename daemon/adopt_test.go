package daemon

import (
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"rebake/storage/redistest"
)

// A Redis that was lost does not know the files that lie in the output: they
// are somebody else's until they are adopted.
func TestBuild_Adopt(t *testing.T) {
	redis := redistest.Start(t)
	s := newTestSite(t, "redis: "+redis.Addr())
	s.source.edit("a")
	s.write("public/p/a/index.html", "<html>from before</html>")
	s.write("public/p/a/index.html.gz", "its sidecar")
	s.write("public/robots.txt", "somebody else's")
	s.start()
	status, text := s.trigger(url.Values{"path": {"/p/a"}, "wait": {"1m"}})
	if status != 500 || !strings.Contains(text, "not written by rebake") || !strings.Contains(text, "rebake build --adopt") {
		t.Fatalf("before: %d %s", status, text)
	}
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command(rebakeLink(t, exe), "build", "--adopt", "--config", filepath.Join(s.dir, "rebake.yaml")).CombinedOutput()
	if err != nil || !strings.Contains(string(out), "1 files adopted, 0 known already, 1 that no route matches left alone") {
		t.Fatalf("build --adopt: %v\n%s", err, out)
	}
	if status, text := s.trigger(url.Values{"path": {"/p/a"}, "wait": {"1m"}}); status != 200 || !s.shows("a") {
		t.Errorf("after: %d %s, page %q", status, text, s.file("a"))
	}
	if got := read(t, s, "public/robots.txt"); got != "somebody else's" {
		t.Errorf("robots.txt is %q", got)
	}
}
