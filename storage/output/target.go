package output

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"slices"
	"strings"
	"syscall"
	"time"

	"rebake/storage"
)

// target is where one page's files are.
type target struct {
	root   *os.Root
	file   string // "blog/a/index.html"
	folder string // "blog/a"
	name   string // "index.html"
	// others are the files that the page has had as another type.
	others []string
}

// target is where a page of this type is, after prev; an error when no file can
// stand for it. A page that no run has told the ledger about may be there as
// any type; of all others it is known which files are theirs, and what lies
// beside them is somebody else's.
func (d *Dir) target(p storage.Path, mediaType string, prev storage.Published) (target, error) {
	file := p.FileFor(mediaType)
	if file == "" {
		return target{}, fmt.Errorf("publish %s: a page of type %s needs a path with an extension", p, mediaType)
	}
	t := target{root: d.root, file: file, folder: path.Dir(file), name: path.Base(file)}
	had := p.Files()
	switch {
	case prev.Gone:
		had = nil
	case prev.Type != "":
		had = []string{p.FileFor(prev.Type)}
	}
	for _, other := range had {
		if other != file && other != "" {
			t.others = append(t.others, other)
		}
	}
	return t, nil
}

// exists reports whether any file of the page is there, whatever its type.
func (t target) exists(old fs.FileInfo) bool {
	if old != nil || t.hasSidecar() {
		return true
	}
	return slices.ContainsFunc(t.others, func(file string) bool {
		_, err := t.root.Lstat(file)
		return err == nil
	})
}

// removeOthers removes what is left of the page as another type.
func (t target) removeOthers() error {
	for _, file := range t.others {
		if _, err := t.root.Lstat(file); err != nil {
			continue
		}
		for _, name := range append([]string{file}, sidecarsOf(file)...) {
			if err := t.root.Remove(name); err != nil && !missing(err) {
				return fmt.Errorf("remove %s: %w", name, err)
			}
		}
	}
	return nil
}

func sidecarsOf(file string) []string {
	var names []string
	for _, suffix := range suffixes {
		names = append(names, file+suffix)
	}
	return names
}

// missing says that a file is not there, and cannot be, since another page's
// file has the name of its folder.
func missing(err error) bool {
	return errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENOTDIR)
}

// stat returns nil when there is no file. What is there and is no plain file
// is in the way for good.
func (t target) stat() (fs.FileInfo, error) {
	info, err := t.root.Lstat(t.file)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	if info.IsDir() {
		return nil, storage.ErrFileDirConflict
	}
	return info, nil
}

func (t target) holds(body []byte) bool { return bytesEqual(t.file, t.root, body) }

// holdsSidecars reports whether exactly these sidecars are there.
func (t target) holdsSidecars(want []sidecar) bool {
	there := 0
	for _, suffix := range suffixes {
		if _, err := t.root.Lstat(t.file + suffix); err == nil {
			there++
		}
	}
	if there != len(want) {
		return false
	}
	for _, s := range want {
		if !bytesEqual(t.file+s.suffix, t.root, s.body) {
			return false
		}
	}
	return true
}

func (t target) hasSidecar() bool { return !t.holdsSidecars(nil) }

func (t target) removeSidecars() error {
	for _, name := range sidecarsOf(t.file) {
		if err := t.root.Remove(name); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("remove sidecar: %w", err)
		}
	}
	return nil
}

const (
	// mostAhead is how far a page that changes more often than once a second
	// may run ahead of the clock.
	mostAhead = 5 * time.Second
	// clockWrong is where an old file's time is taken for a mistake.
	clockWrong = time.Hour
)

// nextMTime dates a page's new files. nginx makes an ETag of the time in whole
// seconds and the size, so other bytes always need a later second, also after
// the page was gone for a while.
func nextMTime(old fs.FileInfo, prev storage.Published, now time.Time) time.Time {
	now = now.Truncate(time.Second)
	next := lastMTime(old, prev, now).Truncate(time.Second).Add(time.Second)
	if next.Before(now) {
		return now
	}
	return next
}

// lastMTime is the latest time that the page is known to have had, leaving out
// what is a mistake; zero for none.
func lastMTime(old fs.FileInfo, prev storage.Published, now time.Time) time.Time {
	var last time.Time
	for _, t := range []time.Time{prev.MTime, mtimeOf(old)} {
		if t.After(last) && t.Sub(now) < clockWrong {
			last = t
		}
	}
	return last
}

// mtimeOf returns the whole second that nginx sees; zero for no file.
func mtimeOf(file fs.FileInfo) time.Time {
	if file == nil {
		return time.Time{}
	}
	return file.ModTime().Truncate(time.Second)
}

// awaitSecond holds a page that changes many times a second back until its
// next time is no more than mostAhead in the future; a second is enough for
// that, and a file that somebody has dated an hour ahead need not be waited
// for. It waits before the lock is taken.
func (d *Dir) awaitSecond(ctx context.Context, t target, body []byte, prev storage.Published) error {
	old, err := t.stat()
	if err != nil {
		return nil // publish meets it again, under the lock
	}
	now := time.Now()
	wait := min(nextMTime(old, prev, now).Sub(now)-mostAhead, time.Second)
	if wait <= 0 || t.holds(body) {
		return nil
	}
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return storage.Temporary(fmt.Errorf("wait for the next second: %w", context.Cause(ctx)))
	}
}

// escapes reports the error of os.Root for a link that leads outside; the
// standard library has no name for it.
func escapes(err error) bool {
	var pe *fs.PathError
	return errors.As(err, &pe) && strings.Contains(pe.Err.Error(), "escapes from parent")
}
