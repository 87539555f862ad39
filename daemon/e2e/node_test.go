package e2e

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"
	"time"
)

// What npm gets where the system's node is too old: that of Debian 12 is 18.
const newerNode, newerNPM = "22.23.3", "10.9.9"

// nodeJS is a node with its npm.
type nodeJS struct {
	program string
	npm     []string // the program, and what comes first of its arguments
}

// findNode returns a node that fits: the system's, or one in the cache.
func findNode(t *testing.T, cache string, fits func(major, minor int) bool) nodeJS {
	t.Helper()
	need(t, "node", "npm")
	var major, minor int
	if _, err := fmt.Sscanf(run(t, nil, "node", "--version"), "v%d.%d", &major, &minor); err != nil {
		t.Fatalf("read the version of node: %v", err)
	}
	found := nodeJS{"node", []string{"npm"}}
	if fits(major, minor) {
		return found
	}
	dir := filepath.Join(cache, "node-"+newerNode)
	complete := filepath.Join(dir, ".complete")
	if !exists(complete) {
		emptyDir(t, dir)
		found.install(t, dir, "node@"+newerNode, "npm@"+newerNPM) // a script gets the one for this machine
		mark(t, complete, "")
	}
	program := filepath.Join(dir, "node_modules", "node", "bin", "node")
	// Not the system's npm, which does not install what its own node is too old for.
	return nodeJS{program, []string{program, filepath.Join(dir, "node_modules", "npm", "bin", "npm-cli.js")}}
}

// install installs packages in a folder, or those that its files name. Where
// that is not possible the test is skipped, but never in CI.
func (n nodeJS) install(t *testing.T, dir string, args ...string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	started := time.Now()
	args = slices.Concat(n.npm[1:], []string{"install", "--prefix", dir, "--no-audit", "--no-fund", "--no-update-notifier", "--loglevel=error"}, args)
	out, err := exec.CommandContext(ctx, n.npm[0], args...).CombinedOutput()
	t.Logf("npm install in %s: %s", filepath.Base(dir), time.Since(started).Round(time.Second))
	if err == nil {
		return
	}
	if os.Getenv("CI") == "true" {
		t.Fatalf("%v\n%s", err, out)
	}
	t.Skipf("%v\n%s", err, out)
}
