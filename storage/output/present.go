package output

import (
	"fmt"
	"os"

	"rebake/storage"
)

// Present reports whether the output's path still leads to the directory that
// was opened. Where its disk was unmounted, or another directory was put in
// its place, nobody would see what is published, and what is removed would be
// found again later. The error is temporary: pages stay owed until the
// directory is back.
func (d *Dir) Present() error {
	opened, err := d.root.Stat(".")
	if err != nil {
		return storage.Temporary(fmt.Errorf("look at output: %w", err))
	}
	there, err := os.Stat(d.path)
	if err == nil && os.SameFile(opened, there) {
		return nil
	}
	const text = "output %s is not the directory that rebake has opened: its disk was unmounted, or it was replaced; nothing is published or removed until it is back, or rebake is started again"
	if err != nil {
		return storage.Temporary(fmt.Errorf(text+": %w", d.path, err))
	}
	return storage.Temporary(fmt.Errorf(text, d.path))
}
