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
	"sync/atomic"
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
	turns       atomic.Uint64 // of the folders in staging
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
