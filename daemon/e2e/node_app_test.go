package e2e

import (
	"os"
	"path/filepath"
	"testing"
	"time"
)

// nodeApp is an application that runs on node, in a folder of testdata. Its
// packages and what its build has made are kept from one test to the next, in
// the user's cache directory, by the versions in package-lock.json.
type nodeApp struct {
	folder string                      // in testdata
	fits   func(major, minor int) bool // reports whether a version of node does
	script string                      // that builds it with "build", in node_modules
	made   string                      // what the build makes, a folder in it

	node nodeJS
	dir  string // in the cache: the app, node_modules, and what the build has made
}

// prepare installs and builds what is not there. The app reads its texts from
// source.
func (a *nodeApp) prepare(t *testing.T, source *source) {
	t.Helper()
	cache, unlock := lockCache(t)
	defer unlock()
	a.node = findNode(t, cache, a.fits)

	app := os.DirFS(filepath.Join("testdata", a.folder))
	a.dir = filepath.Join(cache, a.folder+"-"+hash(t, app, "package-lock.json"))
	installed, built := a.file("node_modules", ".complete"), a.file(".built")
	if !exists(installed) {
		emptyDir(t, a.dir)
		copyTree(t, a.dir, app)
		// Not "ci", which refuses a lock file without the packages of every
		// platform there is.
		a.node.install(t, a.dir, "--no-save", "--ignore-scripts")
		mark(t, installed, "")
	}
	version := hash(t, app, ".")
	if text, err := os.ReadFile(built); err == nil && string(text) == version {
		return
	}
	a.clearButModules(t)
	copyTree(t, a.dir, app)
	started := time.Now()
	run(t, source.env(), a.node.program, a.file("node_modules", a.script), "build", a.dir)
	t.Logf("build of %s: %s", a.folder, time.Since(started).Round(time.Second))
	if err := os.RemoveAll(a.file(a.made, "cache")); err != nil { // for the next build alone
		t.Fatal(err)
	}
	mark(t, built, version)
}

func (a *nodeApp) clearButModules(t *testing.T) {
	t.Helper()
	entries, err := os.ReadDir(a.dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, entry := range entries {
		if entry.Name() == "node_modules" {
			continue
		}
		if err := os.RemoveAll(a.file(entry.Name())); err != nil {
			t.Fatal(err)
		}
	}
}

// file is a file of the app in the cache.
func (a *nodeApp) file(names ...string) string {
	return filepath.Join(append([]string{a.dir}, names...)...)
}

// deploy copies what the build has made to a folder of its own, as to another
// machine.
func (a *nodeApp) deploy(t *testing.T) (dir string) {
	t.Helper()
	_, unlock := lockCache(t)
	defer unlock()
	dir = t.TempDir()
	copyTree(t, filepath.Join(dir, a.made), os.DirFS(a.file(a.made)))
	if err := os.Symlink(a.file("node_modules"), filepath.Join(dir, "node_modules")); err != nil {
		t.Fatal(err)
	}
	return dir
}
