package output

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"rebake/storage"
)

// refusesAll tries what changes the output.
func (s *site) refusesAll(want string) {
	s.t.Helper()
	_, published := s.Publish(s.t.Context(), page("/a", "2"), s.prev["/a"], allow)
	_, fresh := s.Publish(s.t.Context(), page("/new", "1"), storage.Published{}, allow)
	_, removed := s.Remove(s.t.Context(), parse("/a"), s.prev["/a"], allow)
	for _, err := range []error{published, fresh, removed} {
		wantTemporary(s.t, err)
		if err == nil || !strings.Contains(err.Error(), want) {
			s.t.Errorf("error %v, want %q in it", err, want)
		}
	}
}

func TestPublish_H101_OutputUnmountedUnderneath(t *testing.T) {
	if !inOwnMounts(t) {
		return
	}
	for name, below := range map[string]bool{"nothing below": false, "empty directory below": true} {
		t.Run(name, func(t *testing.T) {
			base := t.TempDir()
			disk, mounted := filepath.Join(base, "disk"), filepath.Join(base, "mounted")
			if below {
				if err := os.MkdirAll(mounted+"/public", 0o755); err != nil {
					t.Fatal(err)
				}
			}
			mount(t, disk, "size=1m")
			bind := func() {
				if err := errors.Join(os.MkdirAll(mounted, 0o755), syscall.Mount(disk, mounted, "", syscall.MS_BIND, "")); err != nil {
					t.Fatal(err)
				}
				t.Cleanup(func() { _ = syscall.Unmount(mounted, syscall.MNT_DETACH) })
			}
			bind()
			s := openSite(t, Config{Dir: mounted + "/public", State: mounted + "/state"})
			s.put("/a", "1")
			if err := syscall.Unmount(mounted, syscall.MNT_DETACH); err != nil {
				t.Fatal(err)
			}
			s.refusesAll("its disk was unmounted")
			if list, _ := os.ReadDir(mounted + "/public"); len(list) > 0 {
				t.Errorf("the mount point holds %v", list)
			}
			if b, _ := os.ReadFile(disk + "/public/a/index.html"); string(b) != "1" {
				t.Errorf("the page on the disk is %q", b)
			}
			bind()
			s.put("/a", "2")
			if got := s.read("a/index.html"); got != "2" {
				t.Errorf("the page is %q", got)
			}
		})
	}
}

func TestPresent_OutputReplacedOrDeleted(t *testing.T) {
	for name, replace := range map[string]func(*site) error{
		"deleted": func(s *site) error { return os.Rename(s.cfg.Dir, s.cfg.Dir+".away") },
		"another in its place": func(s *site) error {
			return errors.Join(os.Rename(s.cfg.Dir, s.cfg.Dir+".away"), os.Mkdir(s.cfg.Dir, 0o755))
		},
		"a link to another": func(s *site) error {
			return errors.Join(os.Rename(s.cfg.Dir, s.cfg.Dir+".away"), os.Symlink(os.TempDir(), s.cfg.Dir))
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSite(t)
			s.put("/a", "1")
			if err := s.Present(); err != nil {
				t.Error(err)
			}
			if err := replace(s); err != nil {
				t.Fatal(err)
			}
			wantTemporary(t, s.Present())
			s.refusesAll("is not the directory that rebake has opened")
		})
	}
}

// A link that leads to the output is as good as the output.
func TestPresent_OutputBehindALink(t *testing.T) {
	base := t.TempDir()
	if err := errors.Join(os.Mkdir(base+"/real", 0o755), os.Symlink("real", base+"/public")); err != nil {
		t.Fatal(err)
	}
	s := openSite(t, Config{Dir: base + "/public", State: base + "/state"})
	s.put("/a", "1")
}
