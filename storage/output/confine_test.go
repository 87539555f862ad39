package output

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"rebake/storage"
)

func TestPublish_H18_FileAndFolderOfOneName(t *testing.T) {
	for _, order := range [][2]string{{"/feed.xml", "/feed.xml/x"}, {"/feed.xml/x", "/feed.xml"}} {
		t.Run(order[1]+" second", func(t *testing.T) {
			s := newSite(t)
			s.put(order[0], "first")
			names := s.names()
			_, err := s.Publish(t.Context(), page(order[1], "second"), storage.Published{}, allow)
			var temporary *storage.TemporaryError
			if !errors.Is(err, storage.ErrFileDirConflict) || errors.As(err, &temporary) {
				t.Errorf("error %v, want %v for good", err, storage.ErrFileDirConflict)
			}
			s.wantNames(names)
			if got := s.read(parse(order[0]).File()); got != "first" {
				t.Errorf("the first page holds %q", got)
			}
		})
	}
}

func TestPublish_H17_PageAndPageBelowItAtOnce(t *testing.T) {
	s := newSite(t)
	for i := range 100 {
		a := fmt.Sprintf("/a%d", i)
		var both sync.WaitGroup
		for _, path := range []string{a, a + "/b"} {
			both.Go(func() {
				if _, err := s.Publish(t.Context(), page(path, path), storage.Published{}, allow); err != nil {
					t.Errorf("publish %s: %v", path, err)
				}
			})
		}
		both.Wait()
		for _, path := range []string{a, a + "/b"} {
			if got := s.read(parse(path).File()); got != path {
				t.Errorf("%s holds %q", path, got)
			}
		}
	}
}

func TestPublish_H29_LinkOutOfTheRootIsRefused(t *testing.T) {
	for name, target := range map[string]string{"absolute": "", "relative": "../outside"} {
		t.Run(name, func(t *testing.T) {
			s := newSite(t)
			outside := filepath.Join(filepath.Dir(s.cfg.Dir), "outside")
			if err := os.Mkdir(outside, 0o755); err != nil {
				t.Fatal(err)
			}
			if target == "" {
				target = outside
			}
			if err := os.Symlink(target, s.file("leak")); err != nil {
				t.Fatal(err)
			}
			for _, path := range []string{"/leak", "/leak/a"} {
				_, err := s.Publish(t.Context(), page(path, "x"), storage.Published{}, allow)
				var temporary *storage.TemporaryError
				if err == nil || errors.As(err, &temporary) {
					t.Errorf("publish %s: error %v, want one for good", path, err)
				}
			}
			if list, _ := os.ReadDir(outside); len(list) > 0 {
				t.Errorf("a file was written outside: %v", list)
			}
		})
	}
}

func TestPublish_H29_ReplacesLinkInThePlaceOfAPage(t *testing.T) {
	s := newSite(t)
	secret := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(secret, []byte("secret"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(secret, s.file("index.html")); err != nil {
		t.Fatal(err)
	}
	s.put("/", "home")
	if got, _ := os.ReadFile(secret); string(got) != "secret" || s.read("index.html") != "home" {
		t.Errorf("outside: %q, page: %q", got, s.read("index.html"))
	}
}

func TestPublish_H30_WhileSomebodySwapsTheFolderForALink(t *testing.T) {
	s := newSite(t)
	outside := filepath.Join(filepath.Dir(s.cfg.Dir), "outside")
	if err := errors.Join(os.Mkdir(outside, 0o755), os.Mkdir(s.file("a"), 0o755), os.Symlink("../outside", s.file("evil"))); err != nil {
		t.Fatal(err)
	}
	stop, swapped := make(chan struct{}), make(chan int)
	go func() {
		for n := 0; ; n++ {
			select {
			case <-stop:
				swapped <- n
				return
			default:
				_ = unix.Renameat2(unix.AT_FDCWD, s.file("a"), unix.AT_FDCWD, s.file("evil"), unix.RENAME_EXCHANGE)
			}
		}
	}()
	tries, landed := 0, 0
	tried := func() bool { return landed > 0 && landed < tries }
	for start := time.Now(); time.Since(start) < time.Second || !tried() && time.Since(start) < 20*time.Second; tries++ {
		path := fmt.Sprintf("/a/p%d/q", tries)
		if _, err := s.Publish(t.Context(), page(path, "x"), storage.Published{}, allow); err == nil {
			landed++
			_, _ = s.Remove(t.Context(), parse(path), storage.Published{}, allow)
		}
	}
	close(stop)
	t.Logf("%d swaps, %d of %d publishes landed", <-swapped, landed, tries)
	if list, _ := os.ReadDir(outside); len(list) > 0 {
		t.Errorf("%d files were written outside", len(list))
	}
	if !tried() {
		t.Errorf("%d of %d publishes landed: the attack was not tried", landed, tries)
	}
}
