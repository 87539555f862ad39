package daemon

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/fsnotify/fsnotify"
)

// watched is a folder that is watched. It holds sub/old.html.
func watched(t *testing.T) (root string, w *folderWatch) {
	t.Helper()
	root = filepath.Join(t.TempDir(), "templates")
	writeFile(t, filepath.Join(root, "sub/old.html"), "old")
	w, err := newFolderWatch(root)
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- w.run(t.Context()) }()
	t.Cleanup(func() { // the test's context is done by now
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	return root, w
}

func writeFile(t *testing.T, name, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

func rename(t *testing.T, from, to string) {
	t.Helper()
	if err := os.Rename(from, to); err != nil {
		t.Fatal(err)
	}
}

func TestFolderWatch_tellsOf(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(t *testing.T, root string){
		"a new file": func(t *testing.T, root string) { writeFile(t, filepath.Join(root, "new.html"), "x") },
		"a file that is written": func(t *testing.T, root string) {
			writeFile(t, filepath.Join(root, "sub/old.html"), "x")
		},
		"a rename over a file": func(t *testing.T, root string) {
			saved := filepath.Join(filepath.Dir(root), "saved")
			writeFile(t, saved, "x")
			rename(t, saved, filepath.Join(root, "sub/old.html"))
		},
		"a file that is deleted": func(t *testing.T, root string) {
			if err := os.Remove(filepath.Join(root, "sub/old.html")); err != nil {
				t.Fatal(err)
			}
		},
		"a whole folder that is moved there": func(t *testing.T, root string) {
			other := filepath.Join(filepath.Dir(root), "other")
			writeFile(t, filepath.Join(other, "deep/x.html"), "x")
			rename(t, other, filepath.Join(root, "other"))
		},
	} {
		t.Run(name, func(t *testing.T) {
			root, w := watched(t)
			change(t, root)
			w.mustTell(t)
		})
	}
}

func (w *folderWatch) mustTell(t *testing.T) {
	t.Helper()
	select {
	case <-w.changed:
	case <-time.After(patience):
		t.Fatal("nothing was told")
	}
}

func TestFolderWatch_followsNewFolders(t *testing.T) {
	t.Parallel()
	root, w := watched(t)
	writeFile(t, filepath.Join(root, "new/deep/a.html"), "a")
	w.mustTell(t)
	writeFile(t, filepath.Join(root, "new/deep/a.html"), "b")
	w.mustTell(t)
}

func TestFolderWatch_followsTheFolderThatTookItsPlace(t *testing.T) {
	t.Parallel()
	root, w := watched(t)
	rename(t, root, root+"-before")
	w.mustTell(t)
	writeFile(t, filepath.Join(root+"-next", "sub/a.html"), "a")
	rename(t, root+"-next", root)
	w.mustTell(t)
	writeFile(t, filepath.Join(root, "sub/a.html"), "b")
	w.mustTell(t)
}

func TestFolderWatch_concerns(t *testing.T) {
	w := &folderWatch{root: "/site/templates"}
	for _, tt := range []struct {
		name string
		op   fsnotify.Op
		want bool
	}{
		{"/site/templates", fsnotify.Create, true},
		{"/site/templates/post.html", fsnotify.Write, true},
		{"/site/templates/post.html", fsnotify.Write | fsnotify.Chmod, true},
		{"/site/templates/post.html", fsnotify.Chmod, false},
		{"/site/templates/.post.html.swp", fsnotify.Write, false},
		{"/site/public", fsnotify.Create, false},
		{"/site/templates-2/post.html", fsnotify.Write, false},
	} {
		if got := w.concerns(fsnotify.Event{Name: tt.name, Op: tt.op}); got != tt.want {
			t.Errorf("%s %s: %v, want %v", tt.op, tt.name, got, tt.want)
		}
	}
}
