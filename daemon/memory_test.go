package daemon

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"rebake/api"
)

// heavySource answers GET /posts/{slug} with a text: of many megabytes for a
// slug that begins with "big", of a few bytes, and late, for all others.
func heavySource(t *testing.T, size int) *httptest.Server {
	line := "<p>Half of the <b>flour</b>, all of the \u201cwater\u201d, and %d grams of salt.</p>\n"
	var text strings.Builder
	for i := 0; text.Len() < size; i++ {
		fmt.Fprintf(&text, line, i)
	}
	quoted := []byte(strconv.Quote(text.String()))
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		slug := strings.TrimPrefix(r.URL.Path, "/posts/")
		body := []byte(`"little"`)
		if strings.HasPrefix(slug, "big") {
			body = quoted
		} else {
			select {
			case <-time.After(time.Second):
			case <-r.Context().Done():
			}
		}
		fmt.Fprintf(w, `{"slug": %q, "version": 1, "text": `, slug)
		_, _ = w.Write(body)
		_, _ = w.Write([]byte("}"))
	}))
	t.Cleanup(s.Close)
	return s
}

// The promise: 16 pages of 10 MB at once, with 10,000 pages owed, take less
// than 256 MB of the process's memory.
func TestServe_LargePagesAtOnceStayWithinTheBudget(t *testing.T) {
	needRedis(t)
	if raceDetector {
		t.Skip("the race detector takes several times the memory; scripts/test runs it once more without")
	}
	const (
		large, size = 16, 10 << 20
		owed        = 10_000
		most        = 256 << 20
	)
	s := newTestSite(t, "")
	source := heavySource(t, size)
	s.replace("rebake.yaml", "timeout: 5s", "timeout: 30s, max_bytes: 33554432")
	s.replace("rebake.yaml", s.source.server.URL, source.URL)
	s.replace("rebake.yaml", "    tags: [\"post:{post.slug}\"]\n", "    gates: {max_bytes: 33554432}\n")
	s.write("templates/post.html", `<!doctype html><html><body>{{.post.slug}} version {{.post.version}}<br>{{trusted .post.text}}</body></html>`)
	p := s.start()
	for batch := range owed / 100 {
		var paths []string
		for i := range 100 {
			paths = append(paths, fmt.Sprintf("/p/%d-%d", batch, i))
		}
		s.mustTriggerLow(paths)
	}
	before := memoryPeak(t, p.cmd.Process.Pid)
	edits := words("now --no-wait")
	for i := range large {
		edits = append(edits, fmt.Sprint("/p/big-", i))
	}
	s.mustRun(edits)
	took := s.await("the large pages are published", patience, func() bool {
		for i := range large {
			if _, err := os.Stat(filepath.Join(s.dir, "public/p", fmt.Sprint("big-", i), "index.html")); err != nil {
				return false
			}
		}
		return true
	})
	peak := memoryPeak(t, p.cmd.Process.Pid)
	var status api.Status
	if err := json.Unmarshal([]byte(s.run("status", "--json").out), &status); err != nil {
		t.Fatal(err)
	}
	if status.Owed < owed*9/10 {
		t.Errorf("%d pages are owed at the end, want that most still are", status.Owed)
	}
	t.Logf("memory at most %d MB, %d MB before; %d pages of %d MB in %s", peak>>20, before>>20, large, size>>20, took)
	if peak > most {
		t.Errorf("the process took %d MB, want at most %d", peak>>20, most>>20)
	}
}

var peakLine = regexp.MustCompile(`VmHWM:\s+(\d+) kB`)

// memoryPeak is the most memory that a process has had resident, in bytes.
func memoryPeak(t *testing.T, pid int) int64 {
	t.Helper()
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		t.Fatal(err)
	}
	m := peakLine.FindSubmatch(b)
	if m == nil {
		t.Fatalf("no peak in %s", b)
	}
	kb, err := strconv.ParseInt(string(m[1]), 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	return kb << 10
}
