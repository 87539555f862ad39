package output

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// openStaging makes a folder for this process alone, and sweeps those of
// processes that have died: every living one holds a lock on its own. The
// parent is locked meanwhile, so that nobody sweeps a folder in the moment
// before it is locked, and that one process at a time probes.
func (d *Dir) openStaging(all string) error {
	if err := os.MkdirAll(all, 0o700); err != nil {
		return fmt.Errorf("make staging: %w", err)
	}
	parent, err := os.Open(all)
	if err != nil {
		return fmt.Errorf("open staging: %w", err)
	}
	defer parent.Close()
	if err := flock(parent, syscall.LOCK_EX); err != nil {
		return fmt.Errorf("lock staging: %w", err)
	}
	sweepStaging(all)
	if d.stateID, err = stateID(filepath.Dir(all)); err != nil {
		return err
	}
	if d.staging, err = os.MkdirTemp(all, ""); err != nil {
		return fmt.Errorf("make staging: %w", err)
	}
	if d.lease, err = os.Open(d.staging); err != nil {
		return fmt.Errorf("open staging: %w", err)
	}
	if err := flock(d.lease, syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		return fmt.Errorf("lock staging: %w", err)
	}
	if err := d.spreadStaging(); err != nil {
		return fmt.Errorf("make staging: %w", err)
	}
	d.crowd = newCrowd(d.lease)
	return d.probe()
}

// stagings is how many folders staging has. They are used by turns, since what
// many publishers do in one folder the kernel does one after the other.
const stagings = 16

// topDir is FS_TOPDIR_FL of linux/fs.h: what `chattr +T` sets.
const topDir = 0x20000

// spreadStaging makes the folders. Where the file system is ext4 it is asked to
// spread them over the disk: a file gets an inode near its folder, and without
// a journal ext4 looks there at each one that was deleted in the last minutes,
// which after some thousand pages is most of what a publish costs.
func (d *Dir) spreadStaging() error {
	fd := int(d.lease.Fd())
	if flags, err := unix.IoctlGetInt(fd, unix.FS_IOC_GETFLAGS); err == nil {
		_ = unix.IoctlSetPointerInt(fd, unix.FS_IOC_SETFLAGS, flags|topDir) // others refuse it, and are none the worse
	}
	for i := range stagings {
		if err := os.Mkdir(filepath.Join(d.staging, strconv.Itoa(i)), 0o700); err != nil {
			return err
		}
	}
	return nil
}

// stageFolder names the folder in staging whose turn it is.
func (d *Dir) stageFolder() string {
	return inside(d.lease, strconv.FormatUint(d.turns.Add(1)%stagings, 10))
}

// probe renames an empty file from staging into the output, as a publish will.
// Comparing device numbers is not enough: two bind mounts of one file system
// have the same number and refuse the rename. The name is always the same, so
// that the next start removes what a crash in here leaves behind.
func (d *Dir) probe() error {
	const name = ".rebake-probe"
	staged := filepath.Join(d.staging, name)
	if err := os.WriteFile(staged, nil, 0o600); err != nil {
		return fmt.Errorf("write into state: %w", err)
	}
	err := os.Rename(staged, filepath.Join(d.path, name))
	if errors.Is(err, syscall.EXDEV) {
		return fmt.Errorf("state (%s) and output (%s) are on different file systems, so a page could not be swapped atomically; set state to a directory beside output: %w", d.state, d.path, err)
	}
	if err != nil {
		return fmt.Errorf("write into output: %w", err)
	}
	_, err = d.root.Lstat(strings.ToUpper(name))
	d.foldsCase = err == nil
	if err := d.root.Remove(name); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("write into output: %w", err)
	}
	return nil
}

// sweepStaging removes what nobody locks. What cannot be removed now is left
// for the next start, since nothing ever reads it.
func sweepStaging(all string) {
	entries, _ := os.ReadDir(all)
	for _, e := range entries {
		name := filepath.Join(all, e.Name())
		f, err := os.Open(name)
		if err != nil {
			continue
		}
		if flock(f, syscall.LOCK_EX|syscall.LOCK_NB) == nil {
			_ = os.RemoveAll(name)
		}
		_ = f.Close()
	}
}
