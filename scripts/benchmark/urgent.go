package main

import (
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"syscall"
	"time"
)

// benchUrgent queues pages at low priority over a slow source, and measures how
// long a critical edit takes to be public meanwhile.
func benchUrgent(ctx context.Context, args []string) error {
	flags := flag.NewFlagSet("urgent", flag.ContinueOnError)
	queued := flags.Int("queued", 50_000, "how many pages wait at low priority")
	latency := flags.Duration("latency", 300*time.Millisecond, "how long the source takes for each answer")
	edits := flags.Int("edits", 20, "how many edits to measure")
	if err := flags.Parse(args); err != nil {
		return err
	}
	dir, program, err := prepare(ctx)
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	var version atomic.Int64
	source := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		at := version.Load()
		time.Sleep(*latency)
		_ = json.NewEncoder(w).Encode(map[string]any{"slug": filepath.Base(r.URL.Path), "version": at})
	}))
	defer source.Close()
	listen, err := freeAddr()
	if err != nil {
		return err
	}
	admin, err := freeAddr()
	if err != nil {
		return err
	}
	if err := writeFiles(dir, map[string]string{
		"templates/post.html": `<html><body>{{.post.slug}} version {{.post.version}}.</body></html>`,
		"rebake.yaml": fmt.Sprintf(`
site: https://www.example.com
output: ./public
secret: the-secret-of-the-benchmark
listen: %s
admin: %s
log: {level: error}
sources:
  cms: {url: %q, timeout: 30s}
routes:
  - path: /p/{slug}
    template: post.html
    data: {post: {source: cms, get: "/posts/{slug}", one: true}}
`, listen, admin, source.URL),
	}); err != nil {
		return err
	}
	serve := exec.CommandContext(ctx, program, "serve", "--config", filepath.Join(dir, "rebake.yaml"))
	serve.Stderr = os.Stderr
	serve.Cancel = func() error { return serve.Process.Signal(syscall.SIGTERM) }
	if err := serve.Start(); err != nil {
		return err
	}
	defer func() {
		_ = serve.Process.Signal(syscall.SIGTERM)
		_ = serve.Wait()
	}()
	if err := await(ctx, func() bool {
		res, err := http.Get("http://" + admin + "/readyz")
		if err != nil {
			return false
		}
		_ = res.Body.Close()
		return res.StatusCode == http.StatusOK
	}); err != nil {
		return err
	}
	started := time.Now()
	if err := queueLow(ctx, dir, admin, *queued); err != nil {
		return err
	}
	fmt.Printf("%d pages queued at low priority in %s; the source answers in %s\n", *queued, time.Since(started).Round(time.Millisecond), *latency)

	var took []time.Duration
	for i := range *edits {
		slug := fmt.Sprintf("edit-%d", i)
		version.Add(1)
		want := fmt.Sprintf("version %d.", version.Load())
		started := time.Now()
		if err := post(ctx, "http://"+listen+"/api/revalidate?path=/p/"+slug+"&recheck=0", "the-secret-of-the-benchmark", nil); err != nil {
			return err
		}
		file := filepath.Join(dir, "public/p", slug, "index.html")
		if err := await(ctx, func() bool {
			b, err := os.ReadFile(file)
			return err == nil && strings.Contains(string(b), want)
		}); err != nil {
			return err
		}
		took = append(took, time.Since(started))
	}
	slices.Sort(took)
	fmt.Printf("%d edits meanwhile: trigger to visible p50 %s, slowest %s\n", len(took), took[len(took)/2].Round(time.Millisecond), took[len(took)-1].Round(time.Millisecond))
	return nil
}

func queueLow(ctx context.Context, dir, admin string, n int) error {
	token, err := os.ReadFile(filepath.Join(dir, ".rebake/admin-token"))
	if err != nil {
		return err
	}
	const batch = 100
	for i := 0; i < n; i += batch {
		var paths []string
		for j := i; j < min(i+batch, n); j++ {
			paths = append(paths, fmt.Sprintf("/p/bulk-%d", j))
		}
		body, err := json.Marshal(map[string]any{"paths": paths, "priority": "low"})
		if err != nil {
			return err
		}
		if err := post(ctx, "http://"+admin+"/v1/triggers", strings.TrimSpace(string(token)), body); err != nil {
			return err
		}
	}
	return nil
}

func post(ctx context.Context, url, token string, body []byte) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, url, bytes.NewReader(body))
	if err != nil {
		return err
	}
	req.Header.Set("Authorization", "Bearer "+token)
	req.Header.Set("Content-Type", "application/json")
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err == nil && res.StatusCode >= 300 {
		err = fmt.Errorf("%s: %s", res.Status, text)
	}
	return err
}

func freeAddr() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	return l.Addr().String(), l.Close()
}

// await polls for what happens in another process.
func await(ctx context.Context, done func() bool) error {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	for !done() {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return fmt.Errorf("waited in vain: %w", ctx.Err())
		}
	}
	return nil
}
