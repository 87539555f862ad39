package daemon

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"rebake/worker"
)

// unroutedSite runs rebake over a site with the pages /p/kept and /p/old; the
// route of the latter was taken out of the config.
func unroutedSite(t *testing.T) *testSite {
	t.Helper()
	t.Parallel()
	needRedis(t)
	s := newTestSite(t, "")
	first := s.start()
	s.source.edit("kept")
	s.source.edit("old")
	s.awaitPublished("kept", "old")
	s.mustRun(words("now /p/kept /p/old"), "2 pages in")
	first.stop()
	text, err := os.ReadFile(filepath.Join(s.dir, "rebake.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	s.write("rebake.yaml", strings.Replace(string(text), "/p/{slug}\n", "/p/k{slug}\n", 1))
	s.write("public/p/theirs/index.html", "theirs")
	s.start()
	return s
}

func TestGC(t *testing.T) {
	s := unroutedSite(t)
	s.mustRun(words("gc --dry-run"), "page     /p/old  no route matches it", "would take away 1 page; nothing was touched")
	if s.file("old") == "" {
		t.Error("the dry run has removed /p/old")
	}
	s.mustRun(words("gc"), "page     /p/old  no route matches it", "took away 1 page")
	if s.file("old") != "" || s.file("kept") == "" || s.file("theirs") != "theirs" {
		t.Errorf("/p/old is %q, /p/kept %q, /p/theirs %q", s.file("old"), s.file("kept"), s.file("theirs"))
	}
	s.mustRun(words("gc"), "nothing to take away")
}

func TestGC_leavesAFileThatIsNotAsItWasPublished(t *testing.T) {
	s := unroutedSite(t)
	s.write("public/p/old/index.html", "theirs")
	s.mustRun(words("gc"), "left     /p/old  its file is not what was published", "nothing to take away", "1 left alone")
	if s.file("old") != "theirs" {
		t.Errorf("/p/old is %q", s.file("old"))
	}
}

func TestGC_forPrograms(t *testing.T) {
	s := unroutedSite(t)
	got := s.run("gc", "--json")
	var item worker.GCItem
	if err := json.Unmarshal([]byte(got.out), &item); err != nil {
		t.Fatalf("%v: %s%s", err, got.out, got.err)
	}
	want := worker.GCItem{Kind: worker.GCPage, Name: "/p/old", Why: "no route matches it"}
	if diff := cmp.Diff(want, item); diff != "" {
		t.Errorf("item (-want +got):\n%s", diff)
	}
}

func TestGC_whileHeld(t *testing.T) {
	s := unroutedSite(t)
	s.mustRun(words("hold incident"))
	s.mustFail(exitFailed, words("gc"), "publishing is held", "rebake resume")
	if s.file("old") == "" {
		t.Error("the page was removed")
	}
}

func TestGC_withoutServe(t *testing.T) {
	t.Parallel()
	s := newTestSite(t, "")
	s.mustFail(exitFailed, words("gc"), "no admin token")
}
