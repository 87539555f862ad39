package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// Disk is a file system of a lab's own, in a file, that can be pulled out, made
// read-only, filled, and cut off from power.
type Disk struct {
	At string // where it is mounted

	lab   *Lab
	kind  string
	image string
}

// diskSize is what a disk pretends to have: above any floor of free space that
// Rebake keeps. Its file is sparse.
const diskSize = 4 << 30

// NewDisk makes and mounts a file system, "ext4" or "xfs". Options are for
// mkfs. It needs root.
func (l *Lab) NewDisk(ctx context.Context, kind, name string, options ...string) (*Disk, error) {
	d := &Disk{At: l.Path(name), lab: l, kind: kind, image: l.Path(name + ".img")}
	if os.Geteuid() != 0 {
		return nil, errors.New("not run: it mounts file systems, which needs root")
	}
	if err := errors.Join(os.Mkdir(d.At, 0o755), os.WriteFile(d.image, nil, 0o600), os.Truncate(d.image, diskSize)); err != nil {
		return nil, err
	}
	program, err := needProgram("mkfs." + kind)
	if err != nil {
		return nil, err
	}
	if err := command(ctx, program, append(append([]string{"-q"}, options...), d.image)...); err != nil {
		return nil, err
	}
	l.OnClose(func() { _ = d.Unmount(context.Background()) })
	return d, d.Mount(ctx)
}

// ownMounts starts this program again, once, where nobody else sees what it
// mounts. All of that ends with it, however it ends; and nobody keeps a disk in
// use by having copied the mounts of the machine. Without the right to do so it
// goes on as it is.
func ownMounts() {
	const done = "REBAKE_TORTURE_OWN_MOUNTS"
	if os.Geteuid() != 0 || os.Getenv(done) != "" {
		return
	}
	runtime.LockOSThread() // only this thread leaves, and it becomes the program
	defer runtime.UnlockOSThread()
	if unix.Unshare(unix.CLONE_NEWNS) != nil || unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, "") != nil {
		return
	}
	_ = unix.Exec("/proc/self/exe", os.Args, append(os.Environ(), done+"=1"))
}

// Mount mounts it, again.
func (d *Disk) Mount(ctx context.Context, options ...string) error {
	err := command(ctx, "mount", "-t", d.kind, "-o", strings.Join(append([]string{"loop"}, options...), ","), d.image, d.At)
	if err != nil {
		return fmt.Errorf("not run: it mounts file systems, which this machine does not let it: %w", err)
	}
	return nil
}

// Remount changes the options of what is mounted: "ro", "rw".
func (d *Disk) Remount(ctx context.Context, options string) error {
	return command(ctx, "mount", "-o", "remount,"+options, d.At)
}

// Detach takes it away from under those that use it: they keep what they have
// open, and find the bare folder instead of all else.
func (d *Disk) Detach() error {
	if err := unix.Unmount(d.At, unix.MNT_DETACH); err != nil {
		return fmt.Errorf("detach %s: %w", d.At, err)
	}
	return nil
}

// CutPower has the file system forget at once what has not reached the disk, as
// a power cut does, and refuse everything from then on. It is what
// "xfs_io -x -c shutdown" does, on ext4, too.
func (d *Disk) CutPower() error {
	const (
		goingDown = 0x8004587d // _IOR('X', 125, __u32)
		noFlush   = 2          // not even the journal
	)
	f, err := os.Open(d.At)
	if err != nil {
		return fmt.Errorf("cut the power: %w", err)
	}
	defer f.Close()
	if err := unix.IoctlSetPointerInt(int(f.Fd()), goingDown, noFlush); err != nil {
		return fmt.Errorf("cut the power: %w", err)
	}
	if err := os.WriteFile(filepath.Join(d.At, "after-the-cut"), nil, 0o600); !errors.Is(err, unix.EIO) {
		return fmt.Errorf("cut the power: the disk still works: %v", err)
	}
	return nil
}

// Unmount ends every process that works on the disk, and takes it away. What is
// not mounted is no error.
func (d *Disk) Unmount(ctx context.Context) error {
	for end := time.Now().Add(10 * time.Second); ; {
		killThoseIn(d.At)
		err := unix.Unmount(d.At, 0)
		switch {
		case err == nil, errors.Is(err, unix.EINVAL):
			return d.released(ctx)
		case time.Now().After(end):
			_ = d.Detach() // nothing may stay behind
			return fmt.Errorf("unmount %s: %w", d.At, err)
		}
		if err := Sleep(ctx, 10*time.Millisecond); err != nil {
			return err
		}
	}
}

// released waits until nobody uses the disk any more: a file system that is
// mounted elsewhere would come back as it is, without its power.
func (d *Disk) released(ctx context.Context) error {
	free, err := Poll(ctx, 10*time.Second, func() bool {
		list, _ := filepath.Glob("/sys/block/loop*/loop/backing_file")
		return !slices.ContainsFunc(list, func(name string) bool {
			file, _ := os.ReadFile(name) // gone with its device
			return strings.TrimSpace(string(file)) == d.image
		})
	})
	if err == nil && !free {
		err = fmt.Errorf("unmount %s: another program has it mounted, too", d.At)
	}
	return err
}

// killThoseIn kills the processes that run in a directory: they are ours.
// Rebake's own redis-server outlives a kill -9 of its parent for a moment.
func killThoseIn(dir string) {
	list, _ := filepath.Glob("/proc/[0-9]*/cwd")
	for _, name := range list {
		at, err := os.Readlink(name)
		if err != nil || at != dir && !strings.HasPrefix(at, dir+"/") {
			continue
		}
		if pid, err := strconv.Atoi(filepath.Base(filepath.Dir(name))); err == nil && pid != os.Getpid() {
			_ = unix.Kill(pid, unix.SIGKILL)
		}
	}
}

// command runs a command to its end.
func command(ctx context.Context, name string, args ...string) error {
	if out, err := exec.CommandContext(ctx, name, args...).CombinedOutput(); err != nil {
		return fmt.Errorf("%s %s: %w: %s", name, strings.Join(args, " "), err, strings.TrimSpace(string(out)))
	}
	return nil
}
