package output

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strconv"
	"sync"

	"golang.org/x/sys/unix"
)

// durableFolders remembers folders of the output whose own entry in their
// parent is known to be on disk, so that a publish need not fsync its way up
// to the root each time. Forgetting costs an fsync, never a page.
//
// A folder is known by what it is, and not by its name alone: one that another
// process has removed and made again is not known. What is above a known
// folder is durable too, since a folder that holds something is not removed.
type durableFolders struct {
	mu    sync.Mutex
	known map[string]folderID
}

// folderID tells a folder from a later one of the same name; inode numbers
// alone are used again at once.
type folderID struct {
	inode uint64
	born  unix.StatxTimestamp
}

// mostFolders bounds the memory, at about 150 bytes each.
const mostFolders = 50_000

// has reports whether the folder is known. One that the file system gives no
// birth time to never is.
func (f *durableFolders) has(folder string, id folderID) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	known, ok := f.known[folder]
	return ok && known == id && id.born != unix.StatxTimestamp{}
}

func (f *durableFolders) forget(folder string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	delete(f.known, folder)
}

func (f *durableFolders) add(folder string, id folderID) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.known == nil || len(f.known) >= mostFolders {
		f.known = make(map[string]folderID)
	}
	f.known[folder] = id
}

func identify(f *os.File) (folderID, error) {
	var st unix.Statx_t
	if err := unix.Statx(int(f.Fd()), "", unix.AT_EMPTY_PATH, unix.STATX_INO|unix.STATX_BTIME, &st); err != nil {
		return folderID{}, fmt.Errorf("stat folder: %w", err)
	}
	if st.Mask&unix.STATX_BTIME == 0 {
		st.Btime = unix.StatxTimestamp{}
	}
	return folderID{st.Ino, st.Btime}, nil
}

// openFolder opens a folder of the output, making it and those above it when
// it is missing.
func (d *Dir) openFolder(folder string) (*os.File, error) {
	f, err := d.root.Open(folder)
	if !errors.Is(err, fs.ErrNotExist) {
		return f, err
	}
	if err := d.makeFolder(folder); err != nil {
		return nil, err
	}
	return d.root.Open(folder)
}

// makeFolder moves a new folder in from staging, with its mode set: nginx has
// to read it whatever the umask, also when this process dies half-way.
func (d *Dir) makeFolder(folder string) error {
	parent, err := d.openFolder(path.Dir(folder))
	if err != nil {
		return err
	}
	defer parent.Close()
	staged, err := os.MkdirTemp(d.stageFolder(), "")
	if err != nil {
		return fmt.Errorf("stage folder: %w", err)
	}
	err = os.Chmod(staged, 0o755)
	if err == nil {
		err = os.Rename(staged, inside(parent, path.Base(folder)))
	}
	if err != nil {
		_ = os.Remove(staged)
	}
	if errors.Is(err, fs.ErrExist) {
		return nil // another page of this folder was faster
	}
	return err
}

// inside names an entry of an open folder, for calls that know nothing of
// os.Root: whatever the folder's own name leads to by now, it is this folder.
func inside(folder *os.File, name string) string {
	return filepath.Join("/proc/self/fd", strconv.Itoa(int(folder.Fd())), name)
}

// syncFolder puts the entries of an open folder on disk, then the folder's own
// entry, and so on upward until a folder that is known to be there.
func (d *Dir) syncFolder(folder string, open *os.File) error {
	if err := open.Sync(); err != nil {
		return fmt.Errorf("fsync folder: %w", err)
	}
	if folder == "." {
		return nil
	}
	id, err := identify(open)
	if err != nil || d.durable.has(folder, id) {
		return err
	}
	above := path.Dir(folder)
	parent, err := d.root.Open(above)
	if err != nil {
		return fmt.Errorf("fsync folder: %w", err)
	}
	defer parent.Close()
	if err := d.syncFolder(above, parent); err != nil {
		return err
	}
	d.durable.add(folder, id)
	return nil
}
