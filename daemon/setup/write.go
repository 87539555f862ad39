package setup

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// Present returns the names of those files that are there already, less the
// secrets, which are never replaced: what calls Rebake has them.
func Present(dir string, names []string) ([]string, error) {
	var present []string
	for _, name := range names {
		_, err := os.Lstat(filepath.Join(dir, filepath.FromSlash(name)))
		switch {
		case err == nil && !isSecret(name):
			present = append(present, name)
		case err != nil && !errors.Is(err, fs.ErrNotExist):
			return nil, fmt.Errorf("look for %s: %w", name, err)
		}
	}
	return present, nil
}

// Write puts the files into dir, which it makes when it is missing. A file that
// is there is an error that is fs.ErrExist, unless replace is set: then it is
// swapped for the new one. A secret that is there stays, in both cases.
func Write(dir string, list []File, replace bool) error {
	for _, f := range list {
		name := filepath.Join(dir, filepath.FromSlash(f.Name))
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			return fmt.Errorf("write %s: %w", f.Name, err)
		}
		err := create(name, f)
		if errors.Is(err, fs.ErrExist) && f.IsSecret() {
			continue
		}
		if errors.Is(err, fs.ErrExist) && replace {
			err = swap(name, f)
		}
		if err != nil {
			return fmt.Errorf("write %s: %w", f.Name, err)
		}
	}
	return nil
}

// create writes a file that is not there yet.
func create(name string, f File) error {
	to, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, f.Mode)
	if err != nil {
		return err
	}
	return fill(to, f)
}

// swap puts a file in the place of another, which stays whole until then.
func swap(name string, f File) error {
	to, err := os.CreateTemp(filepath.Dir(name), "."+filepath.Base(name)+"-")
	if err != nil {
		return err
	}
	err = fill(to, f)
	if err == nil {
		err = os.Rename(to.Name(), name)
	}
	if err != nil {
		return errors.Join(err, os.Remove(to.Name()))
	}
	return nil
}

func fill(to *os.File, f File) error {
	_, err := to.Write(f.Body)
	return errors.Join(err, to.Chmod(f.Mode), to.Close())
}
