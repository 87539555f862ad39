package output

import (
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"
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
		if err != nil {
			return fmt.Errorf("read output: %w", err)
		}
		p, ok := pageOf(name, rules)
		if !ok || !entry.Type().IsRegular() {
			return nil
		}
		info, err := entry.Info()
		if err != nil {
			return fmt.Errorf("read output: %w", err)
		}
		body, err := fs.ReadFile(fsys, name)
		if err != nil {
			return fmt.Errorf("read output: %w", err)
		}
		return f(File{Path: p, Type: storage.TypeByName(name), Body: body, MTime: info.ModTime()})
	})
}

// pageOf returns the path whose page has the file.
func pageOf(name string, rules storage.PathRules) (storage.Path, bool) {
	for _, candidate := range []string{"/" + name, path.Dir("/" + name)} {
		p, err := rules.Parse(candidate)
		if err == nil && slices.Contains(p.Files(), name) && !strings.HasSuffix(candidate, "/.") {
			return p, true
		}
	}
	return storage.Path{}, false
}
