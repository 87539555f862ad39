package storage

import (
	"errors"
	"os"
	"path/filepath"
)

// WriteWhole writes a small file that nobody ever sees half-written, readable
// for its owner alone, and returns when it is on disk. With first it leaves one
// alone that is there, and returns fs.ErrExist.
func WriteWhole(name string, b []byte, first bool) error {
	f, err := os.CreateTemp(filepath.Dir(name), ".rebake-*")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name()) // does nothing to one that was renamed
	_, err = f.Write(b)
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	place := os.Rename
	if first {
		place = os.Link
	}
	if err := place(f.Name(), name); err != nil {
		return err
	}
	folder, err := os.Open(filepath.Dir(name))
	if err != nil {
		return err
	}
	defer folder.Close()
	return folder.Sync()
}
