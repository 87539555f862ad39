package output

import (
	"context"
	"encoding/binary"
	"errors"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"rebake/storage"
)

func TestPublish_H103_NewPageHasOneDateAndPublicModes(t *testing.T) {
	defer syscall.Umask(syscall.Umask(0o077))
	base := t.TempDir()
	s := openSite(t, Config{Dir: filepath.Join(base, "www/public"), State: filepath.Join(base, "state"), Compress: []string{"gzip", "br"}})
	res := s.put("/blog/a", text(1, 4000))
	if !res.Changed {
		t.Error("a new page is reported as unchanged")
	}
	s.wantNames("blog/ blog/a/ blog/a/index.html blog/a/index.html.br blog/a/index.html.gz")
	for _, name := range []string{"blog/a/index.html", "blog/a/index.html.gz", "blog/a/index.html.br"} {
		info := s.stat(name)
		if info.Mode() != 0o644 {
			t.Errorf("%s has mode %v, want 0644", name, info.Mode())
		}
		if !info.ModTime().Equal(res.MTime) || res.MTime.Nanosecond() != 0 {
			t.Errorf("%s is dated %v, want %v in whole seconds", name, info.ModTime(), res.MTime)
		}
	}
	for _, name := range []string{"blog/a", "blog", ".", ".."} {
		if mode := s.stat(name).Mode().Perm(); mode != 0o755 {
			t.Errorf("folder %s has mode %v, want 0755", name, mode)
		}
	}
	s.wantSidecar("blog/a/index.html", ".gz")
	s.wantSidecar("blog/a/index.html", ".br")
}

// A process that died between making a folder and setting its mode would leave
// one that nginx may not enter.
func TestPublish_FoldersArriveWithTheirMode(t *testing.T) {
	defer syscall.Umask(syscall.Umask(0o077))
	s := newSite(t)
	watch, err := unix.InotifyInit1(unix.IN_NONBLOCK)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(watch)
	if _, err := unix.InotifyAddWatch(watch, s.cfg.Dir, unix.IN_CREATE|unix.IN_MOVED_TO|unix.IN_ATTRIB); err != nil {
		t.Fatal(err)
	}
	s.put("/a", "x")
	event := make([]byte, 4096)
	if _, err := unix.Read(watch, event); err != nil {
		t.Fatal(err)
	}
	if mask := binary.NativeEndian.Uint32(event[4:]); mask != unix.IN_MOVED_TO|unix.IN_ISDIR {
		t.Errorf("the folder came by event %#x, want a move of a folder", mask)
	}
	if mode := s.stat("a").Mode().Perm(); mode != 0o755 {
		t.Errorf("the folder has mode %v", mode)
	}
}

func TestPublish_RootPageAndFileLikePage(t *testing.T) {
	s := newSite(t)
	s.put("/", "home")
	s.put("/feed.xml", "<rss/>")
	s.put("/releases/v1.2", "notes")
	s.wantNames("feed.xml index.html releases/ releases/v1.2/ releases/v1.2/index.html")
}

func TestPublish_H106_EqualBytesKeepInodeAndDate(t *testing.T) {
	s := newSite(t, "gzip")
	s.put("/a", text(1, 4000))
	page, gz := s.stat("a/index.html"), s.stat("a/index.html.gz")
	for range 1000 {
		if s.put("/a", text(1, 4000)).Changed {
			t.Fatal("equal bytes are reported as changed")
		}
	}
	for name, before := range map[string]os.FileInfo{"a/index.html": page, "a/index.html.gz": gz} {
		if after := s.stat(name); inode(after) != inode(before) || !after.ModTime().Equal(before.ModTime()) {
			t.Errorf("%s was replaced", name)
		}
	}
}

