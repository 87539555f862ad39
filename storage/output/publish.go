package output

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"syscall"
	"time"

	"rebake/storage"
)

// Fence is asked once, inside the page's lock and before anything changes,
// whether the caller may still publish or remove. exists says that a file of the
// page is there already. storage.ErrLost means that a newer run owns the page,
// storage.ErrForeign that the file is not one of ours.
type Fence func(ctx context.Context, exists bool) error

// Result says what Publish or Remove did.
type Result struct {
	// Changed is false when the page was as it should be, and as the ledger
	// knows it. A change by a run that died before it could tell counts.
	Changed bool
	// MTime is that of the page's files, in whole seconds. After a removal it
	// is that of the last file, which a page that comes back must exceed.
	MTime time.Time
}

// Publish makes page what is served at its path, and returns when that is
// durable. prev is what the ledger knows of the path's last publication.
//
// A reader sees the old page until the rename, the new one after it. Between
// the two steps around it there is no sidecar, so that nginx sends the page
// itself. After an error the page is the old one or the new one, and Publish
// has to be called again.
func (d *Dir) Publish(ctx context.Context, page storage.Page, prev storage.Published, fence Fence) (Result, error) {
	side, err := d.sidecars(page.Type, page.Body)
	if err != nil {
		return Result{}, err
	}
	t, err := d.target(page.Path, page.Type, prev)
	if err != nil {
		return Result{}, err
	}
	if err := d.awaitSecond(ctx, t, page.Body, prev); err != nil {
		return Result{}, err
	}
	release, err := d.locks.acquire(ctx, page.Path.String())
	if err != nil {
		return Result{}, storage.Temporary(err)
	}
	defer release()
	res, err := d.publish(ctx, t, page, side, prev, fence)
	return res, classify(page.Path, err)
}

func (d *Dir) publish(ctx context.Context, t target, page storage.Page, side []sidecar, prev storage.Published, fence Fence) (Result, error) {
	if err := d.Present(); err != nil {
		return Result{}, err
	}
	old, err := t.stat()
	if err != nil {
		return Result{}, err
	}
	exists := t.exists(old)
	if err := fence(ctx, !d.adopt && exists); err != nil {
		return Result{}, err
	}
	if !exists {
		if err := d.Room(); err != nil {
			return Result{}, err
		}
	}
	same := old != nil && t.holds(page.Body)
	mtime := nextMTime(old, prev, time.Now())
	if same {
		mtime = mtimeOf(old)
	}
	res := Result{Changed: !same || prev.Hash != page.Hash(), MTime: mtime}
	if same && t.holdsSidecars(side) {
		if !res.Changed && prev.MTime.Equal(mtime) {
			return res, nil
		}
		// A run that died may have renamed without reaching the disk, or its end.
		return res, errors.Join(t.removeOthers(), d.syncAt(t))
	}
	for attempt := 0; ; attempt++ {
		err := d.swap(t, page.Body, side, mtime, same)
		// Another page of this folder was removed, and the empty folder with it.
		if errors.Is(err, fs.ErrNotExist) && attempt < 3 {
			continue
		}
		return res, err
	}
}

// Remove takes the page and its sidecars away, and the folders that are empty
// then, and returns when that is durable.
func (d *Dir) Remove(ctx context.Context, p storage.Path, prev storage.Published, fence Fence) (Result, error) {
	release, err := d.locks.acquire(ctx, p.String())
	if err != nil {
		return Result{}, storage.Temporary(err)
	}
	defer release()
	t, err := d.target(p, cmp.Or(prev.Type, "text/html"), prev)
	if err != nil {
		return Result{}, err
	}
	res, err := d.remove(ctx, t, prev, fence)
	return res, classify(p, err)
}

func (d *Dir) remove(ctx context.Context, t target, prev storage.Published, fence Fence) (Result, error) {
	if err := d.Present(); err != nil {
		return Result{}, err
	}
	old, err := t.stat()
	if errors.Is(err, storage.ErrFileDirConflict) || errors.Is(err, syscall.ENOTDIR) {
		// Another page has the name, so this one has no file, nor ever had.
		return Result{Changed: prev.Hash != "", MTime: prev.MTime}, fence(ctx, false)
	}
	if err != nil {
		return Result{}, err
	}
	exists := t.exists(old)
	if err := fence(ctx, exists && !d.adopt); err != nil {
		return Result{}, err
	}
	res := Result{Changed: exists || prev.Hash != "", MTime: lastMTime(old, prev, time.Now())}
	if !exists && prev.Gone {
		return res, nil
	}
	// Also when nothing is there: a run that died may have removed the files
	// without reaching the disk.
	if err := t.removeSidecars(); err != nil {
		return Result{}, err
	}
	if err := d.root.Remove(t.file); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return Result{}, err
	}
	if err := t.removeOthers(); err != nil {
		return Result{}, err
	}
	t.folder = d.removeEmpty(t.folder)
	return res, d.syncAt(t)
}

// removeEmpty removes a folder and those above it as far as they are empty,
// and returns the first that is not. A symbolic link is left alone.
func (d *Dir) removeEmpty(folder string) string {
	for ; folder != "."; folder = path.Dir(folder) {
		info, err := d.root.Lstat(folder)
		if err == nil && !info.IsDir() {
			break
		}
		if err := d.root.Remove(folder); err != nil && !errors.Is(err, fs.ErrNotExist) {
			break
		}
		d.durable.forget(folder)
	}
	return folder
}

// syncAt makes the entries of the page's folder durable. Where the folder is
// gone, removed together with another page, that is an entry of the one above.
func (d *Dir) syncAt(t target) error {
	for at := t.folder; ; at = path.Dir(at) {
		folder, err := d.root.Open(at)
		if errors.Is(err, fs.ErrNotExist) && at != "." {
			continue
		}
		if err != nil {
			return err
		}
		defer folder.Close()
		return d.syncFolder(at, folder)
	}
}

// classify says which errors of the file system a later try can mend. A full
// or read-only disk, or a wrong owner, is mended by a person without a new
// trigger, so the page keeps trying.
func classify(p storage.Path, err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, storage.ErrLost), errors.Is(err, storage.ErrForeign):
		return err
	case errors.Is(err, syscall.ENOTDIR), errors.Is(err, syscall.EISDIR), errors.Is(err, storage.ErrFileDirConflict):
		return fmt.Errorf("publish %s: %w: the file of one page is in the way of the other", p, storage.ErrFileDirConflict)
	case errors.Is(err, syscall.ENAMETOOLONG):
		return fmt.Errorf("publish %s: %w", p, err)
	case escapes(err):
		return fmt.Errorf("publish %s: a symbolic link leads out of the output directory: %w", p, err)
	}
	var temporary *storage.TemporaryError
	if errors.As(err, &temporary) {
		return err
	}
	return storage.Temporary(fmt.Errorf("publish %s: %w", p, err))
}

// bytesEqual compares without holding two copies of a large page for long. A
// symbolic link is not equal to anything: nginx does not follow it.
func bytesEqual(file string, root *os.Root, body []byte) bool {
	info, err := root.Lstat(file)
	if err != nil || !info.Mode().IsRegular() || info.Size() != int64(len(body)) {
		return false
	}
	got, err := root.ReadFile(file)
	return err == nil && bytes.Equal(got, body)
}
