package output

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"slices"

	"rebake/storage"
)

// Leftover is something of ours beside a page that nobody needs any more.
type Leftover struct {
	// Name is below the output directory; a folder's ends in /.
	Name string
	Why  string // for people
}

// Tidy takes away what is left around one page, and returns it: sidecars that
// are not written any more, or whose page's file is gone; of a page that was
// removed the empty folder, and those above it that are empty then. With dry it
// only looks. prev is what the ledger knows: only what stands beside a page
// that is published is ours.
//
// Taking a sidecar away needs no fence: without one nginx sends the page itself.
func (d *Dir) Tidy(ctx context.Context, p storage.Path, prev storage.Published, dry bool) ([]Leftover, error) {
	t, err := d.target(p, cmp.Or(prev.Type, "text/html"), prev)
	if err != nil {
		return nil, err
	}
	list := d.leftovers(t, prev)
	if dry || len(list) == 0 {
		return list, nil
	}
	release, err := d.locks.acquire(ctx, p.String())
	if err != nil {
		return nil, storage.Temporary(err)
	}
	defer release()
	list = d.leftovers(t, prev) // what was seen before may have been a publish half-way
	if len(list) == 0 {
		return nil, nil
	}
	if prev.Gone {
		t.folder = d.removeEmpty(t.folder)
		return list, classify(p, d.syncAt(t))
	}
	for _, l := range list {
		if err := d.root.Remove(l.Name); err != nil && !missing(err) {
			return nil, classify(p, err)
		}
	}
	return list, classify(p, d.syncAt(t))
}

func (d *Dir) leftovers(t target, prev storage.Published) (list []Leftover) {
	switch {
	case prev.Gone && t.folder != "." && d.emptyFolder(t.folder):
		return []Leftover{{t.folder + "/", "it is empty, and its page was removed"}}
	case prev.Gone, prev.Hash == "":
		return nil
	}
	_, err := t.root.Lstat(t.file)
	alone := missing(err)
	for _, suffix := range suffixes {
		why := "its page's file is gone"
		if !alone {
			why = "compress does not ask for it"
			if slices.ContainsFunc(d.compressors, func(c *compressor) bool { return c.suffix == suffix }) {
				continue
			}
		}
		if info, err := t.root.Lstat(t.file + suffix); err == nil && info.Mode().IsRegular() {
			list = append(list, Leftover{t.file + suffix, why})
		}
	}
	return list
}

func (d *Dir) emptyFolder(folder string) bool {
	if info, err := d.root.Lstat(folder); err != nil || !info.IsDir() {
		return false
	}
	f, err := d.root.Open(folder)
	if err != nil {
		return false
	}
	defer f.Close()
	_, err = f.Readdirnames(1)
	return errors.Is(err, io.EOF)
}

// Altered reports whether the page's file is there and is not what was
// published: somebody else's by now. It reads the whole file.
func (d *Dir) Altered(p storage.Path, prev storage.Published) (bool, error) {
	t, err := d.target(p, cmp.Or(prev.Type, "text/html"), prev)
	if err != nil {
		return false, err
	}
	info, err := t.root.Lstat(t.file)
	if missing(err) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("read page: %w", err)
	}
	if !info.Mode().IsRegular() {
		return true, nil
	}
	f, err := t.root.Open(t.file)
	if missing(err) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("read page: %w", err)
	}
	defer f.Close()
	sum := sha256.New()
	if _, err := io.Copy(sum, f); err != nil {
		return false, fmt.Errorf("read page: %w", err)
	}
	return hex.EncodeToString(sum.Sum(nil)) != prev.Hash, nil
}
