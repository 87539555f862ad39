package output

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"rebake/storage"
)

const ownMountsEnv = "REBAKE_OUTPUT_TEST_OWN_MOUNTS"

// inOwnMounts runs the test again, in a process that may mount what it likes:
// whatever becomes of it, its mounts end with it. It is true in that process.
func inOwnMounts(t *testing.T) bool {
	t.Helper()
	if os.Getenv(ownMountsEnv) != "" {
		return true
	}
	cmd := exec.Command(os.Args[0], "-test.run=^"+t.Name()+"$", "-test.v")
	cmd.Env = append(os.Environ(), ownMountsEnv+"=1")
	cmd.SysProcAttr = &syscall.SysProcAttr{Unshareflags: syscall.CLONE_NEWNS}
	if os.Geteuid() != 0 {
		cmd.SysProcAttr.Cloneflags = syscall.CLONE_NEWUSER
		cmd.SysProcAttr.UidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getuid(), Size: 1}}
		cmd.SysProcAttr.GidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getgid(), Size: 1}}
	}
	out, err := cmd.CombinedOutput()
	switch {
	case errors.Is(err, syscall.EPERM) && os.Getenv("CI") != "true":
		t.Skip("this user may not mount anything")
	case err != nil:
		t.Fatalf("in own mounts: %v\n%s", err, out)
	case !strings.Contains(string(out), "--- PASS: "+t.Name()):
		t.Fatalf("in own mounts nothing was tested:\n%s", out)
	}
	return false
}

// mount makes a small file system at a new folder of this name.
func mount(t *testing.T, at, options string) {
	t.Helper()
	mountAs(t, "tmpfs", at, options)
}

func mountAs(t *testing.T, kind, at, options string) {
	t.Helper()
	if err := os.MkdirAll(at, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Mount(kind, at, kind, 0, options); err != nil {
		t.Fatalf("mount %s: %v", kind, err)
	}
	t.Cleanup(func() { _ = syscall.Unmount(at, syscall.MNT_DETACH) })
}

func TestOpen_H102_StateOnOtherFileSystemIsRefused(t *testing.T) {
	if !inOwnMounts(t) {
		return
	}
	base := t.TempDir()
	bound := filepath.Join(base, "bound")
	if err := errors.Join(os.Mkdir(bound, 0o755), syscall.Mount(bound, bound, "", syscall.MS_BIND, "")); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = syscall.Unmount(bound, syscall.MNT_DETACH) })
	mount(t, filepath.Join(base, "other"), "size=1m")
	for _, state := range []string{"other/state", "bound/state"} { // the second has the same device number
		d, err := Open(Config{Dir: filepath.Join(base, "public"), State: filepath.Join(base, state)})
		if err == nil {
			_ = d.Close()
		}
		if err == nil || !strings.Contains(err.Error(), "different file systems") {
			t.Errorf("state at %s: error %v, want that it is on another file system", state, err)
		}
	}
	if list, _ := os.ReadDir(filepath.Join(base, "public")); len(list) > 0 {
		t.Errorf("the output holds %v", list)
	}
}

func TestPublish_H95_FullDisk(t *testing.T) {
	if !inOwnMounts(t) {
		return
	}
	base := filepath.Join(t.TempDir(), "small")
	mount(t, base, "size=1m")
	s := openSite(t, Config{Dir: base + "/public", State: base + "/state", Compress: []string{"gzip"}})
	s.put("/a", text(1, 100_000))
	if err := fill(base + "/filler"); !errors.Is(err, syscall.ENOSPC) {
		t.Fatal(err)
	}
	for _, path := range []string{"/a", "/new"} {
		_, err := s.Publish(t.Context(), page(path, text(2, 300_000)), s.prev[path], allow)
		wantTemporary(t, err)
		if !errors.Is(err, syscall.ENOSPC) {
			t.Errorf("publish %s: error %v, want a full disk", path, err)
		}
	}
	if s.read("a/index.html") != text(1, 100_000) {
		t.Error("the old page is not intact")
	}
	if n := s.staged(); n != 0 {
		t.Errorf("%d files stay in staging", n)
	}
	if err := os.Remove(base + "/filler"); err != nil {
		t.Fatal(err)
	}
	s.put("/a", text(2, 300_000))
	s.wantSidecar("a/index.html", ".gz")
}

func TestPublish_H95_NoInodesLeft(t *testing.T) {
	if !inOwnMounts(t) {
		return
	}
	base := filepath.Join(t.TempDir(), "small")
	mount(t, base, fmt.Sprintf("size=1m,nr_inodes=%d", stripes+stagings+12))
	s := openSite(t, Config{Dir: base + "/public", State: base + "/state"})
	s.put("/a", "1")
	var last string
	var err error
	for i := 0; err == nil; i++ {
		last = fmt.Sprintf("/full%d/x", i)
		_, err = s.Publish(t.Context(), page(last, "x"), storage.Published{}, allow)
	}
	wantTemporary(t, err)
	if !errors.Is(err, syscall.ENOSPC) {
		t.Errorf("error %v, want no space", err)
	}
	if n := s.staged(); n != 0 {
		t.Errorf("%d files stay in staging", n)
	}
	if s.read("a/index.html") != "1" {
		t.Error("the old page is not intact")
	}
	if _, err := s.Remove(t.Context(), parse("/full0/x"), storage.Published{}, allow); err != nil {
		t.Fatal(err)
	}
	s.put("/a", "2")
}

