package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// hugoVersion is the release of Hugo that is compared with. Its plain build
// has all that a site of posts needs.
const hugoVersion = "v0.160.1"

// hugoSite is the same site as files for Hugo, in a directory.
type hugoSite struct {
	dir     string
	program string
}

// installHugo builds Hugo; Go's caches make it quick the second time.
func installHugo(ctx context.Context, dir string) (*hugoSite, error) {
	cmd := exec.Command("go", "install", "github.com/gohugoio/hugo@"+hugoVersion)
	cmd.Dir = os.TempDir() // outside of any module
	cmd.Env = append(os.Environ(), "GOBIN="+dir, "GOFLAGS=", "CGO_ENABLED=0")
	if _, err := runCommand(ctx, cmd); err != nil {
		return nil, fmt.Errorf("install Hugo: %w", err)
	}
	return &hugoSite{dir: dir, program: filepath.Join(dir, "hugo")}, nil
}

// write makes a content file of every post. They are HTML, which Hugo passes
// as it is, as the other two do. Nothing but the posts is made of them.
func (h *hugoSite) write(source *cms) error {
	files := map[string]string{
		"hugo.toml": `
baseURL = "https://www.example.com/"
title = "Benchmark"
disableKinds = ["home", "section", "taxonomy", "term", "RSS", "sitemap", "robotsTXT", "404"]
`,
		"layouts/baseof.html": `<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{{ block "title" . }}{{ end }}</title></head><body>{{ block "main" . }}{{ end }}</body></html>`,
		"layouts/single.html": `{{ define "title" }}{{ .Title }}{{ end }}{{ define "main" }}<h1>{{ .Title }}</h1>{{ .Content }}{{ end }}`,
	}
	for n := range source.len() {
		name, text := h.content(source.article(n + 1))
		files[name] = text
	}
	return writeFiles(h.dir, files)
}

func (h *hugoSite) content(p article) (name, text string) {
	return "content/blog/" + p.Slug + ".html", fmt.Sprintf("+++\ntitle = %q\n+++\n%s", p.Title.Rendered, p.Content.Rendered)
}

// rebuild edits a post and builds the whole site, a few times, and returns how
// long that took in the middle: from the saved file to the public page.
func (h *hugoSite) rebuild(ctx context.Context, source *cms) (time.Duration, error) {
	var took []time.Duration
	for n := 1; n <= 5; n++ {
		want := source.edit(n)
		name, text := h.content(source.article(n))
		started := time.Now()
		if err := writeFiles(h.dir, map[string]string{name: text}); err != nil {
			return 0, err
		}
		if err := h.build(ctx); err != nil {
			return 0, err
		}
		took = append(took, time.Since(started))
		page, err := os.ReadFile(filepath.Join(h.dir, "public", pathOf(n), "index.html"))
		if err != nil || !strings.Contains(string(page), want) {
			return 0, fmt.Errorf("the page that Hugo made of post %d has no %q (%v)", n, want, err)
		}
	}
	slices.Sort(took)
	return took[len(took)/2], nil
}

func (h *hugoSite) build(ctx context.Context) error {
	_, err := runCommand(ctx, exec.Command(h.program, "--source", h.dir, "--quiet"))
	return err
}
