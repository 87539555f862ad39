package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
)

// benchBuild builds a site of template pages from a JSON list, in the same
// shape as WordPress gives it, and prints the rate and the peak memory of the
// whole process.
func benchBuild(ctx context.Context, args []string) error {
	flags := flag.NewFlagSet("build", flag.ContinueOnError)
	pages := flags.Int("pages", 10_000, "how many pages")
	again := flags.Bool("again", true, "build a second time, when all pages are unchanged")
	if err := flags.Parse(args); err != nil {
		return err
	}
	dir, program, err := prepare(ctx)
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	source := httptest.NewServer(posts(*pages))
	defer source.Close()
	if err := writeSite(dir, source.URL); err != nil {
		return err
	}
	for _, name := range []string{"first build", "second build, nothing changed"} {
		if err := build(ctx, name, program, dir, *pages); err != nil || !*again {
			return err
		}
	}
	return nil
}

func build(ctx context.Context, name, program, dir string, pages int) error {
	cmd := exec.CommandContext(ctx, program, "build", "--json", "--config", filepath.Join(dir, "rebake.yaml"))
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		return fmt.Errorf("rebake build: %w\n%s", err, out)
	}
	var sum struct {
		Pages   int
		Seconds float64
	}
	if err := json.Unmarshal(out, &sum); err != nil {
		return fmt.Errorf("read the summary: %w", err)
	}
	if sum.Pages != pages {
		return fmt.Errorf("%d pages were built, and there are %d", sum.Pages, pages)
	}
	fmt.Printf("%-32s %6d pages  %7.2f s  %6.0f pages/s  peak memory %d MB\n", name, sum.Pages, sum.Seconds, float64(sum.Pages)/sum.Seconds, peakMB(cmd))
	return nil
}

func writeSite(dir, source string) error {
	return writeFiles(dir, map[string]string{
		"templates/layouts/base.html": `<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{{block "title" .}}{{end}}</title></head><body>{{block "main" .}}{{end}}</body></html>`,
		"templates/post.html":         `{{template "layouts/base.html" .}}{{define "title"}}{{plain .post.title.rendered}}{{end}}{{define "main"}}<h1>{{plain .post.title.rendered}}</h1>{{trusted .post.content.rendered}}{{end}}`,
		"rebake.yaml": fmt.Sprintf(`
site: https://www.example.com
output: ./public
secret: the-secret-of-the-benchmark
sources:
  cms: {kind: wordpress, url: %q}
routes:
  - path: /blog/{slug}
    template: post.html
    data: {post: {source: cms, get: "/posts?slug={slug}", one: true}}
    tags: ["post:{post.id}"]
    version: "{post.modified_gmt}"
    list: {source: cms, get: "/posts?per_page=100&orderby=id&order=asc", path: "/blog/{slug}", as: post}
`, source),
	})
}