func TestPublish_H103_FolderOfAnotherOwner(t *testing.T) {
	obeyModes(t)
	s := newSite(t)
	s.put("/a", "1")
	if err := os.Chmod(s.file("a"), 0o555); err != nil {
		t.Fatal(err)
	}
	_, err := s.Publish(t.Context(), page("/a", "2"), s.prev["/a"], allow)
	wantTemporary(t, err)
	_, err = s.Remove(t.Context(), parse("/a"), s.prev["/a"], allow)
	wantTemporary(t, err)
	if s.read("a/index.html") != "1" {
		t.Error("the old page is not intact")
	}
	if n := s.staged(); n != 0 {
		t.Errorf("%d files stay in staging", n)
	}
	if err := os.Chmod(s.file("a"), 0o755); err != nil {
		t.Fatal(err)
	}
	s.put("/a", "2")
}

// chattr +i is how people nail a page down.
func TestPublish_H103_PageThatCannotBeChanged(t *testing.T) {
	if os.Geteuid() != 0 {
		unavailable(t, "only root may mount a disk")
	}
	if !inOwnMounts(t) {
		return
	}
	base := filepath.Join(t.TempDir(), "disk")
	mountExt4(t, base)
	s := openSite(t, Config{Dir: base + "/public", State: base + "/state"})
	s.put("/a", "1")
	nail := func(flag string) {
		if out, err := exec.Command(needProgram(t, "chattr"), flag, s.file("a/index.html")).CombinedOutput(); err != nil {
			t.Fatalf("chattr %s: %v\n%s", flag, err, out)
		}
	}
	nail("+i")
	t.Cleanup(func() { nail("-i") })
	_, err := s.Publish(t.Context(), page("/a", "2"), s.prev["/a"], allow)
	wantTemporary(t, err)
	if !errors.Is(err, syscall.EPERM) {
		t.Errorf("error %v, want %v", err, syscall.EPERM)
	}
	_, err = s.Remove(t.Context(), parse("/a"), s.prev["/a"], allow)
	wantTemporary(t, err)
	if s.read("a/index.html") != "1" || s.staged() != 0 {
		t.Errorf("the page is %q, and %d files stay in staging", s.read("a/index.html"), s.staged())
	}
	nail("-i")
	s.put("/a", "2")
}

// mountExt4 makes a file system of the kind that most servers have.
func mountExt4(t *testing.T, at string) {
	t.Helper()
	image := filepath.Join(t.TempDir(), "image")
	if err := errors.Join(os.MkdirAll(at, 0o755), os.WriteFile(image, nil, 0o600), os.Truncate(image, 16<<20)); err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{{"mkfs.ext4", "-q", image}, {"mount", "-o", "loop", image, at}} {
		if out, err := exec.Command(needProgram(t, args[0]), args[1:]...).CombinedOutput(); err != nil {
			t.Fatalf("%v: %v\n%s", args, err, out)
		}
	}
	t.Cleanup(func() {
		if out, err := exec.Command(needProgram(t, "umount"), "-l", at).CombinedOutput(); err != nil {
			t.Errorf("umount: %v\n%s", err, out)
		}
	})
}

func TestOpen_ReadOnlyOutputIsRefused(t *testing.T) {
	obeyModes(t)
	base := t.TempDir()
	if err := os.Mkdir(base+"/public", 0o555); err != nil {
		t.Fatal(err)
	}
	d, err := Open(Config{Dir: base + "/public", State: base + "/state"})
	if err == nil {
		_ = d.Close()
	}
	if !errors.Is(err, os.ErrPermission) {
		t.Errorf("error %v, want %v", err, os.ErrPermission)
	}
}

// obeyModes takes from this test's thread what lets root write where modes
// forbid it. The thread ends with the test.
func obeyModes(t *testing.T) {
	t.Helper()
	runtime.LockOSThread()
	header := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	var caps [2]unix.CapUserData
	if err := unix.Capget(&header, &caps[0]); err != nil {
		t.Fatal(err)
	}
	caps[0].Effective &^= 1<<unix.CAP_DAC_OVERRIDE | 1<<unix.CAP_DAC_READ_SEARCH
	if err := unix.Capset(&header, &caps[0]); err != nil {
		t.Fatal(err)
	}
}

// fill writes until the disk is full, and says how that ended.
func fill(name string) error {
	f, err := os.Create(name)
	if err != nil {
		return err
	}
	defer f.Close()
	_, err = io.Copy(f, zeros{})
	return err
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }
