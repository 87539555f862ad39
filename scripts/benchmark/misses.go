package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/redis/go-redis/v9"
	"golang.org/x/sync/errgroup"
)

const (
	editEvery = 200 * time.Millisecond // meanwhile, of the good pages by turns
	readEvery = 20 * time.Millisecond
)

// missesBench asks for pages that are not there, while good pages are edited.
type missesBench struct {
	site   *rebakeSite
	system *system
	source *cms
	rdb    *redis.Client

	misses, callers int
	seed            uint64
	edits           int                  // so far; edit is called by one goroutine at a time
	answers         [3][600]atomic.Int64 // by kind of path and status
}

// missKinds are the paths that visitors make up, in the order of missPath.
var missKinds = [3]string{"unknown slugs", "without a route", "malformed"}

// benchMisses asks for paths that no page has, each once, and measures what
// becomes of the good pages and of Redis meanwhile. Unlike the other
// measurements it judges: keys or files that stay are an error.
func benchMisses(ctx context.Context, args []string) error {
	b := &missesBench{source: posts(10), seed: rand.Uint64()}
	flags := flag.NewFlagSet("misses", flag.ContinueOnError)
	flags.IntVar(&b.misses, "misses", 100_000, "how many paths to ask for")
	flags.IntVar(&b.callers, "callers", 32, "how many ask at once")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if b.misses < 1 || b.callers < 1 {
		return fmt.Errorf("misses needs one of everything")
	}
	dir, program, err := prepare(ctx)
	if dir != "" {
		defer os.RemoveAll(dir)
	}
	if err != nil {
		return err
	}
	server := httptest.NewServer(b.source)
	defer server.Close()
	queue, err := b.startRedis(ctx, dir)
	if err != nil {
		return err
	}
	defer queue.stop()
	defer b.rdb.Close()
	if err := b.start(ctx, dir, program, server.URL); err != nil {
		return err
	}
	defer b.site.stop()
	return b.run(ctx)
}

func (b *missesBench) startRedis(ctx context.Context, dir string) (*process, error) {
	socket := filepath.Join(dir, "redis.sock")
	p, err := start("redis-server", exec.Command("redis-server", "--port", "0", "--unixsocket", socket, "--dir", dir,
		"--appendonly", "yes", "--appendfsync", "always", "--maxmemory-policy", "noeviction"))
	if err != nil {
		return nil, err
	}
	b.rdb = redis.NewClient(&redis.Options{Network: "unix", Addr: socket})
	if err := p.await(ctx, func() bool { return b.rdb.Ping(ctx).Err() == nil }); err != nil {
		p.stop()
		return nil, err
	}
	return p, nil
}