// The run that renamed the page died before it could say so; nobody has been
// told of the change, a CDN for example.
func TestPublish_ReportsChangeOfRunThatDied(t *testing.T) {
	s := newSite(t)
	s.put("/a", "1")
	known := s.prev["/a"]
	s.put("/a", "2")
	before := s.stat("a/index.html")
	s.prev["/a"] = known
	if res := s.put("/a", "2"); !res.Changed {
		t.Error("the change is reported by nobody")
	}
	if inode(s.stat("a/index.html")) != inode(before) {
		t.Error("equal bytes were written again")
	}
}

func TestPublish_RefusedFenceLeavesEverythingAsItWas(t *testing.T) {
	for name, want := range map[string]error{"lost": storage.ErrLost, "foreign": storage.ErrForeign, "redis": errors.New("redis is away")} {
		t.Run(name, func(t *testing.T) {
			s := newSite(t, "gzip")
			s.put("/a", text(1, 4000))
			before, names := s.stat("a/index.html"), s.names()
			refuse := func(context.Context, bool) error { return want }
			_, err := s.Publish(t.Context(), page("/a", text(2, 4000)), s.prev["/a"], refuse)
			_, errRemove := s.Remove(t.Context(), parse("/a"), s.prev["/a"], refuse)
			_, errNew := s.Publish(t.Context(), page("/new", "x"), storage.Published{}, refuse)
			for _, err := range []error{err, errRemove, errNew} {
				if !errors.Is(err, want) {
					t.Errorf("error %v, want %v", err, want)
				}
			}
			s.wantNames(names)
			if after := s.stat("a/index.html"); inode(after) != inode(before) || s.read("a/index.html") != text(1, 4000) {
				t.Error("the page was touched")
			}
			if n := s.staged(); n != 0 {
				t.Errorf("%d files stay in staging", n)
			}
		})
	}
}

func TestPublish_FenceThatCannotTellIsTemporary(t *testing.T) {
	s := newSite(t)
	_, err := s.Publish(t.Context(), page("/a", "x"), storage.Published{}, func(context.Context, bool) error { return errors.New("redis is away") })
	wantTemporary(t, err)
}

func TestPublish_ForeignFile(t *testing.T) {
	for name, c := range map[string]struct {
		body  string
		adopt bool
		want  error
	}{
		"is refused":                      {"new", false, storage.ErrForeign},
		"is refused also with same bytes": {"theirs", false, storage.ErrForeign},
		"is taken with adopt":             {"new", true, nil},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSite(t)
			s.write("a/index.html", "theirs")
			before := s.stat("a/index.html")
			cfg := s.cfg
			cfg.Adopt = c.adopt
			s = openSite(t, cfg)
			_, err := s.Publish(t.Context(), page("/a", c.body), storage.Published{}, keepForeign)
			if !errors.Is(err, c.want) {
				t.Fatalf("error %v, want %v", err, c.want)
			}
			if touched := inode(s.stat("a/index.html")) != inode(before); touched != c.adopt {
				t.Errorf("file replaced: %v, want %v", touched, c.adopt)
			}
		})
	}
}

func TestPublish_LoneForeignSidecarIsRefused(t *testing.T) {
	s := newSite(t)
	s.write("a/index.html.gz", "theirs")
	_, err := s.Publish(t.Context(), page("/a", "x"), storage.Published{}, keepForeign)
	if !errors.Is(err, storage.ErrForeign) {
		t.Errorf("error %v, want %v", err, storage.ErrForeign)
	}
	s.wantNames("a/ a/index.html.gz")
}

func TestStage_FolderRemovedAfterItWasOpened(t *testing.T) {
	s := newSite(t)
	folder, err := s.openFolder("a/b")
	if err != nil {
		t.Fatal(err)
	}
	defer folder.Close()
	s.removeEmpty("a/b")
	f, err := s.stage(folder, "index.html", []byte("x"), s.stat(".").ModTime())
	if err != nil {
		t.Fatal(err)
	}
	if err := f.replace(false); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("error %v, want one that Publish takes for a reason to make the folder again", err)
	}
	f.discard()
	if n := s.staged(); n != 0 {
		t.Errorf("%d files stay in staging", n)
	}
}
