package main

import (
	"context"
	"embed"
	"encoding/json"
	"fmt"
	"io/fs"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"time"
)

// nextSite is the same site as a Next.js application: pages router,
// getStaticProps, and a handler that calls res.revalidate().
//
//go:embed next
var nextSite embed.FS

// nextApp is an application of Next.js in a directory.
type nextApp struct {
	dir     string
	source  string
	version string
	addr    string
	server  *process
}

// installNext writes the application and lets npm install what its
// package.json names.
func installNext(ctx context.Context, dir, source string) (*nextApp, error) {
	files, err := fs.Sub(nextSite, "next")
	if err != nil {
		return nil, err
	}
	if err := writeTree(dir, files); err != nil {
		return nil, err
	}
	a := &nextApp{dir: dir, source: source}
	if _, err := runCommand(ctx, a.command("npm", "install", "--no-audit", "--no-fund", "--loglevel=error")); err != nil {
		return nil, fmt.Errorf("install Next.js, which needs Node.js 20.9 or newer, with npm: %w", err)
	}
	text, err := os.ReadFile(filepath.Join(dir, "node_modules/next/package.json"))
	if err != nil {
		return nil, err
	}
	var installed struct{ Version string }
	if err := json.Unmarshal(text, &installed); err != nil {
		return nil, fmt.Errorf("read the version of Next.js: %w", err)
	}
	a.version = installed.Version
	return a, nil
}

func (a *nextApp) command(name string, args ...string) *exec.Cmd {
	cmd := exec.Command(name, args...)
	cmd.Dir = a.dir
	cmd.Env = append(os.Environ(), "NEXT_TELEMETRY_DISABLED=1", "NODE_ENV=production", "SOURCE="+a.source, "SECRET="+secret)
	return cmd
}

// next is the program itself and not npm's wrapper, so that the process is the
// server.
func (a *nextApp) next(args ...string) *exec.Cmd {
	return a.command("node", append([]string{filepath.Join(a.dir, "node_modules/next/dist/bin/next")}, args...)...)
}

// build makes the application and every page, and returns how long it took.
func (a *nextApp) build(ctx context.Context) (time.Duration, error) {
	started := time.Now()
	_, err := runCommand(ctx, a.next("build"))
	return time.Since(started), err
}

// serve starts the server as production does, and returns when it answers.
func (a *nextApp) serve(ctx context.Context) (err error) {
	if a.addr, err = freeAddr(); err != nil {
		return err
	}
	host, port, err := net.SplitHostPort(a.addr)
	if err != nil {
		return err
	}
	if a.server, err = start("next start", a.next("start", "-H", host, "-p", port)); err != nil {
		return err
	}
	return a.server.await(ctx, func() bool { return answers("http://" + a.addr + pathOf(1)) })
}

func (a *nextApp) stop() {
	if a.server != nil {
		a.server.stop()
	}
}

// system is how the measurements reach Next.js, which serves its pages itself.
func (a *nextApp) system() *system {
	return &system{name: "Next.js", public: "http://" + a.addr, api: "http://" + a.addr}
}

// memory is the peak of the server; the build is not in it.
func (a *nextApp) memory() (m memory, err error) {
	return m, m.addTree(a.server.cmd.Process.Pid)
}

// answers reports whether a URL answers 200.
func answers(url string) bool {
	res, err := http.Get(url)
	if err != nil {
		return false
	}
	_ = res.Body.Close()
	return res.StatusCode == http.StatusOK
}

// writeTree writes the files into a directory.
func writeTree(dir string, files fs.FS) error {
	return fs.WalkDir(files, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		text, err := fs.ReadFile(files, name)
		if err != nil {
			return err
		}
		return writeFiles(dir, map[string]string{name: string(text)})
	})
}