// start serves the site, without nginx, and publishes its pages.
func (b *missesBench) start(ctx context.Context, dir, program, source string) (err error) {
	if b.site, err = newRebakeSite(dir, program, source); err != nil {
		return err
	}
	f, err := os.OpenFile(b.site.config(), os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(f, "redis: unix://%s\n", filepath.Join(dir, "redis.sock"))
	if err := f.Close(); err != nil {
		return err
	}
	if err != nil {
		return err
	}
	if b.site.server, err = start("rebake serve", b.site.command("serve")); err != nil {
		return err
	}
	err = b.site.server.await(ctx, func() bool { return answers("http://" + b.site.admin + "/readyz") })
	if err == nil {
		b.system = &system{name: "Rebake", public: "http://" + b.site.listen, api: "http://" + b.site.listen}
	}
	for i := 0; i < b.source.len() && err == nil; i++ {
		_, err = b.edit(ctx)
	}
	if err == nil {
		_, _, err = b.ask(ctx, -1) // the first one makes what is made once
	}
	if err != nil {
		b.site.stop()
	}
	return err
}

func (b *missesBench) run(ctx context.Context) error {
	before, err := readFootprint(ctx, b.rdb, b.site)
	if err != nil {
		return err
	}
	// Edits and reads of good pages go on until the misses end.
	meanwhile, end := context.WithCancel(ctx)
	defer end()
	var edits, reads []time.Duration
	var others errgroup.Group
	others.Go(func() (err error) { edits, err = b.repeat(meanwhile, editEvery, b.edit); return err })
	others.Go(func() (err error) { reads, err = b.repeat(meanwhile, readEvery, b.read); return err })

	started := time.Now()
	err = b.askAll(ctx)
	took := time.Since(started)
	end()
	if othersErr := others.Wait(); err == nil {
		err = othersErr
	}
	if err != nil {
		return err
	}
	fmt.Printf("%d misses, %d at once: %s, %.0f/s\n", b.misses, b.callers, took.Round(time.Millisecond), float64(b.misses)/took.Seconds())
	b.printAnswers()
	printTimes("edits of good pages meanwhile, trigger to file", edits)
	printTimes("reads of one", reads)
	after, err := b.settled(ctx, before)
	if err != nil {
		return err
	}
	fmt.Printf("%-24s %10s %10s\n", "", "before", "after")
	fmt.Printf("%-24s %10d %10d\n", "keys in Redis", before.keys, after.keys)
	fmt.Printf("%-24s %7.1f MB %7.1f MB\n", "memory of Redis", before.megabytes(), after.megabytes())
	fmt.Printf("%-24s %10d %10d\n", "files in the output", before.files, after.files)
	return after.check(before)
}

// askAll asks for every path once.
func (b *missesBench) askAll(ctx context.Context) error {
	var next atomic.Int64
	group, ctx := errgroup.WithContext(ctx)
	for range b.callers {
		group.Go(func() error {
			for i := next.Add(1) - 1; i < int64(b.misses); i = next.Add(1) - 1 {
				kind, status, err := b.ask(ctx, i)
				if err != nil {
					return err
				}
				b.answers[kind][status].Add(1)
			}
			return nil
		})
	}
	return group.Wait()
}

// ask asks for the path with this number.
func (b *missesBench) ask(ctx context.Context, i int64) (kind, status int, err error) {
	kind, path := b.missPath(i)
	u, err := url.Parse(b.system.public + path)
	if err != nil {
		return kind, 0, err
	}
	req := &http.Request{Method: http.MethodGet, URL: u, Header: http.Header{}}
	res, err := visitors.Do(req.WithContext(ctx))
	if err != nil {
		return kind, 0, err
	}
	defer res.Body.Close()
	if _, err = io.Copy(io.Discard, res.Body); err == nil && res.StatusCode < http.StatusBadRequest {
		err = fmt.Errorf("%s is answered with %s, and there is no such page", path, res.Status)
	}
	return kind, res.StatusCode, err
}

// missPath makes up a path. The number makes it another one each time, and the
// seed another one in each run.
func (b *missesBench) missPath(i int64) (kind int, path string) {
	name := strconv.FormatUint(b.seed, 36) + "-" + strconv.FormatInt(i, 36)
	switch i % 3 {
	default:
		return 0, "/blog/" + name
	case 1:
		return 1, "/" + name + "/wp-login.php"
	case 2:
		malformed := []string{"/blog//%s", "/blog/%s%%00", "/blog/../%s", "/blog/.%s", "/blog/%s%%252e", "/blog/%s.gz", "/blog/%s%%ff", "/%s/index.html"}
		return 2, fmt.Sprintf(malformed[i/3%int64(len(malformed))], name)
	}
}

// edit edits the next good page, and returns how long it took from the trigger
// to the file. There are as many that none is edited more often than once a
// second: Rebake makes such pages wait, whatever visitors do.
func (b *missesBench) edit(ctx context.Context) (time.Duration, error) {
	n := b.edits%b.source.len() + 1
	b.edits++
	want := b.source.edit(n)
	file := filepath.Join(b.site.dir, "public", pathOf(n), "index.html")
	started := time.Now()
	if err := b.system.trigger(ctx, n, "&recheck=0"); err != nil {
		return 0, err
	}
	err := await(ctx, func() bool {
		text, err := os.ReadFile(file)
		return err == nil && strings.Contains(string(text), want)
	})
	return time.Since(started), err
}

// read reads a good page as a visitor whose nginx does not find its file.
func (b *missesBench) read(ctx context.Context) (time.Duration, error) {
	started := time.Now()
	text, err := b.system.page(ctx, 1)
	if err == nil && !strings.Contains(text, "</html>") {
		err = fmt.Errorf("the good page is not whole: %q", text)
	}
	return time.Since(started), err
}

// repeat does something again and again until ctx is done, and returns how
// long each took, sorted.
func (b *missesBench) repeat(ctx context.Context, every time.Duration, do func(context.Context) (time.Duration, error)) (took []time.Duration, err error) {
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		one, err := do(ctx)
		if ctx.Err() != nil {
			slices.Sort(took)
			return took, nil
		}
		if err != nil {
			return nil, err
		}
		took = append(took, one)
		select {
		case <-tick.C:
		case <-ctx.Done():
		}
	}
}

func (b *missesBench) printAnswers() {
	for kind, name := range missKinds {
		var parts []string
		for status := range b.answers[kind] {
			if n := b.answers[kind][status].Load(); n > 0 {
				parts = append(parts, fmt.Sprintf("%d × %d", n, status))
			}
		}
		fmt.Printf("  %-16s %s\n", name, strings.Join(parts, ", "))
	}
}

func printTimes(name string, sorted []time.Duration) {
	if len(sorted) == 0 {
		return
	}
	fmt.Printf("%d %s: p50 %s, p99 %s, slowest %s\n", len(sorted), name, percentile(sorted, 50).Round(100*time.Microsecond),
		percentile(sorted, 99).Round(time.Millisecond), sorted[len(sorted)-1].Round(time.Millisecond))
}
