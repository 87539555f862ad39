// Package output is the directory that nginx serves, and the only code that
// writes into it.
//
// The promise: whoever opens a page's file reads the old bytes or the new
// ones, complete; an older render never lands after a newer one; a sidecar
// (.gz, .br) never holds newer bytes than its page; and what Publish or Remove
// has answered survives a power cut. Files are staged outside the directory,
// on its file system, and every name is resolved below an os.Root, so that no
// symbolic link leads a write out of it.
//
// It does not decide who may publish: that is the caller's Fence. It does not
// remember anything that the ledger could not tell it again.
package output

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
)

// Config says where pages go.
type Config struct {
	// Dir is the directory that is served. It is made when it is missing.
	Dir string
	// State is Rebake's private directory, on the same file system, neither
	// inside Dir nor around it. Staging and locks live there.
	State string
	// Compress names the sidecars to write: "gzip", "br".
	Compress []string
	// Adopt takes every file in Dir for one of ours. Without it a file that the
	// ledger does not know is never touched.
	Adopt bool
	// FreeSpace is kept free of new pages.
	FreeSpace Space
}

// Dir is an open output directory. It is safe for concurrent use, and any
// number of processes may have the same one open.
type Dir struct {
	root     *os.Root
	path     string
	state    string
	stateID  string
	keepFree Space
	staging  string
	// lease is staging, open: it holds the flock that keeps staging from being
	// swept, and it stays the same disk as root, whatever is mounted where.
	lease       *os.File
	locks       *locks
	durable     durableFolders
	crowd       *crowd
	compressors []*compressor
	adopt       bool
	foldsCase   bool
}

// Open prepares the directory: it makes what is missing, proves that a file
// can be renamed from staging into place, and sweeps what dead processes left
// in staging.
func Open(cfg Config) (*Dir, error) {
	compressors, err := compressorsFor(cfg.Compress)
	if err != nil {
		return nil, err
	}
	if err := makeServed(cfg.Dir); err != nil {
		return nil, fmt.Errorf("make output: %w", err)
	}
	if err := os.MkdirAll(cfg.State, 0o700); err != nil {
		return nil, fmt.Errorf("make state: %w", err)
	}
	d := &Dir{path: cfg.Dir, state: cfg.State, keepFree: cfg.FreeSpace, compressors: compressors, adopt: cfg.Adopt}
	if d.root, err = os.OpenRoot(cfg.Dir); err != nil {
		return nil, fmt.Errorf("open output: %w", err)
	}
	if err := d.prepare(cfg.State); err != nil {
		return nil, errors.Join(err, d.Close())
	}
	return d, nil
}

func (d *Dir) prepare(state string) error {
	var err error
	if d.locks, err = openLocks(filepath.Join(state, "locks")); err != nil {
		return err
	}
	return d.openStaging(filepath.Join(state, "staging"))
}

// makeServed makes the output directory when it is missing, and what is above
// it: readable for nginx whatever the umask, and on disk before a page is.
func makeServed(dir string) error {
	if _, err := os.Stat(dir); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	above := filepath.Dir(dir)
	if err := makeServed(above); err != nil {
		return err
	}
	if err := os.Mkdir(dir, 0o755); err != nil {
		if errors.Is(err, fs.ErrExist) {
			return nil // another process was faster
		}
		return err
	}
	if err := os.Chmod(dir, 0o755); err != nil {
		return err
	}
	parent, err := os.Open(above)
	if err != nil {
		return err
	}
	defer parent.Close()
	return parent.Sync()
}

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
	d.crowd = newCrowd(d.lease)
	return d.probe()
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

// FoldsCase reports that the file system takes /A and /a for one name.
func (d *Dir) FoldsCase() bool { return d.foldsCase }

// Path returns the directory's path.
func (d *Dir) Path() string { return d.path }

// Empty reports whether the directory holds nothing at all.
func (d *Dir) Empty() (bool, error) {
	names, err := fs.ReadDir(d.root.FS(), ".")
	if err != nil {
		return false, fmt.Errorf("read output: %w", err)
	}
	return len(names) == 0, nil
}

// Close gives up the locks and removes this process's staging. No Publish or
// Remove may run any more.
func (d *Dir) Close() error {
	var errs []error
	if d.staging != "" {
		errs = append(errs, os.RemoveAll(d.staging))
	}
	if d.lease != nil {
		errs = append(errs, d.lease.Close())
	}
	if d.locks != nil {
		errs = append(errs, d.locks.Close())
	}
	return errors.Join(append(errs, d.root.Close())...)
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
