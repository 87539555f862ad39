package output

import (
	"fmt"
	"io/fs"
	"os"
)

// landed reports whether the file that was staged is the one in its place now:
// a rename that only says that it was done would lose the page for good, since
// nobody would try again.
func landed(folder *os.File, name string, staged fs.FileInfo) error {
	there, err := os.Lstat(inside(folder, name))
	if err != nil {
		return fmt.Errorf("look at %s: %w", name, err)
	}
	if !os.SameFile(staged, there) {
		return fmt.Errorf("replace %s: the file system says that it was renamed, and it was not", name)
	}
	return nil
}
