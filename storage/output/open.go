package output

import (
	"errors"
	"fmt"
	"io/fs"
	"os"

	"rebake/storage"
)

// Open opens the page's file as a reader would get it, whatever its type; name
// is below the output directory. The error is fs.ErrNotExist when there is
// none, also when something else lies there: a link is not a page.
func (d *Dir) Open(p storage.Path) (f *os.File, name string, err error) {
	for _, name := range p.Files() {
		info, err := d.root.Lstat(name)
		if err != nil || !info.Mode().IsRegular() {
			continue
		}
		f, err := d.root.Open(name)
		if errors.Is(err, fs.ErrNotExist) {
			continue // removed in this moment
		}
		if err != nil {
			return nil, "", fmt.Errorf("open page: %w", err)
		}
		return f, name, nil
	}
	return nil, "", fmt.Errorf("open page %s: %w", p, fs.ErrNotExist)
}
