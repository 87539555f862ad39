package output

import (
	"errors"
	"fmt"
	"os"
	"sync"
	"testing"

	"rebake/storage"
)

func TestRemove_TakesSidecarsAndEmptyFolders(t *testing.T) {
	s := newSite(t, "gzip", "br")
	s.put("/a/b/c", text(1, 4000))
	s.put("/other", "x")
	if !s.take("/a/b/c").Changed {
		t.Error("a removal is reported as no change")
	}
	s.wantNames("other/ other/index.html")
}

func TestRemove_KeepsFoldersThatHoldSomething(t *testing.T) {
	s := newSite(t)
	s.put("/a", "x")
	s.put("/a/b/c", "x")
	s.write("a/b/theirs.png", "")
	s.take("/a/b/c")
	s.take("/a")
	s.wantNames("a/ a/b/ a/b/theirs.png")
}

func TestRemove_RootPageKeepsTheRoot(t *testing.T) {
	s := newSite(t)
	s.put("/", "x")
	s.take("/")
	s.wantNames("")
}

func TestRemove_KeepsLinkedFolder(t *testing.T) {
	s := newSite(t)
	s.write("articles/theirs", "")
	if err := os.Symlink("articles", s.file("blog")); err != nil {
		t.Fatal(err)
	}
	s.put("/blog/a", "x")
	s.take("/blog/a")
	s.wantNames("articles/ articles/theirs blog")
}

func TestRemove_ForeignFile(t *testing.T) {
	s := newSite(t)
	s.write("a/index.html", "theirs")
	if _, err := s.Remove(t.Context(), parse("/a"), storage.Published{}, keepForeign); !errors.Is(err, storage.ErrForeign) {
		t.Errorf("error %v, want %v", err, storage.ErrForeign)
	}
	s.wantNames("a/ a/index.html")
	cfg := s.cfg
	cfg.Adopt = true
	s = openSite(t, cfg)
	if _, err := s.Remove(t.Context(), parse("/a"), storage.Published{}, keepForeign); err != nil {
		t.Errorf("with adopt: %v", err)
	}
	s.wantNames("")
}

func TestRemove_PageThatIsNotThere(t *testing.T) {
	s := newSite(t)
	if s.take("/never").Changed {
		t.Error("removing nothing is reported as a change")
	}
	s.put("/a", "x")
	s.write("a/keep", "")
	before := s.prev["/a"]
	s.take("/a")
	s.prev["/a"] = before
	if !s.take("/a").Changed {
		t.Error("the removal by a run that died is reported by nobody")
	}
}

// The page never had a file: its name is a folder, or lies below a file.
func TestRemove_PageInConflict(t *testing.T) {
	s := newSite(t)
	s.put("/feed.xml", "x")
	s.put("/rss.xml/x", "x")
	names := s.names()
	s.take("/feed.xml/x")
	s.take("/rss.xml")
	s.wantNames(names)
}

func TestRemove_CleansUpAfterRunThatDied(t *testing.T) {
	s := newSite(t, "gzip")
	s.put("/a/b", text(1, 4000))
	if err := os.Remove(s.file("a/b/index.html.gz")); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(s.file("a/b/index.html")); err != nil {
		t.Fatal(err)
	}
	s.take("/a/b")
	s.wantNames("")
}

func TestRemove_SiblingsAtOnce(t *testing.T) {
	s := newSite(t)
	for range 100 {
		s.put("/a/b", "x")
		s.put("/a/c", "x")
		var both sync.WaitGroup
		for _, path := range []string{"/a/b", "/a/c"} {
			both.Go(func() {
				if _, err := s.Remove(t.Context(), parse(path), s.prev[path], allow); err != nil {
					t.Errorf("remove %s: %v", path, err)
				}
			})
		}
		both.Wait()
		s.wantNames("")
		clear(s.prev)
	}
}

func TestSyncAt_FolderThatWasRemovedWithAnotherPage(t *testing.T) {
	s := newSite(t)
	target, err := s.target(parse("/gone/with/it"), "text/html", storage.Published{})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.syncAt(target); err != nil {
		t.Error(err)
	}
}

// The folder can vanish at any moment between its making and the rename.
func TestPublish_WhileTheFolderIsRemovedWithAnotherPage(t *testing.T) {
	s := newSite(t)
	for i := range 200 {
		path := fmt.Sprintf("/a/b%d", i)
		s.put("/a/last", "x")
		var both sync.WaitGroup
		both.Go(func() {
			if _, err := s.Publish(t.Context(), page(path, "x"), storage.Published{}, allow); err != nil {
				t.Errorf("publish %s: %v", path, err)
			}
		})
		both.Go(func() {
			if _, err := s.Remove(t.Context(), parse("/a/last"), s.prev["/a/last"], allow); err != nil {
				t.Errorf("remove: %v", err)
			}
		})
		both.Wait()
		delete(s.prev, "/a/last")
		s.wantNames(fmt.Sprintf("a/ a/b%d/ a/b%d/index.html", i, i))
		s.take(path)
	}
}
