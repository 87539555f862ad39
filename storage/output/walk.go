package output

import (
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"time"

	"rebake/storage"
)

// File is a page's file in the output directory.
type File struct {
	Path  storage.Path
	Type  string // media type by the file's name
	Body  []byte
	MTime time.Time
}

// Each calls f for every file that is a page's, in the order of their names,
// until it returns an error. Sidecars, dot files, links and whatever no path
// leads to are passed over.
func (d *Dir) Each(rules storage.PathRules, f func(File) error) error {
	fsys := d.root.FS()
	return fs.WalkDir(fsys, ".", func(name string, entry fs.DirEntry, err error) error {
		switch {
		case errors.Is(err, fs.ErrNotExist):
			return nil // removed by a worker meanwhile
		case errors.Is(err, fs.ErrPermission) && entry != nil && entry.IsDir():
			return fs.SkipDir // lost+found, or somebody else's
		case err != nil:
			return fmt.Errorf("read output: %w", err)
		}
		p, ok := pageOf(name, rules)
		if !ok || !entry.Type().IsRegular() {
			return nil
		}
		info, err := entry.Info()
		var body []byte
		if err == nil {
			body, err = fs.ReadFile(fsys, name)
		}
		switch {
		case errors.Is(err, fs.ErrNotExist):
			return nil
		case err != nil:
			return fmt.Errorf("read output: %w", err)
		}
		return f(File{Path: p, Type: storage.TypeByName(name), Body: body, MTime: info.ModTime()})
	})
}

// pageOf returns the path whose page has the file.
func pageOf(name string, rules storage.PathRules) (storage.Path, bool) {
	for _, candidate := range []string{"/" + name, path.Dir("/" + name)} {
		p, err := rules.Parse(candidate)
		if err == nil && slices.Contains(p.Files(), name) {
			return p, true
		}
	}
	return storage.Path{}, false
}
