package output

import (
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/google/renameio/v2"
)

// swap is the publish sequence. All files are written and dated in staging
// first, where a full disk is met; then they are synced, closed and renamed,
// and the folder is synced. An error at any step throws the files away, and
// nothing is ever synced twice (the second time would say that all is well).
func (d *Dir) swap(t target, body []byte, side []sidecar, mtime time.Time, keepPage bool) (err error) {
	folder, err := d.openFolder(t.folder)
	if err != nil {
		return err
	}
	defer folder.Close()
	ticket := d.crowd.join()
	defer d.crowd.leave()
	var all []staged
	defer func() {
		for _, f := range all {
			f.discard()
		}
	}()
	stage := func(name string, body []byte) error {
		f, err := d.stage(folder, name, body, mtime)
		if err == nil {
			all = append(all, f)
		}
		return err
	}
	if !keepPage {
		if err := stage(t.name, body); err != nil {
			return err
		}
	}
	for _, s := range side {
		if err := stage(t.name+s.suffix, s.body); err != nil {
			return err
		}
	}
	if ticket.together {
		if err := d.crowd.sync(ticket); err != nil {
			return err
		}
	}
	if err := t.removeSidecars(); err != nil {
		return err
	}
	for ; len(all) > 0; all = all[1:] { // the page before its sidecars
		if err := all[0].replace(ticket.together); err != nil {
			return err
		}
	}
	if err := t.removeOthers(); err != nil {
		return err
	}
	if ticket.together {
		return d.crowd.sync(ticket)
	}
	return d.syncFolder(t.folder, folder)
}

// staged is a file in staging that is to replace another.
type staged struct {
	file   *renameio.PendingFile
	folder *os.File
	name   string // in folder
}

// stage writes a file that is to replace another. renameio's own WithRoot would
// put the temporary file into the served directory; an open folder's name in
// /proc is confined as well, and lets the file be staged outside.
func (d *Dir) stage(folder *os.File, name string, body []byte, mtime time.Time) (staged, error) {
	f, err := renameio.NewPendingFile(inside(folder, name), renameio.WithTempDir(d.stageFolder()), renameio.WithStaticPermissions(0o644))
	if err != nil {
		return staged{}, fmt.Errorf("stage %s: %w", name, err)
	}
	if _, err := f.Write(body); err != nil {
		return staged{}, errors.Join(fmt.Errorf("write %s: %w", name, err), f.Cleanup())
	}
	if err := os.Chtimes(f.Name(), mtime, mtime); err != nil {
		return staged{}, errors.Join(fmt.Errorf("date %s: %w", name, err), f.Cleanup())
	}
	return staged{f, folder, name}, nil
}

// replace renames the file into its place, once it is on disk: renameio syncs
// it, unless it was synced with others.
func (s staged) replace(synced bool) error {
	info, err := s.file.Stat()
	if err != nil {
		return fmt.Errorf("replace %s: %w", s.name, err)
	}
	replace := s.file.CloseAtomicallyReplace
	if synced {
		replace = s.closeAndRename
	}
	if err := replace(); err != nil {
		return fmt.Errorf("replace %s: %w", s.name, err)
	}
	return landed(s.folder, s.name, info)
}

func (s staged) closeAndRename() error {
	if err := s.file.File.Close(); err != nil {
		return err
	}
	return os.Rename(s.file.Name(), inside(s.folder, s.name))
}

func (s staged) discard() { _ = s.file.Cleanup() }
