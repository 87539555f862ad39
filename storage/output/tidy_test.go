package output

import (
	"os"
	"testing"

	"github.com/google/go-cmp/cmp"

	"rebake/storage"
)

// tidied is what Tidy returns of a page, by its names alone.
func (s *site) tidied(path string, dry bool) (names []string) {
	s.t.Helper()
	list, err := s.Tidy(s.t.Context(), parse(path), s.prev[path], dry)
	if err != nil {
		s.t.Fatal(err)
	}
	for _, l := range list {
		names = append(names, l.Name)
	}
	return names
}

func (s *site) wantTidied(path string, dry bool, want ...string) {
	s.t.Helper()
	if diff := cmp.Diff(want, s.tidied(path, dry)); diff != "" {
		s.t.Errorf("tidied of %s (-want +got):\n%s", path, diff)
	}
}

func TestTidy_SidecarThatCompressDoesNotAskFor(t *testing.T) {
	s := newSite(t, "gzip", "br")
	s.put("/a", text(1, 4000))
	s = s.again("gzip")
	before := s.stat("a/index.html")
	s.wantTidied("/a", true, "a/index.html.br")
	s.wantNames("a/ a/index.html a/index.html.br a/index.html.gz")
	s.wantTidied("/a", false, "a/index.html.br")
	s.wantNames("a/ a/index.html a/index.html.gz")
	s.wantTidied("/a", false)
	if after := s.stat("a/index.html"); inode(after) != inode(before) || !after.ModTime().Equal(before.ModTime()) {
		t.Error("the page was touched")
	}
}

func TestTidy_SidecarWhosePageIsGone(t *testing.T) {
	s := newSite(t, "gzip")
	s.put("/a", text(1, 4000))
	if err := os.Remove(s.file("a/index.html")); err != nil {
		t.Fatal(err)
	}
	s.wantTidied("/a", false, "a/index.html.gz")
	s.wantNames("a/")
}

func TestTidy_SidecarIsForeignWherePageIsNotPublished(t *testing.T) {
	s := newSite(t, "gzip")
	s.put("/removed", "x")
	s.take("/removed")
	for _, path := range []string{"/removed", "/never"} {
		s.write(path+"/index.html.br", "theirs")
		s.wantTidied(path, false)
	}
	s.wantNames("never/ never/index.html.br removed/ removed/index.html.br")
}

func TestTidy_SidecarThatIsALink(t *testing.T) {
	s := newSite(t)
	s.put("/a", "x")
	if err := os.Symlink("index.html", s.file("a/index.html.gz")); err != nil {
		t.Fatal(err)
	}
	s.wantTidied("/a", false)
}

func TestTidy_EmptyFoldersOfARemovedPage(t *testing.T) {
	s := newSite(t)
	s.put("/a/b", "x")
	s.write("a/b/theirs.png", "")
	s.take("/a/b")
	s.wantTidied("/a/b", false)
	s.wantNames("a/ a/b/ a/b/theirs.png")
	if err := os.Remove(s.file("a/b/theirs.png")); err != nil {
		t.Fatal(err)
	}
	s.wantTidied("/a/b", true, "a/b/")
	s.wantNames("a/ a/b/")
	s.wantTidied("/a/b", false, "a/b/")
	s.wantNames("")
}

func TestTidy_EmptyFolderOfNoPage(t *testing.T) {
	s := newSite(t)
	if err := os.Mkdir(s.file("theirs"), 0o755); err != nil {
		t.Fatal(err)
	}
	s.wantTidied("/theirs", false)
	s.wantNames("theirs/")
}

func TestAltered(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*site)
		want   bool
	}{
		"as published": {func(*site) {}, false},
		"deleted":      {func(s *site) { _ = os.Remove(s.file("a/index.html")) }, false},
		"other bytes":  {func(s *site) { s.write("a/index.html", "y") }, true},
		"link": {func(s *site) {
			_ = os.Rename(s.file("a/index.html"), s.file("a/moved"))
			_ = os.Symlink("moved", s.file("a/index.html"))
		}, true},
		"folder is a file": {func(s *site) {
			_ = os.RemoveAll(s.file("a"))
			s.write("a", "")
		}, false},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSite(t)
			s.put("/a", "x")
			c.change(s)
			if got, err := s.Altered(parse("/a"), s.prev["/a"]); err != nil || got != c.want {
				t.Errorf("altered = %v, %v; want %v", got, err, c.want)
			}
		})
	}
}

func TestAltered_FileThatCannotBeReached(t *testing.T) {
	s := newSite(t)
	s.put("/a", "x")
	if err := os.RemoveAll(s.file("a")); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(t.TempDir(), s.file("a")); err != nil { // it leads out of the output
		t.Fatal(err)
	}
	if _, err := s.Altered(parse("/a"), s.prev["/a"]); err == nil {
		t.Error("no error")
	}
}

func TestTidy_TypeWithoutAFile(t *testing.T) {
	s := newSite(t)
	if _, err := s.Tidy(t.Context(), parse("/a"), storage.Published{Type: "image/png", Hash: "x"}, true); err == nil {
		t.Error("no error")
	}
}
