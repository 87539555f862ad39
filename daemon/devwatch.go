package daemon

import (
	"context"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/fsnotify/fsnotify"
)

// devQuiet is how long a folder must be quiet before it is read: an editor's
// save is several events, and a file is empty between two of them.
const devQuiet = 50 * time.Millisecond

// folderWatch tells when something below a folder has changed. It watches
// folders and not files: most editors save by a rename over the file.
type folderWatch struct {
	root    string
	watcher *fsnotify.Watcher
	changed chan struct{} // holds a value when something has changed since the last look
}

func newFolderWatch(root string) (*folderWatch, error) {
	watcher, err := fsnotify.NewWatcher()
	if err != nil {
		return nil, fmt.Errorf("watch %s: %w", root, err)
	}
	w := &folderWatch{root: filepath.Clean(root), watcher: watcher, changed: make(chan struct{}, 1)}
	// The folder above says when the folder itself is replaced.
	if err := watcher.Add(filepath.Dir(w.root)); err != nil {
		_ = watcher.Close()
		return nil, fmt.Errorf("watch %s: %w", root, err)
	}
	w.addFolders()
	return w, nil
}

// addFolders watches every folder that templates are read from. One that is
// watched already stays so; one that goes away is not watched any more.
func (w *folderWatch) addFolders() {
	_ = fs.WalkDir(os.DirFS(w.root), ".", func(name string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return nil // it has gone away, which is an event of its own
		case !d.IsDir():
			return nil
		case name != "." && strings.HasPrefix(d.Name(), "."):
			return fs.SkipDir
		}
		_ = w.watcher.Add(filepath.Join(w.root, filepath.FromSlash(name)))
		return nil
	})
}

// run watches until ctx is done.
func (w *folderWatch) run(ctx context.Context) error {
	defer w.watcher.Close()
	var quiet <-chan time.Time
	for {
		select {
		case <-ctx.Done():
			return nil
		case e := <-w.watcher.Events:
			if w.concerns(e) {
				quiet = time.After(devQuiet)
			}
		case <-w.watcher.Errors: // events were lost, so look
			quiet = time.After(devQuiet)
		case <-quiet:
			quiet = nil
			w.addFolders() // before the look: what is written into them later is an event
			select {
			case w.changed <- struct{}{}:
			default:
			}
		}
	}
}

func (w *folderWatch) concerns(e fsnotify.Event) bool {
	if e.Op == fsnotify.Chmod || strings.HasPrefix(filepath.Base(e.Name), ".") {
		return false
	}
	return e.Name == w.root || strings.HasPrefix(e.Name, w.root+string(filepath.Separator))
}
