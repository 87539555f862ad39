package api

import (
	"context"
	"encoding/json"
	"io/fs"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/fstest"
	"time"

	"github.com/redis/go-redis/v9"

	"rebake/renderer"
	"rebake/renderer/source"
	"rebake/storage/ledger"
	"rebake/storage/output"
	"rebake/storage/redistest"
	"rebake/worker"
)

// wholeSite is an API over the real floors below it: Redis, the ledger, the
// worker, a renderer with one source, and a directory.
type wholeSite struct {
	*API
	t     *testing.T
	redis *redistest.Server
	rdb   *redis.Client
	cms   *cms
	dir   string
	logs  *logs
	work  func(context.Context) error // runs the worker
}

// cms answers for the posts it has, and counts what it is asked.
type cms struct {
	asked atomic.Int64
	mu    sync.Mutex
	posts map[string]string // slug -> title; guarded by mu
	fail  bool              // guarded by mu
}

func (c *cms) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	c.asked.Add(1)
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.fail {
		http.Error(w, "no", http.StatusInternalServerError)
		return
	}
	list := []map[string]string{}
	if title, ok := c.posts[r.URL.Query().Get("slug")]; ok {
		list = append(list, map[string]string{"title": title})
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(list)
}

func (c *cms) set(slug, title string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.posts[slug] = title
}

func (c *cms) failing() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.fail = true
}

func newWholeSite(t *testing.T) *wholeSite {
	t.Helper()
	s := &wholeSite{t: t, redis: redistest.Start(t), cms: &cms{posts: map[string]string{}}, dir: filepath.Join(t.TempDir(), "public"), logs: &logs{}}
	t.Cleanup(func() { s.logs.check(t) })
	s.rdb = s.redis.Client()
	log := slog.New(slog.NewJSONHandler(s.logs, nil))
	out, err := output.Open(output.Config{Dir: s.dir, State: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = out.Close() })
	l, err := ledger.Open(t.Context(), s.rdb, ledger.DefaultConfig("www.example.com"))
	if err != nil {
		t.Fatal(err)
	}
	r := s.newRenderer()
	feed := l.Feed()
	w := worker.New(worker.DefaultConfig(), worker.Parts{Redis: s.rdb, Ledger: l, Feed: feed, Output: out, Renderer: r, Log: log})
	s.API = New(testConfig(), w, r, l, log)
	s.work = func(ctx context.Context) error {
		feeding, stopFeed := context.WithCancel(context.WithoutCancel(ctx))
		fed := make(chan error, 1)
		go func() { fed <- feed.Run(feeding) }()
		err := w.Run(ctx)
		stopFeed()
		<-fed
		return err
	}
	return s
}

func (s *wholeSite) newRenderer() *renderer.Renderer {
	s.t.Helper()
	server := httptest.NewServer(s.cms)
	s.t.Cleanup(server.Close)
	c := source.DefaultConfig()
	c.URL = server.URL
	src, err := source.New("cms", c)
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(src.Close)
	templates, err := renderer.LoadTemplates(fstest.MapFS{
		"post.html": {Data: []byte("<!doctype html><html><title>{{.post.title}}</title></html>")},
	})
	if err != nil {
		s.t.Fatal(err)
	}
	r, err := renderer.New(renderer.Config{
		Site: "https://www.example.com", Sources: map[string]*source.Source{"cms": src}, Templates: templates,
		Routes: []renderer.RouteConfig{{
			Path: "/blog/{slug}", Template: "post.html", Tags: []string{"post:{slug}"},
			Data: map[string]renderer.FetchConfig{"post": {Source: "cms", Get: "/posts?slug={slug}", One: true}},
		}},
	})
	if err != nil {
		s.t.Fatal(err)
	}
	return r
}

// start runs the worker until the test ends.
func (s *wholeSite) start() {
	ctx, stop := context.WithCancel(s.t.Context())
	ended := make(chan error, 1)
	go func() { ended <- s.work(ctx) }()
	s.t.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			s.t.Errorf("work: %v", err)
		}
	})
}

func (s *wholeSite) revalidate(method, query, body string) response {
	s.t.Helper()
	return do(s.t, s.Public(), method, "/api/revalidate?"+query, body, "Authorization: Bearer "+secret)
}

// keys returns all keys of Redis.
func (s *wholeSite) keys() []string {
	s.t.Helper()
	keys, err := s.rdb.Keys(s.t.Context(), "*").Result()
	if err != nil {
		s.t.Fatal(err)
	}
	slices.Sort(keys)
	return keys
}

// files returns all files of the output directory.
func (s *wholeSite) files() []string {
	s.t.Helper()
	var files []string
	err := fs.WalkDir(os.DirFS(s.dir), ".", func(name string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			files = append(files, name)
		}
		return err
	})
	if err != nil {
		s.t.Fatal(err)
	}
	return files
}

// await waits until cond holds.
func await(t *testing.T, cond func() bool) {
	t.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); <-tick.C {
		if cond() {
			return
		}
	}
	t.Fatal("it did not come about in time")
}
